import type { Kysely } from 'kysely'
import type { Directory } from '../domain/ports.ts'
import type { User } from '../domain/user.ts'
import type { Quote } from './markdown-quote.ts'
import { type NotificationType, notificationTypes } from './notifications.ts'
import { findPerson, systemUser } from './people.ts'
import { findPostByNumber } from './posts.ts'
import type { ForumTables, PostRow, TopicRow } from './schema.ts'

/** Who hears of a post, by user id, and by which kind of notification: one each. */
export type NotificationPlan = ReadonlyMap<string, NotificationType>

/**
 * Decides who hears of a post: those it mentions, those it quotes, the author of the post it replies to, the author
 * of the topic, and everybody in a personal message. Never the author of the post, and of a personal message nobody
 * who is not in it.
 */
export async function planNotifications(
  desk: { readonly db: Kysely<ForumTables>; readonly directory: Directory },
  input: {
    readonly author: User
    /** Absent for the first post of a topic. */
    readonly topic?: TopicRow
    readonly replyTo?: PostRow | undefined
    /** Everybody in a new personal message; those in an old one are looked up. */
    readonly participants?: ReadonlySet<string> | undefined
    readonly text: { readonly mentioned: readonly User[]; readonly quotes: readonly Quote[] }
  },
): Promise<NotificationPlan> {
  const { author, topic, replyTo, text } = input
  const participants =
    input.participants ??
    (topic?.archetype === 'private_message' ? await participantsOf(desk.db, topic.id) : undefined)
  const plan = new Map<string, NotificationType>()
  const add = (userId: string, type: NotificationType) => {
    if (userId === author.id || userId === systemUser.id || plan.has(userId)) return
    if (participants === undefined || participants.has(userId)) plan.set(userId, type)
  }
  for (const user of text.mentioned) add(user.id, notificationTypes.mentioned)
  for (const userId of await quotedAuthors(desk, topic, text.quotes)) add(userId, notificationTypes.quoted)
  for (const userId of participants ?? []) add(userId, notificationTypes.private_message)
  if (replyTo !== undefined) add(replyTo.user_id, notificationTypes.replied)
  if (topic !== undefined) add(topic.user_id, notificationTypes.replied)
  return plan
}

/** Stores the notifications of a plan. */
export async function writeNotifications(
  transaction: Kysely<ForumTables>,
  plan: NotificationPlan,
  about: { readonly author: User; readonly post: PostRow; readonly topic: TopicRow },
): Promise<void> {
  if (plan.size === 0) return
  const { author, post, topic } = about
  const data = JSON.stringify({
    topic_title: topic.title,
    original_post_id: post.id,
    original_post_type: 1,
    original_username: author.username,
    revision_number: null,
    display_username: author.username,
  })
  await transaction
    .insertInto('forum_notifications')
    .values(
      [...plan].map(([userId, type]) => ({
        user_id: userId,
        type,
        read: 0,
        topic_id: topic.id,
        post_number: post.post_number,
        data,
        created_at: post.updated_at,
      })),
    )
    .execute()
}

/** The ids of everybody in a personal message. */
export async function participantsOf(db: Kysely<ForumTables>, topicId: number): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('forum_topic_recipients')
    .select('user_id')
    .where('topic_id', '=', topicId)
    .execute()
  return new Set(rows.map((row) => row.user_id))
}

/** A quotation counts only when the quoted post is its person's: else one could make anybody hear of anything. */
async function quotedAuthors(
  desk: { readonly db: Kysely<ForumTables>; readonly directory: Directory },
  topic: TopicRow | undefined,
  quotes: readonly Quote[],
): Promise<readonly string[]> {
  const authors: string[] = []
  for (const quote of quotes) {
    const topicId = quote.topicId ?? topic?.id
    if (topicId === undefined || quote.postNumber === undefined) continue
    const post = await findPostByNumber(desk.db, topicId, quote.postNumber)
    const user = post && (await findPerson(desk.directory, quote.username))
    if (post !== undefined && user?.id === post.user_id) authors.push(user.id)
  }
  return authors
}
