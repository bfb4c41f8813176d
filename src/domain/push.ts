/**
 * Pushing notifications to the apps of a user (protocol §9). What is pushed goes into an outbox in the database first:
 * one entry for each address. `push-deliverer.ts` empties it.
 */
import type { Settings } from '../protocol/settings.ts'
import { commit } from './commit.ts'
import { type DomainEvent, systemActor } from './events.ts'
import { hasPush } from './has-push.ts'
import type { Domain } from './ports.ts'
import type { PushDeliveryRecord, StoreSession, UserApiKeyRecord } from './store.ts'
import { isSuspended } from './user.ts'
import { checkActive } from './user-api-keys.ts'

/** What a user is told, by the wire's names (protocol §9). */
export interface PushNotification {
  /** The wire's number for the kind of notification, such as 1 for a mention (protocol §17). */
  readonly notification_type: number
  /** The post it is about; null on a site without posts. */
  readonly post_number: number | null
  readonly topic_title: string
  /** The topic it is about; null on a site without topics. */
  readonly topic_id: number | null
  /** A few words of what happened, as plain text. */
  readonly excerpt: string
  /** Who caused it. */
  readonly username: string
  /** Where the user sees it: an absolute http or https address. */
  readonly url: string
}

/** The longest notification that is pushed, in characters of its JSON. Push services take some 4 KiB. */
const maximumNotificationLength = 16_384

/**
 * Queues a notification for every app of the user that has push: one entry in the outbox for each address, all in one
 * transaction. Answers with how many. Nothing is queued for somebody who is unknown, suspended or not active, nor while
 * the site does not offer the scope `push`.
 *
 * `siteUrl` is the site's address, without a slash at its end. Default: the origin of the notification's own address.
 *
 * @throws TypeError for a notification whose `url` is not absolute, or that is longer than 16 384 characters of JSON
 */
export async function pushNotification(
  domain: Domain,
  userId: string,
  notification: PushNotification,
  siteUrl: string = originOf(notification.url),
): Promise<number> {
  checkNotification(notification)
  const settings = domain.settings.current()
  // Most users have no app with push: they cost one read, and no transaction.
  if ((await pushingKeys(domain, domain.store, userId)).length === 0) return 0
  const now = domain.clock.now()
  return commit(domain, systemActor, async (session) => {
    const groups = Map.groupBy(
      activeKeys(await session.userApiKeys.listByUser(userId), settings, now),
      pushUrlOf,
    )
    const events: DomainEvent[] = []
    for (const [targetUrl, keys] of groups) {
      const body = JSON.stringify({
        url: siteUrl,
        title: settings.title,
        description: settings.site_description,
        notifications: clientIdsOf(keys).map((clientId) => wireNotification(notification, clientId)),
      } satisfies QueuedPush)
      await session.pushDeliveries.insert({ targetUrl, userId, body, createdAt: now })
      events.push(...(await makeRoom(session, targetUrl, settings.max_pushes_waiting_per_address, now)))
    }
    return { result: groups.size, events }
  })
}

/**
 * The body to send for a push from the outbox, as the protocol has it (§9). Whatever was taken back since it was queued
 * is left out: keys that were revoked or ran out, addresses that went off the list. Undefined when nothing is left.
 */
export async function bodyToSend(domain: Domain, push: PushDeliveryRecord): Promise<string | undefined> {
  const keys = await pushingKeys(domain, domain.store, push.userId)
  const clientIds = new Set(clientIdsOf(keys.filter((key) => key.pushUrl === push.targetUrl)))
  const { url, title, description, notifications } = JSON.parse(push.body) as QueuedPush
  const wanted = notifications.filter((notification) => clientIds.has(notification.client_id))
  if (wanted.length === 0) return undefined
  const secret = domain.settings.current().push_api_secret_key
  return JSON.stringify({ secret_key: secret, url, title, description, notifications: wanted })
}

/** What the outbox keeps of a push: its body but for `secret_key`. */
interface QueuedPush {
  readonly url: string
  readonly title: string
  readonly description: string
  readonly notifications: readonly (PushNotification & { readonly client_id: string })[]
}

/** The keys of a user that notifications are pushed for at this moment. */
async function pushingKeys(
  domain: Domain,
  session: StoreSession,
  userId: string,
): Promise<readonly UserApiKeyRecord[]> {
  const settings = domain.settings.current()
  if (!settings.allow_user_api_key_scopes.includes('push')) return []
  if (settings.allowed_user_api_push_urls.length === 0) return []
  const now = domain.clock.now()
  const keys = activeKeys(await session.userApiKeys.listByUser(userId), settings, now)
  if (keys.length === 0) return []
  const user = await domain.directory.findUserById(userId)
  return user?.active && !isSuspended(user, now) ? keys : []
}

/** Those of `keys` that notifications are pushed for, ordered by client id. */
function activeKeys(
  keys: readonly UserApiKeyRecord[],
  settings: Settings,
  now: number,
): readonly UserApiKeyRecord[] {
  const active = keys.filter((key) => {
    const scopes = key.scopes.map(({ name }) => name)
    return checkActive(key, now) === undefined && hasPush({ pushUrl: key.pushUrl, scopes }, settings)
  })
  const byClient = Map.groupBy(active, ({ client }) => client.clientId)
  return [...byClient.keys()].sort().flatMap((clientId) => byClient.get(clientId) ?? [])
}

/** Each client once, though a restored key can stand beside a newer one. */
function clientIdsOf(keys: readonly UserApiKeyRecord[]): readonly string[] {
  return [...new Set(keys.map(({ client }) => client.clientId))]
}

function pushUrlOf(key: UserApiKeyRecord): string {
  return key.pushUrl ?? ''
}

/** In the protocol's order, whatever else the object that was given holds. */
function wireNotification(
  notification: PushNotification,
  clientId: string,
): PushNotification & { readonly client_id: string } {
  return {
    notification_type: notification.notification_type,
    post_number: notification.post_number,
    topic_title: notification.topic_title,
    topic_id: notification.topic_id,
    excerpt: notification.excerpt,
    username: notification.username,
    url: notification.url,
    client_id: clientId,
  }
}

/** Gives up a tenth at a time, so that a receiver that is down for long leaves no line in the audit log for each push. */
async function makeRoom(
  session: StoreSession,
  targetUrl: string,
  limit: number,
  now: number,
): Promise<readonly DomainEvent[]> {
  const waiting = await session.pushDeliveries.countPending(targetUrl)
  if (waiting <= limit) return []
  const problem = `more than ${limit} were waiting for this address, and this was among the oldest`
  const count = waiting - limit + Math.floor(limit / 10)
  const deliveryIds = await session.pushDeliveries.dropOldest(targetUrl, { count, now, problem })
  return [{ type: 'push_delivery_dead', deliveryIds, targetUrl, problem }]
}

function checkNotification(notification: PushNotification): void {
  originOf(notification.url)
  if (JSON.stringify(wireNotification(notification, '')).length > maximumNotificationLength) {
    throw new TypeError(`a notification is at most ${maximumNotificationLength} characters of JSON`)
  }
}

function originOf(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new TypeError('the `url` of a notification must be an absolute http or https address')
  }
  return url.origin
}
