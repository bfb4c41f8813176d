import type { CalendarFeed } from '../domain/calendar-subscription.ts'
import type { User } from '../domain/user.ts'
import { addBookmark, type Bookmark, changeBookmark, deleteBookmark, listBookmarks } from './bookmarks.ts'
import { calendarText } from './calendar.ts'
import { excerptOf } from './markdown.ts'
import { avatarTemplate, findPerson, loadPeople } from './people.ts'
import { isoTime, postPath } from './post-json.ts'
import { findPost, findPostByNumber, type PostInTopic } from './posts.ts'
import { refuse, refuseNotFound } from './refused.ts'
import { calendar, idIn, json, pageOf, success } from './respond.ts'
import { readLine, readMoment } from './texts.ts'
import { escapeHtml } from './topic-json.ts'
import { findTopic } from './topics.ts'
import { type ForumParts, type ForumRouter, requireSelf, requireViewer, type Visit } from './visit.ts'

const perPage = 20

/** Where a user’s reminders are, for subscriptions to them. */
export const bookmarksCalendar: CalendarFeed = {
  name: 'bookmarks',
  scope: 'bookmarks_calendar',
  path: (user) => `/u/${encodeURIComponent(user.username.toLowerCase())}/bookmarks.ics`,
}

/** Posts that people keep, and their reminders as a calendar: `/bookmarks`, `/u/…/bookmarks`. */
export function addBookmarkRoutes(router: ForumRouter, forum: ForumParts): void {
  router.post('/bookmarks', async ({ env: { visit } }) => {
    const user = requireViewer(visit)
    const target = await targetOf(forum, visit)
    const id = await addBookmark(forum.db, user, target, { ...readText(visit), now: forum.clock.now() })
    return json({ success: 'OK', id })
  })
  router.put('/bookmarks/:id', async ({ env: { visit }, req }) => {
    const user = requireViewer(visit)
    const id = idIn(req.param('id'), 'bookmark')
    const change = { ...readText(visit), now: forum.clock.now() }
    return (await changeBookmark(forum.db, user, id, change))
      ? success()
      : refuseNotFound(`bookmark ${id} of yours`)
  })
  router.delete('/bookmarks/:id', async ({ env: { visit }, req }) => {
    const user = requireViewer(visit)
    const id = idIn(req.param('id'), 'bookmark')
    return (await deleteBookmark(forum.db, user, id))
      ? json({ success: 'OK', topic_bookmarked: false })
      : refuseNotFound(`bookmark ${id} of yours`)
  })
  for (const root of ['/u', '/users'] as const) {
    router.get(`${root}/:username/bookmarks`, async ({ env: { visit }, req }) => {
      const name = req.param('username')
      const found = (await findPerson(forum.directory, name)) ?? refuseNotFound(`user ${name.slice(0, 60)}`)
      const user = requireSelf(visit, found)
      return visit.route.format === 'ics' ? reminders(forum, user) : list(forum, visit, user)
    })
  }
}

/** The post that a bookmark is to mark; of a topic, its first. */
async function targetOf(forum: ForumParts, { parameters, viewer }: Visit): Promise<PostInTopic> {
  const id = parameters.number('bookmarkable_id') ?? parameters.number('post_id')
  if (id === undefined) {
    const example = 'bookmarkable_id=12&bookmarkable_type=Post'
    return refuse('parameters_missing', { missing: 'bookmarkable_id', first: 'bookmarkable_id', example })
  }
  const type = parameters.text('bookmarkable_type') ?? 'Post'
  if (type === 'Post') return (await findPost(forum.db, id, viewer)) ?? refuseNotFound(`post ${id}`)
  if (type !== 'Topic') {
    const problem = 'only posts and topics can be bookmarked'
    return refuse('parameter_invalid', { field: 'bookmarkable_type', problem, expected: '`Post` or `Topic`' })
  }
  const topic = await findTopic(forum.db, id, viewer)
  const post = topic && (await findPostByNumber(forum.db, topic.id, 1))
  return topic && post ? { topic, post } : refuseNotFound(`topic ${id}`)
}

function readText({ parameters }: Visit): { name: string; reminderAt: number | null } {
  return {
    name: readLine('name', parameters.text('name')),
    reminderAt: readMoment('reminder_at', parameters.text('reminder_at')),
  }
}

async function list(forum: ForumParts, visit: Visit, user: User): Promise<Response> {
  const page = pageOf(visit, 0)
  const found = await listBookmarks(forum.db, user, { offset: page * perPage, limit: perPage + 1 })
  const personOf = await loadPeople(
    forum.directory,
    found.map(({ target }) => target.post.user_id),
  )
  const path = `/u/${encodeURIComponent(user.username)}/bookmarks.json`
  return json({
    user_bookmark_list: {
      more_bookmarks_url: found.length > perPage ? `${path}?page=${page + 1}` : null,
      bookmarks: found
        .slice(0, perPage)
        .map((bookmark) => bookmarkJson(forum, bookmark, personOf(bookmark.target.post.user_id))),
    },
  })
}

function bookmarkJson(forum: ForumParts, { row, target }: Bookmark, author: User): Record<string, unknown> {
  const { post, topic } = target
  return {
    id: row.id,
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
    name: row.name === '' ? null : row.name,
    reminder_at: row.reminder_at === null ? null : isoTime(row.reminder_at),
    pinned: false,
    title: topic.title,
    fancy_title: escapeHtml(topic.title),
    excerpt: excerptOf(post.cooked, 300),
    bookmarkable_id: post.id,
    bookmarkable_type: 'Post',
    bookmarkable_url: forum.baseUrl + postPath(target),
    topic_id: topic.id,
    linked_post_number: post.post_number,
    deleted: false,
    hidden: false,
    category_id: topic.category_id,
    closed: topic.closed === 1,
    archived: false,
    slug: topic.slug,
    bookmarkable_user_username: author.username,
    bookmarkable_user_avatar_template: avatarTemplate(author.username),
  }
}

/** The first 500 reminders as a calendar. */
async function reminders(forum: ForumParts, user: User): Promise<Response> {
  const found = await listBookmarks(forum.db, user, { offset: 0, limit: 500, withReminder: true })
  const host = new URL(forum.baseUrl).host
  return calendar(
    calendarText(
      `${forum.hallpass.settings().title}: bookmarks`,
      found.map(({ row, target }) => ({
        uid: `bookmark-${row.id}@${host}`,
        summary: row.name === '' ? target.topic.title : row.name,
        description: excerptOf(target.post.cooked, 300),
        url: forum.baseUrl + postPath(target),
        at: row.reminder_at ?? row.created_at,
        changedAt: row.updated_at,
      })),
    ),
  )
}
