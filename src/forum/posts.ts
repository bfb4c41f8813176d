import type { Kysely } from 'kysely'
import type { User } from '../domain/user.ts'
import type { ForumTables, PostRow, TopicRow } from './schema.ts'
import { readableTopics } from './topics.ts'

/** A post with the topic that it stands in. */
export interface PostInTopic {
  readonly post: PostRow
  readonly topic: TopicRow
}

/** How many posts a page of a topic or a list of posts holds. */
export const postsPerPage = 20

/** The largest number that an id in the database can be; a larger one belongs to nothing. */
export const largestId = 2_147_483_647

/** The post with this id, when it and its topic are there and `viewer` may read them. */
export async function findPost(
  db: Kysely<ForumTables>,
  id: number,
  viewer: User | undefined,
): Promise<PostInTopic | undefined> {
  return (await loadPosts(db, [id], viewer))[0]
}

/** The posts with these ids that are there and that `viewer` may read, in the order of `ids`. */
export async function loadPosts(
  db: Kysely<ForumTables>,
  ids: readonly number[],
  viewer: User | undefined,
): Promise<readonly PostInTopic[]> {
  if (ids.length === 0) return []
  const posts = await db
    .selectFrom('forum_posts')
    .selectAll()
    .where('id', 'in', ids)
    .where('deleted_at', 'is', null)
    .execute()
  if (posts.length === 0) return []
  const topics = await readableTopics(db, viewer)
    .selectAll('forum_topics')
    .where('forum_topics.id', 'in', [...new Set(posts.map((post) => post.topic_id))])
    .execute()
  const topicOf = new Map(topics.map((topic) => [topic.id, topic]))
  const postOf = new Map(posts.map((post) => [post.id, post]))
  return ids.flatMap((id) => {
    const post = postOf.get(id)
    const topic = post && topicOf.get(post.topic_id)
    return post && topic ? [{ post, topic }] : []
  })
}

/** The post with this number in a topic, deleted ones left out. */
export async function findPostByNumber(
  db: Kysely<ForumTables>,
  topicId: number,
  postNumber: number,
): Promise<PostRow | undefined> {
  return db
    .selectFrom('forum_posts')
    .selectAll()
    .where('topic_id', '=', topicId)
    .where('post_number', '=', postNumber)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
}

/** The ids of a topic's posts in their order, at most 10 000. */
export async function streamOf(db: Kysely<ForumTables>, topicId: number): Promise<readonly number[]> {
  const rows = await db
    .selectFrom('forum_posts')
    .select('id')
    .where('topic_id', '=', topicId)
    .where('deleted_at', 'is', null)
    .orderBy('post_number')
    .limit(10_000)
    .execute()
  return rows.map((row) => row.id)
}

/** Which public posts to list. */
export interface PostListFilter {
  /** Only posts of this user. */
  readonly userId?: string
  /** Only posts with a smaller id. */
  readonly before?: number
  /** `topics`: only first posts. `replies`: only the others. */
  readonly kind?: 'topics' | 'replies'
  /** Only posts in this topic. */
  readonly topicId?: number
  readonly offset?: number
  readonly limit: number
}

/** Posts of public topics, newest first. */
export async function listPosts(
  db: Kysely<ForumTables>,
  filter: PostListFilter,
): Promise<readonly PostInTopic[]> {
  let query = readableTopics(db, undefined)
    .innerJoin('forum_posts', 'forum_posts.topic_id', 'forum_topics.id')
    .select('forum_posts.id')
    .where('forum_posts.deleted_at', 'is', null)
  if (filter.userId !== undefined) query = query.where('forum_posts.user_id', '=', filter.userId)
  if (filter.before !== undefined) query = query.where('forum_posts.id', '<', filter.before)
  if (filter.topicId !== undefined) query = query.where('forum_posts.topic_id', '=', filter.topicId)
  if (filter.kind !== undefined) {
    query = query.where('forum_posts.post_number', filter.kind === 'topics' ? '=' : '>', 1)
  }
  const rows = await query
    .orderBy('forum_posts.id', 'desc')
    .offset(filter.offset ?? 0)
    .limit(filter.limit)
    .execute()
  return loadPosts(
    db,
    rows.map((row) => row.id),
    undefined,
  )
}

/** How many replies each of these posts of one topic has had, by post number; those without are left out. */
export async function replyCounts(
  db: Kysely<ForumTables>,
  topicId: number,
  postNumbers: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  if (postNumbers.length === 0) return new Map()
  const rows = await db
    .selectFrom('forum_posts')
    .select(['reply_to_post_number', (build) => build.fn.countAll<number>().as('replies')])
    .where('topic_id', '=', topicId)
    .where('reply_to_post_number', 'in', postNumbers)
    .where('deleted_at', 'is', null)
    .groupBy('reply_to_post_number')
    .execute()
  return new Map(rows.map((row) => [row.reply_to_post_number ?? 0, Number(row.replies)]))
}

/** How much somebody has written in public, and when last (milliseconds since the epoch). */
export async function activityOf(
  db: Kysely<ForumTables>,
  userId: string,
): Promise<{
  readonly postCount: number
  readonly topicCount: number
  readonly lastPostedAt: number | null
}> {
  const row = await readableTopics(db, undefined)
    .innerJoin('forum_posts', 'forum_posts.topic_id', 'forum_topics.id')
    .select((build) => [
      build.fn.countAll<number>().as('posts'),
      build.fn.max('forum_posts.created_at').as('last'),
      build.fn
        .sum<number>(build.case().when('forum_posts.post_number', '=', 1).then(1).else(0).end())
        .as('topics'),
    ])
    .where('forum_posts.user_id', '=', userId)
    .where('forum_posts.deleted_at', 'is', null)
    .executeTakeFirst()
  const last: unknown = row?.last ?? null
  return {
    postCount: Number(row?.posts ?? 0),
    topicCount: Number(row?.topics ?? 0),
    lastPostedAt: last === null ? null : Number(last),
  }
}
