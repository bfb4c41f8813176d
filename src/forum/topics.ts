import { type Kysely, type SelectQueryBuilder, sql } from 'kysely'
import type { User } from '../domain/user.ts'
import type { ForumTables, TopicRow } from './schema.ts'

/** How many topics a page of a list holds. */
export const topicsPerPage = 30

/**
 * The topics that `viewer` may read: public ones, and the personal messages that they take part in. Everything that
 * the forum shows goes through this, so that a message cannot leak by a side door.
 */
export function readableTopics(
  db: Kysely<ForumTables>,
  viewer: User | undefined,
  // biome-ignore lint/complexity/noBannedTypes: Kysely's own word for «nothing selected yet».
): SelectQueryBuilder<ForumTables, 'forum_topics', {}> {
  return db
    .selectFrom('forum_topics')
    .where('forum_topics.deleted_at', 'is', null)
    .where((where) =>
      viewer === undefined
        ? where('forum_topics.archetype', '=', 'regular')
        : where.or([
            where('forum_topics.archetype', '=', 'regular'),
            where.exists(
              where
                .selectFrom('forum_topic_recipients')
                .select('forum_topic_recipients.topic_id')
                .whereRef('forum_topic_recipients.topic_id', '=', 'forum_topics.id')
                .where('forum_topic_recipients.user_id', '=', viewer.id),
            ),
          ]),
    )
}

/** The topic with this id, when it is there and `viewer` may read it. */
export async function findTopic(
  db: Kysely<ForumTables>,
  id: number,
  viewer: User | undefined,
): Promise<TopicRow | undefined> {
  return readableTopics(db, viewer)
    .selectAll('forum_topics')
    .where('forum_topics.id', '=', id)
    .executeTakeFirst()
}

/** Which topics to list, and in what order. */
export interface TopicListFilter {
  /** From 0. */
  readonly page: number
  /** Default {@link topicsPerPage}. */
  readonly perPage?: number
  /** `activity` (the default) puts pinned topics first. */
  readonly order?: 'activity' | 'created' | 'posts' | 'title'
  readonly ascending?: boolean
  readonly categoryId?: number
  /** Every one of these tags. */
  readonly tags?: readonly string[]
  readonly authorId?: string
  readonly closed?: boolean
  /** Milliseconds since the epoch: only topics with activity since. */
  readonly activeSince?: number
  /** `new`: not opened yet and made in the last two days. `unread`: opened, with posts since. `messages`: personal messages. */
  readonly kind?: 'all' | 'new' | 'unread' | 'messages'
  /** Only those among `messages` that are new or unread in this sense. */
  readonly state?: 'new' | 'unread'
  /** Whose `new`, `unread` and `messages`. */
  readonly viewer?: User
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** How long a topic that somebody has not opened counts as new to them, in milliseconds. */
const newTopicWindowMs = 2 * 86_400_000

/** One page of topics, and whether there is another. */
export async function listTopics(
  db: Kysely<ForumTables>,
  filter: TopicListFilter,
): Promise<{ readonly topics: readonly TopicRow[]; readonly hasMore: boolean }> {
  const perPage = filter.perPage ?? topicsPerPage
  const { kind = 'all', viewer } = filter
  if (kind !== 'all' && viewer === undefined) return { topics: [], hasMore: false }

  let query = readableTopics(db, kind === 'messages' ? viewer : undefined).selectAll('forum_topics')
  if (kind === 'messages') query = query.where('archetype', '=', 'private_message')
  if (filter.categoryId !== undefined) query = query.where('category_id', '=', filter.categoryId)
  if (filter.authorId !== undefined) query = query.where('user_id', '=', filter.authorId)
  if (filter.closed !== undefined) query = query.where('closed', '=', filter.closed ? 1 : 0)
  if (filter.activeSince !== undefined) query = query.where('last_posted_at', '>=', filter.activeSince)
  for (const tag of filter.tags ?? []) {
    query = query.where(({ exists, selectFrom }) =>
      exists(
        selectFrom('forum_topic_tags')
          .select('forum_topic_tags.topic_id')
          .whereRef('forum_topic_tags.topic_id', '=', 'forum_topics.id')
          .where('forum_topic_tags.tag', '=', tag),
      ),
    )
  }
  const state = kind === 'new' || kind === 'unread' ? kind : filter.state
  if (viewer !== undefined && state !== undefined) query = query.where(unreadState(state, viewer, filter.now))

  const order = filter.order ?? 'activity'
  if (order === 'activity' && kind === 'all' && filter.ascending !== true)
    query = query.orderBy('pinned', 'desc')
  const topics = await query
    .orderBy(orderColumns[order], filter.ascending === true ? 'asc' : 'desc')
    .orderBy('id', 'desc')
    .offset(filter.page * perPage)
    .limit(perPage + 1)
    .execute()
  return { topics: topics.slice(0, perPage), hasMore: topics.length > perPage }
}

/** How many topics are new to `viewer`, and how many have posts that they have not read. */
export async function countUnread(
  db: Kysely<ForumTables>,
  viewer: User,
  now: number,
): Promise<{ readonly new: number; readonly unread: number }> {
  const count = async (kind: 'new' | 'unread') => {
    const row = await readableTopics(db, undefined)
      .select((build) => build.fn.countAll<number>().as('topics'))
      .where(unreadState(kind, viewer, now))
      .executeTakeFirst()
    return Number(row?.topics ?? 0)
  }
  return { new: await count('new'), unread: await count('unread') }
}

/** How many topics were ever made, deleted ones and personal messages with them. */
export async function countTopics(db: Kysely<ForumTables>): Promise<number> {
  const row = await db
    .selectFrom('forum_topics')
    .select((build) => build.fn.countAll<number>().as('topics'))
    .executeTakeFirst()
  return Number(row?.topics ?? 0)
}

/** The tags of each of these topics, in alphabetical order. */
export async function tagsOf(
  db: Kysely<ForumTables>,
  topicIds: readonly number[],
): Promise<ReadonlyMap<number, readonly string[]>> {
  const tags = new Map<number, string[]>()
  if (topicIds.length === 0) return tags
  const rows = await db
    .selectFrom('forum_topic_tags')
    .selectAll()
    .where('topic_id', 'in', topicIds)
    .orderBy('tag')
    .execute()
  for (const row of rows) tags.set(row.topic_id, [...(tags.get(row.topic_id) ?? []), row.tag])
  return tags
}

const orderColumns = {
  activity: 'bumped_at',
  created: 'created_at',
  posts: 'posts_count',
  title: 'title_folded',
} as const

function unreadState(kind: 'new' | 'unread', viewer: User, now: number) {
  if (kind === 'new') {
    const since = Math.max(viewer.createdAt, now - newTopicWindowMs)
    return sql<boolean>`forum_topics.created_at > ${since} and not exists (
      select 1 from forum_reads where forum_reads.topic_id = forum_topics.id and forum_reads.user_id = ${viewer.id})`
  }
  return sql<boolean>`exists (
    select 1 from forum_reads where forum_reads.topic_id = forum_topics.id and forum_reads.user_id = ${viewer.id}
    and forum_reads.last_read_post_number < forum_topics.highest_post_number)`
}
