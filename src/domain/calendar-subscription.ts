/** A user's calendar subscription: a key of a client that is always there, for the site's calendar feeds (protocol §8.7). */
import { commit } from './commit.ts'
import type { Actor } from './events.ts'
import { newUserApiKeyText } from './key-text.ts'
import type { Domain } from './ports.ts'
import type { UserApiKeyRecord } from './store.ts'
import { keyFacts, storeUserApiKey } from './store-key.ts'
import type { User } from './user.ts'

/** A calendar that the site serves to whoever has the key. */
export interface CalendarFeed {
  /** What the answer calls it, such as `bookmarks`. */
  readonly name: string
  /** The scope that permits it; the site need not offer it to apps. */
  readonly scope: string
  /** The feed's path for a user, such as `/u/sam/bookmarks.ics`. */
  readonly path: (user: User) => string
}

/** The client id that the protocol gives it. */
const clientId = 'calendar-subscriptions'

/** The user's subscription, if they have one. */
export async function findCalendarSubscription(
  { store, clock }: Domain,
  user: User,
): Promise<UserApiKeyRecord | undefined> {
  const now = clock.now()
  const keys = await store.userApiKeys.listByUser(user.id)
  return keys.find(
    (key) =>
      key.client.clientId === clientId &&
      key.revokedAt === null &&
      (key.expiresAt === null || key.expiresAt > now),
  )
}

/** Makes a subscription to all of `feeds` in the place of the user's earlier one. The key's text is told once, here. */
export async function subscribeToCalendar(
  domain: Domain,
  actor: Actor,
  user: User,
  feeds: readonly CalendarFeed[],
): Promise<{ readonly key: string }> {
  const { text, hash } = newUserApiKeyText(domain.random)
  await commit(domain, actor, async (session) => {
    const { events } = await storeUserApiKey(session, {
      userId: user.id,
      clientId,
      applicationName: 'Calendar subscription',
      keyHash: hash,
      scopes: [...new Set(feeds.map(({ scope }) => scope))].map((name) => ({
        name,
        allowedParameters: null,
      })),
      pushUrl: null,
      createdAt: domain.clock.now(),
      expiresAt: null,
    })
    return { result: undefined, events }
  })
  return { key: text }
}

/** Revokes the user's subscription; without one nothing happens. */
export async function unsubscribeFromCalendar(domain: Domain, actor: Actor, user: User): Promise<void> {
  const key = await findCalendarSubscription(domain, user)
  if (!key) return
  await commit(domain, actor, async (session) => {
    await session.userApiKeys.setRevokedAt(key.id, domain.clock.now())
    return { result: undefined, events: [{ type: 'user_api_key_revoked', ...keyFacts(key) }] }
  })
}
