import { isStaff, type User } from '../domain/user.ts'
import { mayDeleteTopic, mayEditPost } from './editing.ts'
import { excerptOf } from './markdown.ts'
import { avatarTemplate, type PersonOf, wireUserId } from './people.ts'
import type { PostInTopic } from './posts.ts'

/** What a post's JSON needs besides the post. */
export interface PostJsonOptions {
  readonly personOf: PersonOf
  readonly viewer: User | undefined
  /** How many replies the post has had. Default 0. */
  readonly replyCount?: number
  /** Whether the Markdown is given beside the HTML. Default true. */
  readonly includeRaw?: boolean
}

/** A post by the wire's names, as clients expect it; `via_app` is ours: the app that wrote it, or null. */
export function postJson({ post, topic }: PostInTopic, options: PostJsonOptions): Record<string, unknown> {
  const { personOf, viewer } = options
  const author = personOf(post.user_id)
  const editable = mayEditPost(viewer, post)
  return {
    id: post.id,
    name: author.name,
    username: author.username,
    display_username: author.name === '' ? author.username : author.name,
    avatar_template: avatarTemplate(author.username),
    created_at: isoTime(post.created_at),
    updated_at: isoTime(post.updated_at),
    cooked: post.cooked,
    ...(options.includeRaw === false ? {} : { raw: post.raw }),
    post_number: post.post_number,
    post_type: 1,
    post_url: postPath({ post, topic }),
    reply_count: options.replyCount ?? 0,
    reply_to_post_number: post.reply_to_post_number,
    topic_id: topic.id,
    topic_slug: topic.slug,
    topic_title: topic.title,
    category_id: topic.category_id,
    user_id: wireUserId(post.user_id),
    user_title: null,
    admin: author.admin,
    moderator: author.moderator,
    staff: isStaff(author),
    trust_level: author.trustLevel,
    yours: viewer?.id === post.user_id,
    version: post.version,
    edit_reason: post.edit_reason,
    can_edit: editable,
    can_delete: post.post_number === 1 ? mayDeleteTopic(viewer, topic) : editable,
    hidden: false,
    deleted_at: null,
    actions_summary: [],
    via_app: post.via_app,
  }
}

/** An entry of `user_actions`: 4 is a new topic, 5 a reply. */
export function userActionJson({ post, topic }: PostInTopic, personOf: PersonOf): Record<string, unknown> {
  const author = personOf(post.user_id)
  const id = wireUserId(post.user_id)
  return {
    action_type: post.post_number === 1 ? 4 : 5,
    excerpt: excerptOf(post.cooked, 300),
    created_at: isoTime(post.created_at),
    avatar_template: avatarTemplate(author.username),
    acting_avatar_template: avatarTemplate(author.username),
    slug: topic.slug,
    topic_id: topic.id,
    title: topic.title,
    category_id: topic.category_id,
    archetype: topic.archetype,
    closed: topic.closed === 1,
    archived: false,
    deleted: false,
    hidden: false,
    post_id: post.id,
    post_number: post.post_number,
    post_type: 1,
    user_id: id,
    username: author.username,
    name: author.name,
    target_user_id: id,
    target_username: author.username,
    target_name: author.name,
    acting_user_id: id,
    acting_username: author.username,
    acting_name: author.name,
  }
}

/** The path of a post within its topic's page. */
export function postPath({ post, topic }: PostInTopic): string {
  return `/t/${topic.slug}/${topic.id}/${post.post_number}`
}

/** A time as the wire has it. */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
