import type { Kysely } from 'kysely'
import type { User } from '../domain/user.ts'
import { largestId } from './posts.ts'
import type { ForumTables, NotificationRow, TopicRow } from './schema.ts'
import { readableTopics } from './topics.ts'

/** The wire's numbers of the notifications that the forum makes (protocol §17). */
export const notificationTypes = { mentioned: 1, replied: 2, quoted: 3, private_message: 6 } as const

/** One of {@link notificationTypes}. */
export type NotificationType = (typeof notificationTypes)[keyof typeof notificationTypes]

/** A notification with the topic that it is about. */
export interface NotificationInTopic {
  readonly notification: NotificationRow
  readonly topic: TopicRow
}

/** Which notifications to list. */
export interface NotificationListFilter {
  readonly state?: 'all' | 'read' | 'unread'
  readonly offset?: number
  readonly limit: number
}

/** A user's notifications, newest first; those about what the user can no longer read are left out. */
export async function listNotifications(
  db: Kysely<ForumTables>,
  user: User,
  filter: NotificationListFilter,
): Promise<readonly NotificationInTopic[]> {
  let query = db.selectFrom('forum_notifications').selectAll().where('user_id', '=', user.id)
  if (filter.state === 'unread') query = query.where('read', '=', 0)
  if (filter.state === 'read') query = query.where('read', '=', 1)
  const rows = await query
    .orderBy('id', 'desc')
    .offset(filter.offset ?? 0)
    .limit(filter.limit)
    .execute()
  if (rows.length === 0) return []
  const topics = await readableTopics(db, user)
    .selectAll('forum_topics')
    .where('forum_topics.id', 'in', [...new Set(rows.map((row) => row.topic_id))])
    .execute()
  const topicOf = new Map(topics.map((topic) => [topic.id, topic]))
  return rows.flatMap((notification) => {
    const topic = topicOf.get(notification.topic_id)
    return topic ? [{ notification, topic }] : []
  })
}

/** How many notifications a user has in all. */
export async function countNotifications(db: Kysely<ForumTables>, user: User): Promise<number> {
  const row = await db
    .selectFrom('forum_notifications')
    .select((build) => build.fn.countAll<number>().as('total'))
    .where('user_id', '=', user.id)
    .executeTakeFirst()
  return Number(row?.total ?? 0)
}

/** What a user has not read yet. */
export interface UnreadCounts {
  /** By the wire's type. */
  readonly byType: ReadonlyMap<number, number>
  readonly all: number
  /** Personal messages, read or not, that came after the user last looked at the list. */
  readonly unseenMessages: number
  /** The newest notification that the user has looked at; 0 when none. */
  readonly seenNotificationId: number
}

/** Counts what `user` has not read and not looked at. */
export async function countUnreadNotifications(db: Kysely<ForumTables>, user: User): Promise<UnreadCounts> {
  const seenNotificationId = await findSeenNotificationId(db, user)
  const rows = await db
    .selectFrom('forum_notifications')
    .select((build) => ['type', build.fn.countAll<number>().as('total'), build.fn.max('id').as('newest')])
    .where('user_id', '=', user.id)
    .where('read', '=', 0)
    .groupBy('type')
    .execute()
  const byType = new Map(rows.map((row) => [row.type, Number(row.total)]))
  const unseen = await db
    .selectFrom('forum_notifications')
    .select((build) => build.fn.countAll<number>().as('total'))
    .where('user_id', '=', user.id)
    .where('type', '=', notificationTypes.private_message)
    .where('read', '=', 0)
    .where('id', '>', seenNotificationId)
    .executeTakeFirst()
  return {
    byType,
    all: [...byType.values()].reduce((sum, count) => sum + count, 0),
    unseenMessages: Number(unseen?.total ?? 0),
    seenNotificationId,
  }
}

/** The newest notification that the user has looked at; 0 when none. */
export async function findSeenNotificationId(db: Kysely<ForumTables>, user: User): Promise<number> {
  const row = await db
    .selectFrom('forum_readers')
    .select('seen_notification_id')
    .where('user_id', '=', user.id)
    .executeTakeFirst()
  return row?.seen_notification_id ?? 0
}

/** Notes that `user` has looked at all notifications up to the newest. */
export async function markSeen(db: Kysely<ForumTables>, user: User): Promise<void> {
  const row = await db
    .selectFrom('forum_notifications')
    .select((build) => build.fn.max('id').as('newest'))
    .where('user_id', '=', user.id)
    .executeTakeFirst()
  const newest: unknown = row?.newest ?? null
  if (newest === null) return
  await db
    .insertInto('forum_readers')
    .values({ user_id: user.id, seen_notification_id: Number(newest) })
    .onConflict((conflict) =>
      conflict.column('user_id').doUpdateSet({ seen_notification_id: Number(newest) }),
    )
    .execute()
}

/** Marks one notification of `user` as read, or all of them. Answers whether there was one to mark. */
export async function markRead(db: Kysely<ForumTables>, user: User, id?: number): Promise<boolean> {
  if (id !== undefined && id > largestId) return false
  let query = db.updateTable('forum_notifications').set({ read: 1 }).where('user_id', '=', user.id)
  query = id === undefined ? query.where('read', '=', 0) : query.where('id', '=', id)
  const result = await query.executeTakeFirst()
  return result.numUpdatedRows > 0n
}
