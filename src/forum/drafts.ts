import type { Kysely } from 'kysely'
import type { User } from '../domain/user.ts'
import { refuseInvalid } from './refused.ts'
import type { ForumTables } from './schema.ts'

/** A text that somebody has begun and not posted. */
export interface Draft {
  readonly key: string
  /** Counts the times that it was saved, from 0. */
  readonly sequence: number
  /** What the client keeps in it, as it sent it. */
  readonly data: string
  readonly createdAt: number
}

const maximumDrafts = 100
const maximumDataLength = 60_000

/** A user's drafts, the one saved last first. */
export async function listDrafts(
  db: Kysely<ForumTables>,
  user: User,
  page: { readonly offset: number; readonly limit: number },
): Promise<readonly Draft[]> {
  const rows = await db
    .selectFrom('forum_drafts')
    .selectAll()
    .where('user_id', '=', user.id)
    .orderBy('updated_at', 'desc')
    .orderBy('draft_key')
    .offset(page.offset)
    .limit(page.limit)
    .execute()
  return rows.map((row) => ({
    key: row.draft_key,
    sequence: row.sequence,
    data: row.data,
    createdAt: row.created_at,
  }))
}

/** One draft of a user; undefined when there is none under this key. */
export async function findDraft(
  db: Kysely<ForumTables>,
  user: User,
  key: string,
): Promise<Draft | undefined> {
  if (!isKey(key)) return undefined
  const row = await db
    .selectFrom('forum_drafts')
    .selectAll()
    .where('user_id', '=', user.id)
    .where('draft_key', '=', key)
    .executeTakeFirst()
  return row && { key, sequence: row.sequence, data: row.data, createdAt: row.created_at }
}

/**
 * Saves a draft under its key, and answers with its new sequence number. Refuses with 422 a key or data that cannot
 * be kept, and more than 100 drafts.
 */
export async function saveDraft(
  db: Kysely<ForumTables>,
  user: User,
  input: { readonly key: string; readonly data: string; readonly now: number },
): Promise<number> {
  if (!isKey(input.key)) {
    return refuseInvalid(
      'draft_key',
      'a draft’s key is made of 1 to 100 letters, digits, underscores and hyphens',
    )
  }
  if (input.data === '' || input.data.length > maximumDataLength || input.data.includes('\0')) {
    return refuseInvalid('data', `a draft holds 1 to ${maximumDataLength} characters`)
  }
  const existing = await findDraft(db, user, input.key)
  if (existing === undefined) {
    const others = await listDrafts(db, user, { offset: 0, limit: maximumDrafts })
    if (others.length >= maximumDrafts) {
      return refuseInvalid('draft_key', `there are ${maximumDrafts} drafts; delete one first`)
    }
  }
  const sequence = existing === undefined ? 0 : existing.sequence + 1
  const change = { sequence, data: input.data, updated_at: input.now }
  await db
    .insertInto('forum_drafts')
    .values({ user_id: user.id, draft_key: input.key, created_at: input.now, ...change })
    .onConflict((conflict) => conflict.columns(['user_id', 'draft_key']).doUpdateSet(change))
    .execute()
  return sequence
}

/** Throws a draft away, if there is one. */
export async function deleteDraft(db: Kysely<ForumTables>, user: User, key: string): Promise<void> {
  if (!isKey(key)) return
  await db.deleteFrom('forum_drafts').where('user_id', '=', user.id).where('draft_key', '=', key).execute()
}

function isKey(key: string): boolean {
  return /^[\w-]{1,100}$/.test(key)
}
