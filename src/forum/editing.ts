import type { Kysely } from 'kysely'
import { isStaff, type User } from '../domain/user.ts'
import { inTransaction } from '../storage/transaction.ts'
import { planNotifications, writeNotifications } from './notification-plan.ts'
import { notificationTypes } from './notifications.ts'
import { announce, cook, type Desk } from './posting.ts'
import { findPost, type PostInTopic } from './posts.ts'
import { refuse, refuseInvalid, refuseNotFound } from './refused.ts'
import type { ForumTables, PostRow, TopicRow } from './schema.ts'
import { fold, readEditReason, readRaw, readTags, readTitle, slugOf } from './texts.ts'
import { findTopic } from './topics.ts'

/** Whether `viewer` may change or delete a post: its author and staff may, but nobody else's app or account. */
export function mayEditPost(viewer: User | undefined, post: PostRow): boolean {
  return viewer !== undefined && (post.user_id === viewer.id || isStaff(viewer))
}

/** Whether `viewer` may change a topic's title, category and tags: its author and staff may. */
export function mayEditTopic(viewer: User | undefined, topic: TopicRow): boolean {
  return viewer !== undefined && (topic.user_id === viewer.id || isStaff(viewer))
}

/** Whether `viewer` may delete a topic: staff may, and its author while nobody has replied. */
export function mayDeleteTopic(viewer: User | undefined, topic: TopicRow): boolean {
  return viewer !== undefined && (isStaff(viewer) || (topic.user_id === viewer.id && topic.posts_count <= 1))
}

/**
 * Changes the text of a post, and tells those who are mentioned in it for the first time. Refuses with 403 who may
 * not, and with 422 a text that cannot be stored.
 */
export async function editPost(
  desk: Desk,
  editor: User,
  target: PostInTopic,
  input: { readonly raw: string; readonly editReason: string | undefined },
): Promise<PostInTopic> {
  if (!mayEditPost(editor, target.post)) {
    return refuse('not_permitted', {
      problem: 'the post is somebody else’s',
      remedy: 'ask its author or staff',
    })
  }
  const raw = readRaw(input.raw)
  const editReason = readEditReason(input.editReason)
  const { cooked, parsed } = await cook(desk.directory, raw)
  const plan = await planNotifications(desk, {
    author: editor,
    ...(target.topic.archetype === 'private_message' ? { topic: target.topic } : {}),
    text: { mentioned: parsed.mentioned, quotes: [] },
  })

  const edited = await inTransaction(desk.db, async (transaction) => {
    const told = await transaction
      .selectFrom('forum_notifications')
      .select('user_id')
      .where('topic_id', '=', target.topic.id)
      .where('post_number', '=', target.post.post_number)
      .execute()
    const known = new Set([target.post.user_id, ...told.map((row) => row.user_id)])
    const fresh = new Map(
      [...plan].filter(([userId, type]) => !known.has(userId) && type === notificationTypes.mentioned),
    )
    const post = await transaction
      .updateTable('forum_posts')
      .set((build) => ({
        raw,
        raw_folded: fold(raw),
        cooked,
        edit_reason: editReason,
        version: build('version', '+', 1),
        updated_at: desk.clock.now(),
      }))
      .where('id', '=', target.post.id)
      .where('deleted_at', 'is', null)
      .returningAll()
      .executeTakeFirst()
    if (post === undefined) return refuseNotFound(`post ${target.post.id}`)
    await writeNotifications(transaction, fresh, { author: editor, post, topic: target.topic })
    return { post, fresh }
  })
  const made = { post: edited.post, topic: target.topic }
  announce(desk, editor, edited.fresh, made)
  return made
}

/**
 * Deletes a post, or the whole topic when it is its first. It stays in the database, so that staff can bring it back.
 * Refuses with 403 who may not.
 */
export async function deletePost(desk: Desk, editor: User, target: PostInTopic): Promise<void> {
  if (target.post.post_number === 1) return deleteTopic(desk, editor, target.topic)
  if (!mayEditPost(editor, target.post)) {
    return refuse('not_permitted', {
      problem: 'the post is somebody else’s',
      remedy: 'ask its author or staff',
    })
  }
  await inTransaction(desk.db, async (transaction) => {
    const result = await transaction
      .updateTable('forum_posts')
      .set({ deleted_at: desk.clock.now() })
      .where('id', '=', target.post.id)
      .where('deleted_at', 'is', null)
      .executeTakeFirst()
    if (result.numUpdatedRows > 0n) await recount(transaction, target.topic.id)
  })
}

/** Deletes a topic. It stays in the database, so that staff can bring it back. Refuses with 403 who may not. */
export async function deleteTopic(desk: Desk, editor: User, topic: TopicRow): Promise<void> {
  if (!mayDeleteTopic(editor, topic)) {
    return refuse('not_permitted', {
      problem: 'a topic can be deleted by staff, and by its author while nobody has replied',
      remedy: 'ask staff',
    })
  }
  await desk.db
    .updateTable('forum_topics')
    .set({ deleted_at: desk.clock.now() })
    .where('id', '=', topic.id)
    .execute()
}

/** Brings a deleted post back; for staff. Refuses with 403 anybody else, and with 404 a post that is not deleted. */
export async function recoverPost(desk: Desk, editor: User, id: number): Promise<PostInTopic> {
  refuseUnlessStaff(editor)
  const post = await desk.db
    .selectFrom('forum_posts')
    .selectAll()
    .where('id', '=', id)
    .where('deleted_at', 'is not', null)
    .executeTakeFirst()
  const topic = post && (await findTopic(desk.db, post.topic_id, editor))
  if (post === undefined || topic === undefined) return refuseNotFound(`deleted post ${id}`)
  await inTransaction(desk.db, async (transaction) => {
    await transaction.updateTable('forum_posts').set({ deleted_at: null }).where('id', '=', id).execute()
    await recount(transaction, topic.id)
  })
  return (await findPost(desk.db, id, editor)) ?? refuseNotFound(`post ${id}`)
}

/** Brings a deleted topic back; for staff. Refuses with 403 anybody else, and with 404 one that is not deleted. */
export async function recoverTopic(desk: Desk, editor: User, id: number): Promise<void> {
  refuseUnlessStaff(editor)
  const result = await desk.db
    .updateTable('forum_topics')
    .set({ deleted_at: null })
    .where('id', '=', id)
    .where('archetype', '=', 'regular')
    .where('deleted_at', 'is not', null)
    .executeTakeFirst()
  if (result.numUpdatedRows === 0n) refuseNotFound(`deleted topic ${id}`)
}

/**
 * Changes a topic's title, category and tags; what is undefined stays. Refuses with 403 who may not, and with 422 what
 * cannot be stored.
 */
export async function editTopic(
  desk: Desk,
  editor: User,
  topic: TopicRow,
  input: {
    readonly title: string | undefined
    readonly categoryId: number | undefined
    readonly tags: readonly string[] | undefined
  },
): Promise<TopicRow> {
  if (!mayEditTopic(editor, topic)) {
    return refuse('not_permitted', {
      problem: 'the topic is somebody else’s',
      remedy: 'ask its author or staff',
    })
  }
  if (topic.archetype === 'private_message' && (input.categoryId !== undefined || input.tags !== undefined)) {
    return refuseInvalid('category_id', 'a personal message has no category and no tags')
  }
  const title = input.title === undefined ? topic.title : readTitle(input.title)
  const tags = input.tags === undefined ? undefined : readTags(input.tags)
  return inTransaction(desk.db, async (transaction) => {
    if (tags !== undefined) {
      await transaction.deleteFrom('forum_topic_tags').where('topic_id', '=', topic.id).execute()
      for (const tag of tags) {
        await transaction.insertInto('forum_topic_tags').values({ topic_id: topic.id, tag }).execute()
      }
    }
    const changed = await transaction
      .updateTable('forum_topics')
      .set({
        title,
        title_folded: fold(title),
        slug: slugOf(title),
        category_id: input.categoryId ?? topic.category_id,
      })
      .where('id', '=', topic.id)
      .returningAll()
      .executeTakeFirst()
    return changed ?? refuseNotFound(`topic ${topic.id}`)
  })
}

/** Closes a topic, pins it, or undoes that; for staff. Refuses with 403 anybody else. */
export async function setTopicStatus(
  desk: Desk,
  editor: User,
  topic: TopicRow,
  status: 'closed' | 'pinned',
  enabled: boolean,
): Promise<void> {
  refuseUnlessStaff(editor)
  await desk.db
    .updateTable('forum_topics')
    .set(status === 'closed' ? { closed: enabled ? 1 : 0 } : { pinned: enabled ? 1 : 0 })
    .where('id', '=', topic.id)
    .execute()
}

/** Refuses with 403 who is not staff. */
export function refuseUnlessStaff(user: User): void {
  if (!isStaff(user)) refuse('not_permitted', { problem: 'this is for staff', remedy: 'ask a moderator' })
}

/** Counts a topic's posts anew, and lets it stand where its newest post puts it. */
async function recount(db: Kysely<ForumTables>, topicId: number): Promise<void> {
  const last = await db
    .selectFrom('forum_posts')
    .select(['user_id', 'created_at'])
    .where('topic_id', '=', topicId)
    .where('deleted_at', 'is', null)
    .orderBy('post_number', 'desc')
    .executeTakeFirst()
  const counted = await db
    .selectFrom('forum_posts')
    .select((build) => build.fn.countAll<number>().as('posts'))
    .where('topic_id', '=', topicId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  if (last === undefined) return
  await db
    .updateTable('forum_topics')
    .set({
      posts_count: Number(counted?.posts ?? 0),
      last_poster_id: last.user_id,
      last_posted_at: last.created_at,
      bumped_at: last.created_at,
    })
    .where('id', '=', topicId)
    .execute()
}
