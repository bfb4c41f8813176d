import type { CalendarFeed } from '../domain/calendar-subscription.ts'
import type { LimitExchange } from '../domain/limit-exchange.ts'
import type { Observer } from '../domain/observation.ts'
import type { Clock, Log, Random } from '../domain/ports.ts'
import type { PinnedSettings } from '../domain/settings.ts'
import type { Store } from '../domain/store.ts'
import type { User } from '../domain/user.ts'
import type { HostUsers } from '../identity/host-users.ts'
import type { SignInOptions } from '../identity/sign-in-options.ts'
import type { ApiKeyScopeDefinition } from '../protocol/api-key-scope-definition.ts'
import type { RouteMatcher } from '../protocol/route-matcher.ts'
import type { OwnScope } from '../protocol/scopes.ts'
import type { PushOptions } from './pushes.ts'

/** What a site owner decides before Hallpass starts; what may change while it runs is a setting. */
export interface HallpassOptions extends PushOptions, Partial<HostUsers> {
  /** Where everything is kept. It stays the caller's to close. */
  readonly store: Store
  /**
   * The address that browsers and apps reach the site by, such as `https://forum.example.com`. Default: the address
   * that each request was sent to.
   */
  readonly baseUrl?: string
  /**
   * The proxies in front of the process, as IP addresses or ranges such as `10.0.0.0/8`. From these, and from nobody
   * else, `X-Forwarded-For` is believed: limits and the audit log go by the address that they say a request came from.
   * Default: none, and every request comes from the peer that the process talks to.
   */
  readonly trustedProxies?: readonly string[]
  /**
   * Where people sign in who have no password here: at an OpenID provider, at a site that speaks DiscourseConnect, or at
   * a proxy in front. A local account stands for each of them. Not for an application with users of its own. Default:
   * local accounts with passwords alone.
   */
  readonly signIn?: SignInOptions
  /** What the site adds to `current_user` in GET /session/current.json. Default: nothing. */
  readonly currentUserFields?: (user: User) => Promise<Record<string, unknown>>
  /**
   * Calendars (`.ics`) that the site serves to whoever has a key for them; users then get a subscription's address at
   * /calendar-subscriptions (protocol §8.7). Default: none.
   */
  readonly calendarFeeds?: readonly CalendarFeed[]
  /** Settings that nobody may change while the server runs, in the wire's text form. Default: none. */
  readonly pinnedSettings?: PinnedSettings
  /**
   * Scopes that API keys can have beside the protocol's, for the site's own routes. An administrator sees them in GET
   * /admin/api/keys/scopes and gives them to a key by `resource:action`. Default: none.
   */
  readonly apiKeyScopes?: readonly ApiKeyScopeDefinition[]
  /**
   * Scopes for the site's own routes, beside the protocol's. Apps can ask for one once the setting
   * allow_user_api_key_scopes lists it. Default: none.
   */
  readonly scopes?: readonly OwnScope[]
  /**
   * Routes of the site, beside the protocol's feeds and calendars, where a key counts in the address too, as
   * `user_api_key` or `api_key` (protocol §10.1). An address ends up in logs and histories: name only what programs
   * read that cannot send headers. Default: none.
   */
  readonly keyInQueryRoutes?: readonly RouteMatcher[]
  /**
   * The private key that signs identities for an application behind, in PEM form, on the curve P-256. Default: one that
   * is made on first use and kept in the store, where whoever reads the database can sign with it.
   */
  readonly signingKey?: string
  /**
   * Through what limits count together with those of other nodes, such as `redisLimits({ url })`. Default: through
   * nothing, and this process counts alone.
   */
  readonly sharedLimits?: LimitExchange
  /** The time. Default: the system's. */
  readonly clock?: Clock
  /** Randomness. Default: the system's cryptographic source. */
  readonly random?: Random
  /**
   * How often the use of keys is written, in milliseconds; 0 for at the end alone. Default: what the setting
   * usage_flush_seconds says. A crash loses at most that much of it.
   */
  readonly flushIntervalMs?: number
  /**
   * Whether other processes may change what is in the store, so that what is in memory counts only as long as the setting
   * revocation_bound_ms says. Default true. False only where no other process, not even a `hallpass` command, uses it.
   */
  readonly hearOthers?: boolean
  /** The server's log. Default: a line of JSON on the error stream for every event, with its time. */
  readonly log?: Log
  /**
   * Sees what happens: verifications, limits, the store, jobs, pushes, requests. `prometheusObserver` makes one. Default:
   * nobody, which costs nothing.
   */
  readonly observer?: Observer
  /**
   * Another path beside /hallpass/metrics where administrators read the observer's metrics, such as `/metrics`, which may be
   * one of the application's. Default: none.
   */
  readonly metricsPath?: string
  /** Hears of faults of Hallpass's own, each with the id that its answer names. Default: the error stream. */
  readonly onError?: (error: unknown, requestId: string) => void
}

/**
 * The application's own users, where the options bring them; undefined for local accounts.
 *
 * @throws TypeError where the options bring a part of what is needed
 */
export function hostUsersOf(options: HallpassOptions): HostUsers | undefined {
  const { currentUser, findUser, findUserByUsername, signInUrl, startSession } = options
  const given = { currentUser, findUser, findUserByUsername, signInUrl, startSession }
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && typeof value !== 'function') {
      throw new TypeError(`the option ${name} must be a function`)
    }
  }
  const named = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  if (named.length === 0) return undefined
  if (!currentUser || !findUser) {
    const missing = currentUser ? 'findUser' : findUser ? 'currentUser' : 'currentUser and findUser'
    throw new TypeError(
      `the option ${named.join(', ')} is for an application with users of its own, which needs ${missing} too`,
    )
  }
  return {
    currentUser,
    findUser,
    ...(findUserByUsername && { findUserByUsername }),
    ...(signInUrl && { signInUrl }),
    ...(startSession && { startSession }),
  }
}

/**
 * The origin of a configured base URL.
 *
 * @throws TypeError for what is none
 */
export function checkBaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (
    !url ||
    !/^https?:$/.test(url.protocol) ||
    url.search ||
    url.hash ||
    url.username ||
    url.pathname !== '/'
  ) {
    throw new TypeError(`the base URL must be an http or https address without path or query, not ${text}`)
  }
  return url.origin
}
