import type { Kysely } from 'kysely'
import type { User } from '../domain/user.ts'
import { loadPosts, type PostInTopic } from './posts.ts'
import { refuseInvalid } from './refused.ts'
import type { BookmarkRow, ForumTables } from './schema.ts'

/** A bookmark with the post that it marks. */
export interface Bookmark {
  readonly row: BookmarkRow
  readonly target: PostInTopic
}

const maximumBookmarks = 2000

/** What may be said of a bookmark. */
export interface BookmarkText {
  readonly name: string
  /** Milliseconds since the epoch; null for no reminder. */
  readonly reminderAt: number | null
}

/**
 * A user's bookmarks of posts that are there and that they may read, the newest first; `withReminder` leaves out those
 * without one, and begins with the reminder that comes first.
 */
export async function listBookmarks(
  db: Kysely<ForumTables>,
  user: User,
  page: { readonly offset: number; readonly limit: number; readonly withReminder?: boolean },
): Promise<readonly Bookmark[]> {
  const query = db.selectFrom('forum_bookmarks').selectAll().where('user_id', '=', user.id)
  const sorted = page.withReminder
    ? query.where('reminder_at', 'is not', null).orderBy('reminder_at').orderBy('id')
    : query.orderBy('id', 'desc')
  const rows = await sorted.offset(page.offset).limit(page.limit).execute()
  const posts = await loadPosts(
    db,
    rows.map((row) => row.post_id),
    user,
  )
  const byId = new Map(posts.map((one) => [one.post.id, one]))
  return rows.flatMap((row) => {
    const target = byId.get(row.post_id)
    return target ? [{ row, target }] : []
  })
}

/** Keeps a post for a user, and answers with the bookmark's id. Refuses with 422 a second one of the post, and too many. */
export async function addBookmark(
  db: Kysely<ForumTables>,
  user: User,
  { post }: PostInTopic,
  { name, reminderAt, now }: BookmarkText & { readonly now: number },
): Promise<number> {
  const { count } = await db
    .selectFrom('forum_bookmarks')
    .select((build) => build.fn.countAll<number>().as('count'))
    .where('user_id', '=', user.id)
    .executeTakeFirstOrThrow()
  if (Number(count) >= maximumBookmarks) {
    return refuseInvalid('base', `there are ${maximumBookmarks} bookmarks; delete one first`)
  }
  const inserted = await db
    .insertInto('forum_bookmarks')
    .values({
      user_id: user.id,
      post_id: post.id,
      name,
      reminder_at: reminderAt,
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.columns(['user_id', 'post_id']).doNothing())
    .returning('id')
    .executeTakeFirst()
  return inserted?.id ?? refuseInvalid('bookmarkable_id', 'this post is bookmarked already')
}

/** Changes a bookmark of the user; false when they have none of this id. */
export async function changeBookmark(
  db: Kysely<ForumTables>,
  user: User,
  id: number,
  { name, reminderAt, now }: BookmarkText & { readonly now: number },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('forum_bookmarks')
    .set({ name, reminder_at: reminderAt, updated_at: now })
    .where('id', '=', id)
    .where('user_id', '=', user.id)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Deletes a bookmark of the user; false when they have none of this id. */
export async function deleteBookmark(db: Kysely<ForumTables>, user: User, id: number): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('forum_bookmarks')
    .where('id', '=', id)
    .where('user_id', '=', user.id)
    .executeTakeFirst()
  return numDeletedRows > 0n
}
