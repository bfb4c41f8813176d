/** A batch as it stands in Redis and goes between processes: its text, and reading that without trusting it. */
import type { LetIn } from '../domain/limit-exchange.ts'

/** The text of what a node let in: JSON, for each limit `[window in milliseconds, id, count, id, count, …]`. */
export function writeLetIn(letIn: readonly LetIn[]): string {
  // A limit may be there twice; each has a list of its own.
  return JSON.stringify(letIn.map(({ limit, windowMs, callers }) => [limit, windowMs, ...callers.flat()]))
}

/** Reads such a text. What is not of the form is left out: another version, or somebody else, may have written it. */
export function readLetIn(text: string): readonly LetIn[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return []
  }
  return Array.isArray(value) ? value.flatMap(readOne) : []
}

const longestWindowMs = 32 * 86_400_000

function readOne(value: unknown): readonly LetIn[] {
  if (!Array.isArray(value)) return []
  const [limit, windowMs, ...pairs]: unknown[] = value
  if (typeof limit !== 'string' || !/^[a-z0-9_]{1,100}$/.test(limit)) return []
  if (!isWhole(windowMs) || windowMs < 1 || windowMs > longestWindowMs) return []
  const callers: (readonly [string, number])[] = []
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const id = pairs[at]
    const count = pairs[at + 1]
    if (typeof id === 'string' && id.length <= 64 && isWhole(count)) callers.push([id, count])
  }
  return [{ limit, windowMs, callers }]
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value)
}
