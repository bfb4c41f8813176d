import { html } from 'hono/html'
import type { User } from '../../domain/user.ts'
import { excerptOf } from '../markdown.ts'
import { readNotificationData } from '../notification-json.ts'
import { type NotificationInTopic, notificationTypes } from '../notifications.ts'
import { postPath } from '../post-json.ts'
import type { PostInTopic } from '../posts.ts'
import { avatar, csrfField, type Html, pager, type Shell, timeTag } from './layout.ts'
import { viaApp } from './topic-page.ts'

/** What the page of a user shows. */
export interface UserPageModel {
  readonly user: User
  /** Whether it is the reader's own page. */
  readonly own: boolean
  /** Whether the reader may write to the user. */
  readonly mayWrite: boolean
  readonly activity: { readonly postCount: number; readonly topicCount: number }
  readonly posts: readonly PostInTopic[]
  readonly page: number
  readonly hasMore: boolean
  readonly now: number
}

/** A user: who they are, and what they wrote last. */
export function userPage(model: UserPageModel): Html {
  const { user } = model
  const path = `/u/${encodeURIComponent(user.username)}`
  return html`<header class="user-head">
${avatar(user.username, 72)}
<div>
<h1><bdi>${user.username}</bdi></h1>
<p class="meta">${user.name === '' || user.name === user.username ? '' : html`<span><bdi>${user.name}</bdi></span>`}${
    user.admin
      ? html`<span class="role">Administrator</span>`
      : user.moderator
        ? html`<span class="role">Moderator</span>`
        : ''
  }${user.createdAt === 0 ? '' : html`<span>Joined ${timeTag(user.createdAt, model.now)}</span>`}<span>${plural(model.activity.topicCount, 'topic')}, ${plural(model.activity.postCount, 'post')}</span></p>
</div>
<div class="actions">
${model.own ? html`<a class="button" href="${path}/notifications">Notifications</a><a class="button" href="${path}/messages">Messages</a><a class="button" href="${path}/preferences/apps">Apps</a>` : ''}
${model.mayWrite ? html`<a class="button" href="/new-message?username=${encodeURIComponent(user.username)}">Message</a>` : ''}
</div>
</header>
<h2 class="section">Recent posts</h2>
${model.posts.length === 0 ? html`<p class="empty">Nothing yet.</p>` : postList(model.posts, () => user, model.now)}
${pager(model.page, { first: 0, hasMore: model.hasMore, path: (page) => `${path}?page=${page}` })}`
}

/** Posts outside of their topics: where each stands, who wrote it, how it begins. */
export function postList(posts: readonly PostInTopic[], personOf: (id: string) => User, now: number): Html {
  return html`<ol class="cards">${posts.map((one) => {
    const author = personOf(one.post.user_id).username
    return html`<li class="card">
<h3><a href="${postPath(one)}"><bdi>${one.topic.title}</bdi></a></h3>
<p class="excerpt">${excerptOf(one.post.cooked, 220)}</p>
<p class="meta"><a class="last-poster" href="/u/${encodeURIComponent(author)}">${avatar(author, 20)}<bdi>${author}</bdi></a>${viaApp(one.post.via_app)}<span>${timeTag(one.post.created_at, now)}</span></p>
</li>`
  })}</ol>`
}

/** What the page of a user's notifications shows. */
export interface NotificationsPageModel {
  readonly shell: Shell
  readonly username: string
  readonly notifications: readonly NotificationInTopic[]
  readonly unread: number
  readonly page: number
  readonly hasMore: boolean
  readonly now: number
}

/** A user's notifications, newest first. */
export function notificationsPage(model: NotificationsPageModel): Html {
  const path = `/u/${encodeURIComponent(model.username)}/notifications`
  return html`<div class="page-head"><h1>Notifications</h1>
${
  model.unread === 0 || model.shell.csrfToken === undefined
    ? ''
    : html`<form method="post" action="/notifications/mark-read">${csrfField(model.shell)}<button class="button" type="submit">Mark all as read</button></form>`
}</div>
${
  model.notifications.length === 0
    ? html`<p class="empty">Nothing yet. Replies and mentions turn up here.</p>`
    : html`<ol class="cards">${model.notifications.map((one) => notificationItem(one, model.now))}</ol>`
}
${pager(model.page, { first: 0, hasMore: model.hasMore, path: (page) => `${path}?page=${page}` })}`
}

function notificationItem({ notification, topic }: NotificationInTopic, now: number): Html {
  const data = readNotificationData(notification.data)
  const who = String(data.display_username ?? '')
  const unread = notification.read === 0
  return html`<li class="card notification${unread ? ' unread' : ''}">
${avatar(who, 28)}
<div><p><bdi>${who}</bdi> ${verbs.get(notification.type) ?? 'wrote'} <a href="/t/${topic.slug}/${topic.id}/${notification.post_number}"><bdi>${topic.title}</bdi></a>${unread ? html`<span class="hidden"> (unread)</span>` : ''}</p>
<p class="meta">${timeTag(notification.created_at, now)}</p></div>
</li>`
}

const verbs: ReadonlyMap<number, string> = new Map([
  [notificationTypes.mentioned, 'mentioned you in'],
  [notificationTypes.replied, 'replied in'],
  [notificationTypes.quoted, 'quoted you in'],
  [notificationTypes.private_message, 'wrote to you in'],
])

function plural(count: number, what: string): string {
  return `${count} ${count === 1 ? what : `${what}s`}`
}
