/** What a case says when a server does not do what it must. */
import { isDeepStrictEqual } from 'node:util'
import type { Answer } from './exchange.ts'

/** A requirement that is not met. The message says what was found and what was expected. */
export class Unmet extends Error {
  override readonly name = 'Unmet'
  /** The answer that shows it; the last one of the case by default. */
  readonly answer: Answer | undefined

  constructor(message: string, answer?: Answer) {
    super(message)
    this.answer = answer
  }
}

/** Why a case could not be run here after all. */
export class Skipped extends Error {
  override readonly name = 'Skipped'
}

/** Leaves the case out, for a reason that is printed. */
export function skip(reason: string): never {
  throw new Skipped(reason)
}

/** Fails unless `holds`. */
export function check(holds: boolean, otherwise: string, answer?: Answer): asserts holds {
  if (!holds) throw new Unmet(otherwise, answer)
}

/** Fails unless both are the same, deeply. */
export function equal(actual: unknown, expected: unknown, what: string, answer?: Answer): void {
  if (!isDeepStrictEqual(actual, expected)) {
    throw new Unmet(`${what} is ${show(actual)}, expected ${show(expected)}`, answer)
  }
}

/** Fails unless `actual` is a text that matches. */
export function matches(actual: unknown, pattern: RegExp, what: string, answer?: Answer): string {
  if (typeof actual !== 'string' || !pattern.test(actual)) {
    throw new Unmet(`${what} is ${show(actual)}, expected something like ${pattern}`, answer)
  }
  return actual
}

/** Fails unless the status is one of those; answers with the answer, to go on with. */
export function status(answer: Answer, ...expected: readonly number[]): Answer {
  if (expected.includes(answer.status)) return answer
  throw new Unmet(`status is ${answer.status}, expected ${expected.join(' or ')}`, answer)
}

/** Fails when the status is 5xx, or there is none. */
export function noFault(answer: Answer): Answer {
  if (answer.status >= 200 && answer.status < 500) return answer
  throw new Unmet(`status is ${answer.status}, expected anything below 500`, answer)
}

/** Fails unless the answer is a JSON object; answers with it. */
export function object(answer: Answer): Record<string, unknown> {
  const value = answer.json
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  throw new Unmet(`the body is no JSON object: ${answer.text.slice(0, 80)}`, answer)
}

/** Fails unless the answer is 200 with a JSON object; answers with it. */
export function ok(answer: Answer): Record<string, unknown> {
  return object(status(answer, 200))
}

/** Fails unless the answer is the JSON refusal of that status and `error_type`; undefined for one without a type. */
export function refusal(answer: Answer, expected: number, type?: string): Record<string, unknown> {
  const body = object(status(answer, expected))
  equal(body.error_type, type, 'error_type', answer)
  check(isTextList(body.errors), 'errors is not a list of at least one text', answer)
  return body
}

/** Fails unless a header has that value, or matches. */
export function header(answer: Answer, name: string, expected: string | RegExp): string {
  const value = answer.header(name)
  if (typeof expected === 'string') equal(value, expected, `the header ${name}`, answer)
  else matches(value, expected, `the header ${name}`, answer)
  return value ?? ''
}

/** The headers of answers that may hold secrets (§1.3). */
export function sealedHeaders(answer: Answer): void {
  header(answer, 'Cache-Control', /no-store/)
  header(answer, 'Pragma', 'no-cache')
  header(answer, 'Expires', '0')
  header(answer, 'Referrer-Policy', 'same-origin')
}

/** Fails unless the answer is a redirect; answers with where to, made absolute. */
export function redirect(answer: Answer): string {
  status(answer, 302)
  const location = answer.header('location')
  if (location === undefined) throw new Unmet('there is no Location', answer)
  return location
}

/** Fails unless the answer is a redirect to the site's sign-in. */
export function sentToSignIn(answer: Answer): void {
  const { pathname } = new URL(redirect(answer), answer.request.url)
  check(/\/(login|session\/sso)$/.test(pathname), `it leads to ${pathname}, not to sign-in`, answer)
}

/** Fails unless `value` has all of those fields. */
export function fields(value: unknown, names: readonly string[], what: string, answer?: Answer): void {
  const present = typeof value === 'object' && value !== null ? Object.keys(value) : []
  const missing = names.filter((name) => !present.includes(name))
  check(missing.length === 0, `${what} lacks ${missing.join(', ')}`, answer)
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string')
}

function show(value: unknown): string {
  const text = value === undefined ? 'absent' : JSON.stringify(value)
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}
