import type { User } from '../domain/user.ts'
import { notificationJson, unreadFields } from './notification-json.ts'
import {
  countNotifications,
  countUnreadNotifications,
  findSeenNotificationId,
  listNotifications,
  markRead,
  markSeen,
  type NotificationListFilter,
  notificationTypes,
} from './notifications.ts'
import { notificationsPage } from './pages/user-pages.ts'
import { refuseNotFound } from './refused.ts'
import { renderPage } from './render.ts'
import { json, limitOf, pageOf, seeOther, success } from './respond.ts'
import { countUnread } from './topics.ts'
import { type ForumParts, type ForumRouter, requireViewer, type Visit } from './visit.ts'

/** Notifications: `/notifications…`. */
export function addNotificationRoutes(router: ForumRouter, forum: ForumParts): void {
  router.get('/notifications', async ({ env: { visit } }) => {
    const user = requireViewer(visit)
    const { parameters } = visit
    const limit = limitOf(parameters.number('limit'), 30, 60)
    const filter = parameters.text('filter')
    const state: NotificationListFilter['state'] = filter === 'read' || filter === 'unread' ? filter : 'all'
    const offset = parameters.number('offset') ?? 0
    const seenNotificationId = await findSeenNotificationId(forum.db, user)
    const recent = parameters.flag('recent')
    const listed = await listNotifications(forum.db, user, { state, limit, offset: recent ? 0 : offset })
    const notifications = listed.map(notificationJson)
    if (recent) {
      // An app that only looks whether something came says `silent`; else the user has it before their eyes.
      if (!parameters.flag('silent')) await markSeen(forum.db, user)
      return json({ notifications, seen_notification_id: seenNotificationId })
    }
    const more = new URLSearchParams({
      offset: String(offset + limit),
      limit: String(limit),
      ...(state === 'all' ? {} : { filter: state }),
    })
    return json({
      notifications,
      total_rows_notifications: await countNotifications(forum.db, user),
      seen_notification_id: seenNotificationId,
      load_more_notifications: `/notifications?${more}`,
    })
  })
  router.get('/notifications/totals', async ({ env: { visit } }) => {
    const user = requireViewer(visit)
    const counts = await countUnreadNotifications(forum.db, user)
    const fields = unreadFields(counts)
    return json({
      unread_notifications: fields.unread_notifications,
      unread_personal_messages: counts.byType.get(notificationTypes.private_message) ?? 0,
      unseen_reviewables: 0,
      topic_tracking: await countUnread(forum.db, user, forum.clock.now()),
      group_inboxes: [],
      username: user.username,
    })
  })
  const mark = async (visit: Visit) => {
    const user = requireViewer(visit)
    const id = visit.parameters.number('id')
    const found = await markRead(forum.db, user, id)
    if (id !== undefined && !found) return refuseNotFound(`notification ${id} of yours`)
    if (visit.wantsPage) return seeOther(`/u/${encodeURIComponent(user.username)}/notifications`)
    return success()
  }
  for (const path of ['/notifications/mark-read', '/notifications/read'] as const) {
    router.put(path, ({ env: { visit } }) => mark(visit))
  }
  // What a form can send.
  router.post('/notifications/mark-read', ({ env: { visit } }) => mark(visit))
}

/** Answers with the page of the notifications of `user`, who asks for it. */
export async function showNotifications(forum: ForumParts, visit: Visit, user: User): Promise<Response> {
  const page = pageOf(visit, 0)
  const perPage = 30
  const limit = perPage + 1
  const notifications = await listNotifications(forum.db, user, { offset: page * perPage, limit })
  if (!visit.wantsPage) return json({ notifications: notifications.slice(0, perPage).map(notificationJson) })
  const { all: unread } = await countUnreadNotifications(forum.db, user)
  if (visit.request.method === 'GET') await markSeen(forum.db, user)
  return renderPage(forum, visit, { title: 'Notifications' }, (shell) =>
    notificationsPage({
      shell,
      username: user.username,
      notifications: notifications.slice(0, perPage),
      unread,
      page,
      hasMore: notifications.length > perPage,
      now: forum.clock.now(),
    }),
  )
}
