import type { Kysely } from 'kysely'
import type { User } from '../domain/user.ts'
import type { ForumTables, TopicRow } from './schema.ts'
import { listTopics } from './topics.ts'

/**
 * Notes that `userId` has read a topic up to `postNumber`, never back, and marks the notifications about those posts
 * as read.
 */
export async function noteRead(
  db: Kysely<ForumTables>,
  userId: string,
  topicId: number,
  postNumber: number,
): Promise<void> {
  await db
    .insertInto('forum_reads')
    .values({ user_id: userId, topic_id: topicId, last_read_post_number: postNumber })
    .onConflict((conflict) =>
      conflict
        .columns(['user_id', 'topic_id'])
        .doUpdateSet({ last_read_post_number: postNumber })
        .where('forum_reads.last_read_post_number', '<', postNumber),
    )
    .execute()
  await db
    .updateTable('forum_notifications')
    .set({ read: 1 })
    .where('user_id', '=', userId)
    .where('topic_id', '=', topicId)
    .where('post_number', '<=', postNumber)
    .where('read', '=', 0)
    .execute()
}

/**
 * Notes that an app wrote the post `postNumber` for `userId`: the topic is theirs to follow from now on, and the post
 * counts as read when they had read all before it, but nobody has looked at what others wrote.
 */
export async function noteWritten(
  db: Kysely<ForumTables>,
  userId: string,
  topicId: number,
  postNumber: number,
): Promise<void> {
  await db
    .insertInto('forum_reads')
    .values({ user_id: userId, topic_id: topicId, last_read_post_number: postNumber === 1 ? 1 : 0 })
    .onConflict((conflict) =>
      conflict
        .columns(['user_id', 'topic_id'])
        .doUpdateSet({ last_read_post_number: postNumber })
        .where('forum_reads.last_read_post_number', '=', postNumber - 1),
    )
    .execute()
}

/** How far `viewer` has read each of these topics, by topic id; those never opened are left out. */
export async function lastReadOf(
  db: Kysely<ForumTables>,
  viewer: User,
  topicIds: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  if (topicIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('forum_reads')
    .select(['topic_id', 'last_read_post_number'])
    .where('user_id', '=', viewer.id)
    .where('topic_id', 'in', topicIds)
    .execute()
  return new Map(rows.map((row) => [row.topic_id, row.last_read_post_number]))
}

/** A topic that waits for somebody: new to them (never opened), or with posts that they have not read. */
export interface TrackedTopic {
  readonly topic: TopicRow
  /** Null when the topic was never opened. */
  readonly lastReadPostNumber: number | null
}

/** What waits for `viewer`, at most 500 new and 500 unread topics. */
export async function trackedTopics(
  db: Kysely<ForumTables>,
  viewer: User,
  now: number,
): Promise<readonly TrackedTopic[]> {
  const page = { page: 0, perPage: 500, viewer, now }
  const fresh = await listTopics(db, { ...page, kind: 'new' })
  const unread = await listTopics(db, { ...page, kind: 'unread' })
  const lastRead = await lastReadOf(
    db,
    viewer,
    unread.topics.map((topic) => topic.id),
  )
  return [
    ...fresh.topics.map((topic) => ({ topic, lastReadPostNumber: null })),
    ...unread.topics.map((topic) => ({ topic, lastReadPostNumber: lastRead.get(topic.id) ?? null })),
  ]
}
