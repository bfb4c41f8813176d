import type { Generated, Selectable } from 'kysely'

/**
 * The forum's tables. Booleans are integers (0, 1); times are milliseconds since the Unix epoch; user ids are the
 * directory's opaque strings, so no foreign key leads to a table of users.
 */
export type ForumTables = {
  forum_categories: CategoriesTable
  forum_topics: TopicsTable
  forum_topic_tags: TopicTagsTable
  forum_topic_recipients: TopicRecipientsTable
  forum_posts: PostsTable
  forum_notifications: NotificationsTable
  forum_readers: ReadersTable
  forum_reads: ReadsTable
  forum_drafts: DraftsTable
  forum_bookmarks: BookmarksTable
  forum_statuses: StatusesTable
}

interface CategoriesTable {
  id: Generated<number>
  name: string
  slug: string
  /** Six hexadecimal digits. */
  color: string
  description: string
  position: number
  created_at: number
}

interface TopicsTable {
  id: Generated<number>
  title: string
  /** The title in lower case: databases differ in how they fold letters, so it is done before storing. */
  title_folded: string
  slug: string
  archetype: 'regular' | 'private_message'
  /** Null for a personal message. */
  category_id: number | null
  user_id: string
  closed: number
  pinned: number
  created_at: number
  bumped_at: number
  last_posted_at: number
  last_poster_id: string
  /** Posts that are not deleted. */
  posts_count: number
  /** The number of the newest post ever made, deleted or not. */
  highest_post_number: number
  deleted_at: number | null
}

interface TopicTagsTable {
  topic_id: number
  tag: string
}

/** Who takes part in a personal message, its author among them. */
interface TopicRecipientsTable {
  topic_id: number
  user_id: string
}

interface PostsTable {
  id: Generated<number>
  topic_id: number
  post_number: number
  user_id: string
  raw: string
  /** `raw` in lower case, for the search. */
  raw_folded: string
  /** `raw` as HTML, safe to send. */
  cooked: string
  reply_to_post_number: number | null
  /** The name of the app that made it with a user API key. */
  via_app: string | null
  version: number
  edit_reason: string | null
  created_at: number
  updated_at: number
  deleted_at: number | null
}

interface NotificationsTable {
  id: Generated<number>
  user_id: string
  /** The wire's number (protocol §17). */
  type: number
  read: number
  topic_id: number
  post_number: number
  /** JSON text of the wire's `data`. */
  data: string
  created_at: number
}

/** How far somebody has looked at the list of their notifications. */
interface ReadersTable {
  user_id: string
  seen_notification_id: number
}

/** How far somebody has read a topic. */
interface ReadsTable {
  user_id: string
  topic_id: number
  last_read_post_number: number
}

interface DraftsTable {
  user_id: string
  draft_key: string
  sequence: number
  /** JSON text, as the client sent it. */
  data: string
  created_at: number
  updated_at: number
}

/** The posts that somebody keeps, with what they want to remember of them. */
interface BookmarksTable {
  id: Generated<number>
  user_id: string
  post_id: number
  /** Empty when there is none. */
  name: string
  /** When they want to be reminded; null for never. */
  reminder_at: number | null
  created_at: number
  updated_at: number
}

/** What people say they are doing. */
interface StatusesTable {
  user_id: string
  emoji: string
  description: string
  /** Null for until they clear it. */
  ends_at: number | null
}

export type CategoryRow = Selectable<CategoriesTable>
export type TopicRow = Selectable<TopicsTable>
export type PostRow = Selectable<PostsTable>
export type NotificationRow = Selectable<NotificationsTable>
export type BookmarkRow = Selectable<BookmarksTable>
