import { type NotificationInTopic, notificationTypes, type UnreadCounts } from './notifications.ts'
import { wireUserId } from './people.ts'
import { isoTime } from './post-json.ts'
import { escapeHtml } from './topic-json.ts'

/** A notification by the wire's names (protocol §17). */
export function notificationJson({ notification, topic }: NotificationInTopic): Record<string, unknown> {
  return {
    id: notification.id,
    user_id: wireUserId(notification.user_id),
    notification_type: notification.type,
    read: notification.read === 1,
    high_priority: notification.type === notificationTypes.private_message,
    created_at: isoTime(notification.created_at),
    post_number: notification.post_number,
    topic_id: notification.topic_id,
    slug: topic.slug,
    fancy_title: escapeHtml(topic.title),
    data: readNotificationData(notification.data),
  }
}

/** The `data` of a stored notification. */
export function readNotificationData(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text)
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

/** What `/session/current.json` says of a user's notifications, by the wire's names. */
export function unreadFields(counts: UnreadCounts): Record<string, unknown> {
  const messages = counts.byType.get(notificationTypes.private_message) ?? 0
  return {
    unread_notifications: counts.all - messages,
    unread_high_priority_notifications: messages,
    all_unread_notifications_count: counts.all,
    grouped_unread_notifications: Object.fromEntries(counts.byType),
    new_personal_messages_notifications_count: counts.unseenMessages,
    seen_notification_id: counts.seenNotificationId,
    reviewable_count: 0,
    unseen_reviewable_count: 0,
  }
}
