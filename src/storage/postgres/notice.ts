/** What a node tells the others when it commits: who it is, and what they have to forget. */
import type { CacheChange } from '../../domain/changes.ts'

/** The channel on which a node tells the others that it has committed a change. */
export const changesChannel = 'hallpass_changes'

/** PostgreSQL takes less than 8000 bytes. */
const mostBytes = 7999

/** The text of a notification of `origin`. What is too long to be told is left out: it stands in the database. */
export function notice(origin: string, changes: readonly CacheChange[]): string {
  const whole = `${origin} ${JSON.stringify(changes.map(({ kind, value }) => [kind, value]))}`
  return Buffer.byteLength(whole) <= mostBytes ? whole : origin
}

/** What {@link notice} wrote. No changes where none were told, or not in this form: an older version tells its origin alone. */
export function readNotice(text: string): { readonly by: string; readonly changes: readonly CacheChange[] } {
  const [by = '', told] = text.split(/ (.*)/s)
  return { by, changes: told === undefined ? [] : readChanges(told) }
}

function readChanges(told: string): readonly CacheChange[] {
  try {
    const changes: unknown = JSON.parse(told)
    if (!Array.isArray(changes)) return []
    return changes.filter(isPair).map(([kind, value]) => ({ kind, value }))
  } catch {
    return []
  }
}

/** A kind that this version does not know is forgotten by nobody, as in the rows. */
function isPair(change: unknown): change is readonly [CacheChange['kind'], string] {
  return Array.isArray(change) && change.length === 2 && change.every((part) => typeof part === 'string')
}
