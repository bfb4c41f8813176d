import { type Refusal, refusal } from './errors.ts'

/** Where a request's parameters come from. What is not form or JSON has no body here. */
export interface ParameterSources {
  readonly query: URLSearchParams
  /** A form body, or the object that a JSON body holds. Absent for none; an empty JSON body is `{}`. */
  readonly body?: URLSearchParams | Readonly<Record<string, unknown>> | undefined
}

/** What one parameter may look like. */
export interface ParameterSpec {
  /** The longest value that is accepted, in bytes of UTF-8. */
  readonly limit: number
  /** True when the value is decimal digits: a JSON number then counts as its text. Default false. */
  readonly digits?: boolean
  /** True when the value is a comma-separated list: a JSON array of strings then counts as the list. Default false. */
  readonly list?: boolean
  /** True when the value is the text of a JSON object: an object of a JSON body then counts as its text. Default false. */
  readonly json?: boolean
  /** True when a blank value is a value, and not a missing one. Default false. */
  readonly keepBlank?: boolean
}

/** The parameters' values by their wire names; those that are missing or blank are absent. */
export type ParameterValues<Name extends string> = { readonly [N in Name]?: string }

/**
 * Reads the parameters that `specs` names, and no other, from a request's query and body.
 *
 * The body wins over the query. A blank value (nothing but white space) counts as missing, even when the query holds
 * another, unless its spec says `keepBlank`; JSON `null` counts as not sent. Values are otherwise taken as they are, not
 * trimmed: there are client ids that end in a line feed. Source: protocol §2 (Rails' rule of presence).
 */
export function readParameters<Name extends string>(
  sources: ParameterSources,
  specs: Readonly<Record<Name, ParameterSpec>>,
):
  | { readonly outcome: 'read'; readonly values: ParameterValues<Name> }
  | { readonly outcome: 'refused'; readonly refusal: Refusal } {
  const values: { [N in Name]?: string } = {}
  for (const name of Object.keys(specs) as Name[]) {
    const spec = specs[name]
    const fromQuery = readForm(sources.query, name)
    const fromBody =
      sources.body instanceof URLSearchParams
        ? readForm(sources.body, name)
        : readJson(sources.body ?? {}, name, spec)
    // Both are looked at whichever wins: a value that another reader would see must not hide behind ours.
    for (const one of [fromQuery, fromBody]) if (typeof one === 'object') return refused(one)
    const value = fromBody ?? fromQuery
    if (typeof value !== 'string' || (blank.test(value) && !spec.keepBlank)) continue
    const problem = checkText(name, value, spec)
    if (problem) return refused(problem)
    values[name] = value
  }
  return { outcome: 'read', values }
}

/** The length of `text` in bytes of UTF-8. */
export function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length
}

const blank = /^\p{White_Space}*$/u

function refused(why: Refusal): { readonly outcome: 'refused'; readonly refusal: Refusal } {
  return { outcome: 'refused', refusal: why }
}

function readForm(form: URLSearchParams, name: string): string | Refusal | undefined {
  const [first, second] = form.getAll(name)
  return second === undefined ? first : refusal('parameter_duplicated', { field: name })
}

function readJson(
  body: Readonly<Record<string, unknown>>,
  name: string,
  spec: ParameterSpec,
): string | Refusal | undefined {
  // Own properties only: `constructor` is a property of every object.
  const value = Object.hasOwn(body, name) ? body[name] : undefined
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  if (typeof value === 'number' && spec.digits) return String(value)
  if (Array.isArray(value) && spec.list && value.every((item) => typeof item === 'string')) {
    return value.join(',')
  }
  if (spec.json && typeof value === 'object' && !Array.isArray(value)) return JSON.stringify(value)
  return refusal('parameter_invalid', {
    field: name,
    problem: `it is ${jsonKind(value)}`,
    expected: spec.digits
      ? 'a number or a string of digits'
      : spec.list
        ? 'a string, its items separated by commas'
        : spec.json
          ? 'a JSON object, or its text'
          : 'a string',
  })
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function checkText(name: string, value: string, spec: ParameterSpec): Refusal | undefined {
  // A character takes three bytes at the most, so that few need to be counted.
  const actual = value.length * 3 > spec.limit ? utf8Length(value) : 0
  if (actual > spec.limit) return refusal('parameter_too_long', { field: name, actual, limit: spec.limit })
  // Databases refuse both (PostgreSQL stores no NUL), and neither survives a trip through UTF-8 text unchanged.
  const problem = value.includes('\0')
    ? 'it holds a NUL character'
    : value.isWellFormed()
      ? undefined
      : 'it holds half of a surrogate pair'
  return problem === undefined
    ? undefined
    : refusal('parameter_invalid', { field: name, problem, expected: 'text in UTF-8' })
}
