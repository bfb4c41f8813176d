/** Reading the audit log: page by page, and whole, to prove that nothing in it was changed. */
import { auditHash, genesisHash } from './audit.ts'
import type { AuditFilter, AuditRecord, Store } from './store.ts'

/** A page of the log. */
export interface AuditPage {
  /** Newest first. */
  readonly entries: readonly AuditRecord[]
  /** Where the next page begins (its `before`); null at the end of the log. A page may be short, or empty, before that. */
  readonly nextBefore: number | null
}

/** How many entries one page looks through: a filter that nothing fits must not read a log of millions at once. */
const window = 50_000

/** The newest entries below number `before` (default: the end of the log) that fit `filter`. */
export async function readAudit(
  store: Store,
  { before, limit }: { readonly before?: number | undefined; readonly limit: number },
  filter: AuditFilter = {},
): Promise<AuditPage> {
  const end = before ?? ((await store.audit.last())?.sequence ?? 0) + 1
  const from = Math.max(1, end - window)
  const entries = await store.audit.list({ from, before: end, limit }, filter)
  const lowest = entries.length === limit ? (entries.at(-1)?.sequence ?? from) : from
  return { entries, nextBefore: lowest > 1 ? lowest : null }
}

/** Where a log stood at some time: the number of its last entry, and that entry's hash. */
export interface AuditHead {
  readonly sequence: number
  readonly hash: string
}

/** What reading the whole log came to. */
export type AuditVerdict =
  | { readonly outcome: 'whole'; readonly head: AuditHead }
  | {
      readonly outcome: 'broken'
      /** The first entry that is not as it must be. */
      readonly sequence: number
      readonly problem: string
    }

/**
 * Reads the log from its first entry to its last, and holds each against its hash and against the entry before it.
 * Whoever can write the database could still cut off the log's end, or write a new log: only a head that was noted
 * elsewhere tells. `known` is such a head; `onProgress` hears how many entries have been read.
 */
export async function verifyAudit(
  store: Store,
  options: { readonly known?: AuditHead | undefined; readonly onProgress?: (read: number) => void } = {},
): Promise<AuditVerdict> {
  const { known, onProgress } = options
  let head: AuditHead = { sequence: 0, hash: genesisHash }
  for (;;) {
    const entries = await store.audit.listAfter(head.sequence, 1000)
    for (const entry of entries) {
      const problem = problemOf(entry, head) ?? problemWithKnown(entry, known)
      if (problem !== undefined) return { outcome: 'broken', sequence: head.sequence + 1, problem }
      head = { sequence: entry.sequence, hash: entry.hash }
    }
    onProgress?.(head.sequence)
    if (entries.length === 0) break
  }
  if (known !== undefined && known.sequence > head.sequence) {
    const problem = `the log ends before entry ${known.sequence}, which was there when its hash was noted`
    return { outcome: 'broken', sequence: head.sequence + 1, problem }
  }
  return { outcome: 'whole', head }
}

function problemOf(entry: AuditRecord, before: AuditHead): string | undefined {
  const expected = before.sequence + 1
  if (entry.sequence !== expected) return `entry ${expected} is missing`
  if (entry.previousHash !== before.hash) return 'it does not follow from the entry before it'
  return entry.hash === auditHash(entry) ? undefined : 'its content does not fit its hash: it was changed'
}

function problemWithKnown(entry: AuditRecord, known: AuditHead | undefined): string | undefined {
  return known?.sequence === entry.sequence && known.hash !== entry.hash
    ? 'it is not the entry whose hash was noted: the log was written anew'
    : undefined
}
