import type { Kysely } from 'kysely'
import type { Clock, Directory } from '../domain/ports.ts'
import type { PushNotification } from '../domain/push.ts'
import { isStaff, type User } from '../domain/user.ts'
import { inTransaction } from '../storage/transaction.ts'
import { excerptOf, parseText } from './markdown.ts'
import { type NotificationPlan, planNotifications, writeNotifications } from './notification-plan.ts'
import { findPerson } from './people.ts'
import { findPostByNumber } from './posts.ts'
import { noteRead, noteWritten } from './reading.ts'
import { refuseInvalid, refuseNotFound } from './refused.ts'
import type { ForumTables, PostRow, TopicRow } from './schema.ts'
import { fold, readRaw, readTags, readTitle, slugOf } from './texts.ts'
import { findTopic } from './topics.ts'

/** What writing needs from the forum. */
export interface Desk {
  readonly db: Kysely<ForumTables>
  readonly directory: Directory
  readonly clock: Clock
  /** Without a trailing slash. */
  readonly baseUrl: string
  /** Hears of each notification after it was stored. */
  readonly notify: (userId: string, notification: PushNotification) => void
}

/** Who writes, and the app that writes for them; null for the person themselves. */
export interface Author {
  readonly user: User
  readonly viaApp: string | null
}

/** A post that was just made, with the topic as it is after it. */
export interface MadePost {
  readonly post: PostRow
  readonly topic: TopicRow
}

/** Begins a public topic. Refuses with 422 a title, body or tags that cannot be stored. */
export async function createTopic(
  desk: Desk,
  author: Author,
  input: {
    readonly title: string
    readonly raw: string
    readonly categoryId: number
    readonly tags: readonly string[]
  },
): Promise<MadePost> {
  return beginTopic(desk, author, {
    title: readTitle(input.title),
    raw: readRaw(input.raw),
    tags: readTags(input.tags),
    categoryId: input.categoryId,
    recipients: [],
  })
}

/** How many people a personal message can be written to. */
export const maximumRecipients = 20

/**
 * Begins a personal message to the users named in `recipients`. Refuses with 422 a title or body that cannot be
 * stored, and recipients who do not exist or are none.
 */
export async function createMessage(
  desk: Desk,
  author: Author,
  input: { readonly title: string; readonly raw: string; readonly recipients: readonly string[] },
): Promise<MadePost> {
  const title = readTitle(input.title)
  const raw = readRaw(input.raw)
  const names = [...new Set(input.recipients.map((name) => name.trim()).filter((name) => name !== ''))]
  if (names.length === 0) return refuseInvalid('target_recipients', 'a personal message needs a recipient')
  if (names.length > maximumRecipients) {
    return refuseInvalid(
      'target_recipients',
      `a personal message has at most ${maximumRecipients} recipients`,
    )
  }
  const found = await Promise.all(names.map((name) => findPerson(desk.directory, name)))
  const recipients = found.map((user, index) =>
    user === undefined
      ? refuseInvalid('target_recipients', `there is no user ${(names[index] ?? '').slice(0, 60)}`)
      : user.id,
  )
  return beginTopic(desk, author, { title, raw, tags: [], categoryId: null, recipients })
}

/**
 * Adds a post to a topic. Refuses with 404 a topic that is not there for the author, and with 422 one that is closed
 * (but for staff), a body that cannot be stored, or a reply to a post that is not there.
 */
export async function createReply(
  desk: Desk,
  author: Author,
  input: { readonly topicId: number; readonly raw: string; readonly replyTo: number | undefined },
): Promise<MadePost> {
  const topic = await findTopic(desk.db, input.topicId, author.user)
  if (topic === undefined) return refuseNotFound(`topic ${input.topicId}`)
  const raw = readRaw(input.raw)
  if (topic.closed === 1 && !isStaff(author.user)) {
    return refuseInvalid('topic_id', 'the topic is closed and takes no more replies')
  }
  const replyTo =
    input.replyTo === undefined ? undefined : await findPostByNumber(desk.db, topic.id, input.replyTo)
  if (input.replyTo !== undefined && replyTo === undefined) {
    return refuseInvalid('reply_to_post_number', `the topic has no post ${input.replyTo}`)
  }
  const text = await cook(desk.directory, raw)
  const plan = await planNotifications(desk, { author: author.user, topic, replyTo, text: text.parsed })
  const now = desk.clock.now()

  const made = await inTransaction(desk.db, async (transaction) => {
    // Taking the number first locks the topic's row, so that two replies at once cannot get the same number.
    const updated = await transaction
      .updateTable('forum_topics')
      .set((build) => ({
        highest_post_number: build('highest_post_number', '+', 1),
        posts_count: build('posts_count', '+', 1),
        bumped_at: now,
        last_posted_at: now,
        last_poster_id: author.user.id,
      }))
      .where('id', '=', topic.id)
      .where('deleted_at', 'is', null)
      .returningAll()
      .executeTakeFirst()
    if (updated === undefined) return refuseNotFound(`topic ${input.topicId}`)
    const post = await insertPost(transaction, author, updated, {
      raw,
      cooked: text.cooked,
      replyTo: input.replyTo ?? null,
      now,
    })
    await finish(transaction, author, plan, post, updated)
    return { post, topic: updated }
  })
  announce(desk, author.user, plan, made)
  return made
}

/** The text as HTML, with the people whom it mentions. */
export async function cook(
  directory: Directory,
  raw: string,
): Promise<{ readonly cooked: string; readonly parsed: CookedText }> {
  const parsed = parseText(raw)
  const mentioned = new Map<string, User>()
  for (const name of parsed.mentions) {
    const user = await findPerson(directory, name)
    if (user !== undefined) mentioned.set(name.toLowerCase(), user)
  }
  const usernames = new Map([...mentioned].map(([name, user]) => [name, user.username]))
  return {
    cooked: parsed.render(usernames),
    parsed: { mentioned: [...mentioned.values()], quotes: parsed.quotes },
  }
}

/** Whom a text refers to. */
export interface CookedText {
  readonly mentioned: readonly User[]
  readonly quotes: ReturnType<typeof parseText>['quotes']
}

/** Tells the site of each notification that was stored for `made`. A listener that throws is the site's own affair. */
export function announce(desk: Desk, author: User, plan: NotificationPlan, made: MadePost): void {
  for (const [userId, type] of plan) {
    desk.notify(userId, {
      notification_type: type,
      post_number: made.post.post_number,
      topic_title: made.topic.title,
      topic_id: made.topic.id,
      excerpt: excerptOf(made.post.cooked, 300),
      username: author.username,
      url: `${desk.baseUrl}/t/${made.topic.slug}/${made.topic.id}/${made.post.post_number}`,
    })
  }
}

async function beginTopic(
  desk: Desk,
  author: Author,
  input: {
    readonly title: string
    readonly raw: string
    readonly tags: readonly string[]
    readonly categoryId: number | null
    /** Ids; empty for a public topic. */
    readonly recipients: readonly string[]
  },
): Promise<MadePost> {
  const isMessage = input.recipients.length > 0
  const text = await cook(desk.directory, input.raw)
  const now = desk.clock.now()
  const participants = isMessage ? new Set([author.user.id, ...input.recipients]) : undefined
  const plan = await planNotifications(desk, { author: author.user, participants, text: text.parsed })

  const made = await inTransaction(desk.db, async (transaction) => {
    const topic = await transaction
      .insertInto('forum_topics')
      .values({
        title: input.title,
        title_folded: fold(input.title),
        slug: slugOf(input.title),
        archetype: isMessage ? 'private_message' : 'regular',
        category_id: input.categoryId,
        user_id: author.user.id,
        closed: 0,
        pinned: 0,
        created_at: now,
        bumped_at: now,
        last_posted_at: now,
        last_poster_id: author.user.id,
        posts_count: 1,
        highest_post_number: 1,
        deleted_at: null,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    for (const tag of input.tags) {
      await transaction.insertInto('forum_topic_tags').values({ topic_id: topic.id, tag }).execute()
    }
    for (const userId of participants ?? []) {
      await transaction
        .insertInto('forum_topic_recipients')
        .values({ topic_id: topic.id, user_id: userId })
        .execute()
    }
    const post = await insertPost(transaction, author, topic, {
      raw: input.raw,
      cooked: text.cooked,
      replyTo: null,
      now,
    })
    await finish(transaction, author, plan, post, topic)
    return { post, topic }
  })
  announce(desk, author.user, plan, made)
  return made
}

async function insertPost(
  transaction: Kysely<ForumTables>,
  author: Author,
  topic: TopicRow,
  input: {
    readonly raw: string
    readonly cooked: string
    readonly replyTo: number | null
    readonly now: number
  },
): Promise<PostRow> {
  return transaction
    .insertInto('forum_posts')
    .values({
      topic_id: topic.id,
      post_number: topic.highest_post_number,
      user_id: author.user.id,
      raw: input.raw,
      raw_folded: fold(input.raw),
      cooked: input.cooked,
      reply_to_post_number: input.replyTo,
      via_app: author.viaApp,
      version: 1,
      edit_reason: null,
      created_at: input.now,
      updated_at: input.now,
      deleted_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}

async function finish(
  transaction: Kysely<ForumTables>,
  author: Author,
  plan: NotificationPlan,
  post: PostRow,
  topic: TopicRow,
): Promise<void> {
  await writeNotifications(transaction, plan, { author: author.user, post, topic })
  if (author.viaApp === null) {
    // Who writes below the other posts has them before their eyes.
    await noteRead(transaction, author.user.id, topic.id, post.post_number)
  } else {
    await noteWritten(transaction, author.user.id, topic.id, post.post_number)
  }
}
