import type { User } from '../domain/user.ts'
import { mayDeleteTopic, mayEditTopic } from './editing.ts'
import { avatarTemplate, type PersonOf, wireUserId } from './people.ts'
import { isoTime } from './post-json.ts'
import { postsPerPage } from './posts.ts'
import type { TopicRow } from './schema.ts'

/** What is the same for each topic in a list. */
export interface TopicListJsonOptions {
  readonly personOf: PersonOf
  readonly viewer: User | undefined
  readonly tags: ReadonlyMap<number, readonly string[]>
  /** How far the viewer has read each topic; those never opened are left out. */
  readonly lastRead: ReadonlyMap<number, number>
}

/** A topic in a list, by the wire's names. */
export function listedTopicJson(topic: TopicRow, options: TopicListJsonOptions): Record<string, unknown> {
  const { viewer, personOf } = options
  const lastRead = options.lastRead.get(topic.id)
  const authorId = wireUserId(topic.user_id)
  const lastPosterId = wireUserId(topic.last_poster_id)
  return {
    id: topic.id,
    title: topic.title,
    fancy_title: escapeHtml(topic.title),
    slug: topic.slug,
    posts_count: topic.posts_count,
    reply_count: topic.posts_count - 1,
    highest_post_number: topic.highest_post_number,
    created_at: isoTime(topic.created_at),
    last_posted_at: isoTime(topic.last_posted_at),
    bumped: topic.bumped_at > topic.created_at,
    bumped_at: isoTime(topic.bumped_at),
    archetype: topic.archetype,
    unseen: viewer !== undefined && lastRead === undefined,
    ...(lastRead === undefined
      ? {}
      : {
          last_read_post_number: lastRead,
          unread_posts: Math.max(0, topic.highest_post_number - lastRead),
          notification_level: 2,
        }),
    pinned: topic.pinned === 1,
    visible: true,
    closed: topic.closed === 1,
    archived: false,
    bookmarked: false,
    liked: false,
    like_count: 0,
    category_id: topic.category_id,
    tags: options.tags.get(topic.id) ?? [],
    last_poster_username: personOf(topic.last_poster_id).username,
    posters:
      authorId === lastPosterId
        ? [{ user_id: authorId, description: 'Original Poster, Most Recent Poster', extras: 'latest single' }]
        : [
            { user_id: authorId, description: 'Original Poster', extras: null },
            { user_id: lastPosterId, description: 'Most Recent Poster', extras: 'latest' },
          ],
  }
}

/** A user as lists name them. */
export function basicUserJson(user: User): Record<string, unknown> {
  return {
    id: wireUserId(user.id),
    username: user.username,
    name: user.name,
    avatar_template: avatarTemplate(user.username),
  }
}

/** A topic's own JSON, without the posts. */
export function topicJson(
  topic: TopicRow,
  options: {
    readonly personOf: PersonOf
    readonly viewer: User | undefined
    readonly tags: readonly string[]
    readonly lastRead: number | undefined
    /** Who takes part in a personal message; empty for a public topic. */
    readonly participants: readonly User[]
  },
): Record<string, unknown> {
  const { viewer, personOf } = options
  return {
    id: topic.id,
    title: topic.title,
    fancy_title: escapeHtml(topic.title),
    slug: topic.slug,
    archetype: topic.archetype,
    posts_count: topic.posts_count,
    reply_count: topic.posts_count - 1,
    highest_post_number: topic.highest_post_number,
    ...(options.lastRead === undefined ? {} : { last_read_post_number: options.lastRead }),
    created_at: isoTime(topic.created_at),
    last_posted_at: isoTime(topic.last_posted_at),
    visible: true,
    closed: topic.closed === 1,
    archived: false,
    pinned: topic.pinned === 1,
    pinned_globally: false,
    bookmarked: false,
    like_count: 0,
    category_id: topic.category_id,
    tags: options.tags,
    user_id: wireUserId(topic.user_id),
    deleted_at: null,
    chunk_size: postsPerPage,
    details: {
      created_by: basicUserJson(personOf(topic.user_id)),
      last_poster: basicUserJson(personOf(topic.last_poster_id)),
      notification_level: options.lastRead === undefined ? 1 : 2,
      can_edit: mayEditTopic(viewer, topic),
      can_delete: mayDeleteTopic(viewer, topic),
      can_create_post: viewer !== undefined && (topic.closed === 0 || viewer.admin || viewer.moderator),
      ...(topic.archetype === 'private_message'
        ? { allowed_users: options.participants.map(basicUserJson), allowed_groups: [] }
        : {}),
    },
  }
}

/** A text with the characters escaped that HTML gives a meaning to. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => escapes[character] ?? character)
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
