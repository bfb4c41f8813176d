import type { User } from '../domain/user.ts'
import { participantsOf } from './notification-plan.ts'
import { loadPeople, type PersonOf } from './people.ts'
import { postJson } from './post-json.ts'
import { loadPosts, type PostInTopic, postsPerPage, replyCounts, streamOf } from './posts.ts'
import { lastReadOf } from './reading.ts'
import type { CategoryRow, TopicRow } from './schema.ts'
import { basicUserJson, listedTopicJson, topicJson } from './topic-json.ts'
import { tagsOf } from './topics.ts'
import type { ForumParts } from './visit.ts'

/** A list of topics with all that showing it takes. */
export interface TopicListView {
  readonly topics: readonly TopicRow[]
  readonly personOf: PersonOf
  readonly tags: ReadonlyMap<number, readonly string[]>
  readonly lastRead: ReadonlyMap<number, number>
}

/** Gathers what showing `topics` to `viewer` takes. */
export async function viewTopicList(
  forum: ForumParts,
  topics: readonly TopicRow[],
  viewer: User | undefined,
): Promise<TopicListView> {
  const ids = topics.map((topic) => topic.id)
  return {
    topics,
    personOf: await loadPeople(
      forum.directory,
      topics.flatMap((topic) => [topic.user_id, topic.last_poster_id]),
    ),
    tags: await tagsOf(forum.db, ids),
    lastRead: viewer === undefined ? new Map() : await lastReadOf(forum.db, viewer, ids),
  }
}

/** A list of topics as clients read it. */
export function topicListJson(
  view: TopicListView,
  options: {
    readonly viewer: User | undefined
    /** Path and query of the next page; undefined on the last. */
    readonly moreUrl: string | undefined
    readonly perPage: number
  },
): Record<string, unknown> {
  const users = new Set(view.topics.flatMap((topic) => [topic.user_id, topic.last_poster_id]))
  return {
    users: [...users].map((id) => basicUserJson(view.personOf(id))),
    primary_groups: [],
    topic_list: {
      can_create_topic: options.viewer !== undefined,
      ...(options.moreUrl === undefined ? {} : { more_topics_url: options.moreUrl }),
      per_page: options.perPage,
      topics: view.topics.map((topic) => listedTopicJson(topic, { ...view, viewer: options.viewer })),
    },
  }
}

/** A topic with one page of its posts. */
export interface TopicView {
  readonly topic: TopicRow
  readonly category: CategoryRow | undefined
  /** The ids of all posts that are there, in order. */
  readonly stream: readonly number[]
  readonly posts: readonly PostInTopic[]
  /** From 1. */
  readonly page: number
  readonly pages: number
  readonly personOf: PersonOf
  readonly replies: ReadonlyMap<number, number>
  readonly tags: readonly string[]
  readonly lastRead: number | undefined
  /** Who takes part in a personal message; empty for a public topic. */
  readonly participants: readonly User[]
}

/** Which posts of a topic to show: a page (from 1), the page that holds a post, or certain posts. */
export type TopicSlice =
  | { readonly page: number }
  | { readonly postNumber: number }
  | { readonly postIds: readonly number[] }

/** Gathers a topic, which `viewer` may read, and the posts in `slice`. */
export async function viewTopic(
  forum: ForumParts,
  topic: TopicRow,
  viewer: User | undefined,
  slice: TopicSlice,
): Promise<TopicView> {
  const stream = await streamOf(forum.db, topic.id)
  const pages = Math.max(1, Math.ceil(stream.length / postsPerPage))
  const page =
    'page' in slice ? slice.page : 'postNumber' in slice ? await pageOfPost(forum, topic, slice) : 1
  const inTopic = new Set(stream)
  const ids =
    'postIds' in slice
      ? slice.postIds.filter((id) => inTopic.has(id))
      : stream.slice((page - 1) * postsPerPage, page * postsPerPage)
  const posts = await loadPosts(forum.db, ids, viewer)
  const participants =
    topic.archetype === 'private_message' ? await participantsOf(forum.db, topic.id) : new Set<string>()
  const personOf = await loadPeople(forum.directory, [
    topic.user_id,
    topic.last_poster_id,
    ...posts.map(({ post }) => post.user_id),
    ...participants,
  ])
  return {
    topic,
    category:
      topic.category_id === null
        ? undefined
        : await forum.db
            .selectFrom('forum_categories')
            .selectAll()
            .where('id', '=', topic.category_id)
            .executeTakeFirst(),
    stream,
    posts,
    page,
    pages,
    personOf,
    replies: await replyCounts(
      forum.db,
      topic.id,
      posts.map(({ post }) => post.post_number),
    ),
    tags: (await tagsOf(forum.db, [topic.id])).get(topic.id) ?? [],
    lastRead:
      viewer === undefined ? undefined : (await lastReadOf(forum.db, viewer, [topic.id])).get(topic.id),
    participants: [...participants].map(personOf),
  }
}

/** The `post_stream` of a topic. */
export function postStreamJson(
  view: TopicView,
  options: { readonly viewer: User | undefined; readonly includeRaw: boolean; readonly withStream: boolean },
): Record<string, unknown> {
  return {
    posts: view.posts.map((one) =>
      postJson(one, {
        personOf: view.personOf,
        viewer: options.viewer,
        replyCount: view.replies.get(one.post.post_number) ?? 0,
        includeRaw: options.includeRaw,
      }),
    ),
    ...(options.withStream ? { stream: view.stream } : {}),
  }
}

/** A topic as clients read it. */
export function topicViewJson(
  view: TopicView,
  options: { readonly viewer: User | undefined; readonly includeRaw: boolean },
): Record<string, unknown> {
  return {
    post_stream: postStreamJson(view, { ...options, withStream: true }),
    ...topicJson(view.topic, { ...view, viewer: options.viewer }),
  }
}

async function pageOfPost(
  forum: ForumParts,
  topic: TopicRow,
  slice: { readonly postNumber: number },
): Promise<number> {
  const row = await forum.db
    .selectFrom('forum_posts')
    .select((build) => build.fn.countAll<number>().as('before'))
    .where('topic_id', '=', topic.id)
    .where('deleted_at', 'is', null)
    .where('post_number', '<', slice.postNumber)
    .executeTakeFirst()
  const before = Math.min(Number(row?.before ?? 0), Math.max(0, topic.posts_count - 1))
  return Math.floor(before / postsPerPage) + 1
}
