/** The front door: puts the rooms together. Start here to see how Hallpass is wired. */
import { randomUUID } from 'node:crypto'
import { type AccountRequest, createAccount } from '../domain/accounts.ts'
import { type ApiKeyRequest, createApiKey } from '../domain/api-keys.ts'
import type { CalendarFeed } from '../domain/calendar-subscription.ts'
import { createClientAddress } from '../domain/client-address.ts'
import type { DomainEvent } from '../domain/events.ts'
import { systemActor } from '../domain/events.ts'
import type { Clock, Connection, Directory, Domain, Log, LogEvent, Random } from '../domain/ports.ts'
import { RateLimiter } from '../domain/rate-limit.ts'
import { type PinnedSettings, SiteSettings } from '../domain/settings.ts'
import type { Store } from '../domain/store.ts'
import type { User } from '../domain/user.ts'
import { addActivationRoutes } from '../http/activation.ts'
import { addAdministrationRoutes } from '../http/administration.ts'
import { refused } from '../http/answer.ts'
import { addApiKeyRoutes } from '../http/api-keys.ts'
import { addAuditRoutes } from '../http/audit.ts'
import { addAuthorizationRoutes } from '../http/authorization.ts'
import { addCalendarSubscriptionRoutes } from '../http/calendar-subscriptions.ts'
import { withCaller } from '../http/caller-headers.ts'
import { addClientRoutes } from '../http/clients.ts'
import { answerPreflight, withCors } from '../http/cors.ts'
import { addDeviceRoutes } from '../http/device.ts'
import { addJobRoutes } from '../http/jobs.ts'
import { addKeyRoutes } from '../http/keys.ts'
import { addOAuthRoutes } from '../http/oauth.ts'
import { answerOneTimeEntrance } from '../http/one-time-entrance.ts'
import { addOneTimePasswordRoutes } from '../http/one-time-passwords.ts'
import { addOneTimeSignInRoutes } from '../http/one-time-sign-in.ts'
import { addPushRoutes } from '../http/push.ts'
import { addScopeRoutes } from '../http/scopes.ts'
import { createRouter, type Environment, type Service } from '../http/service.ts'
import { addSessionRoutes } from '../http/session.ts'
import { addSiteRoutes } from '../http/site.ts'
import { siteAddress } from '../http/site-address.ts'
import { appsJson } from '../http/user-json.ts'
import { type Visit, visitOf } from '../http/visit.ts'
import { argon2Hasher } from '../identity/argon2.ts'
import { localDirectory } from '../identity/local-directory.ts'
import { createBrowserSessions } from '../identity/sessions.ts'
import type { ApiKeyScopeDefinition } from '../protocol/api-key-scope-definition.ts'
import { createApiKeyScopeCatalogue } from '../protocol/api-key-scopes.ts'
import { refusal } from '../protocol/errors.ts'
import { normalizeRoute, type Route } from '../protocol/route.ts'
import type { RouteMatcher } from '../protocol/route-matcher.ts'
import { createScopeCatalogue, type OwnScope } from '../protocol/scopes.ts'
import { authenticate } from '../verify/authenticate.ts'
import { readCredentials } from '../verify/credentials.ts'
import { KeyCache } from '../verify/key-cache.ts'
import { LastUse } from '../verify/last-use.ts'
import { compileQueryCredentials, hasQueryCredentials } from '../verify/query-credentials.ts'
import { limitAddress } from '../verify/request-limits.ts'
import type { Hallpass } from './hallpass.ts'
import { hearOthers } from './hear-others.ts'
import { type PushOptions, startPushes } from './pushes.ts'
import { startJobs } from './start-jobs.ts'
import { systemClock, systemRandom, systemTimers } from './system.ts'

// What a site owner needs beside `createHallpass`, at the same address: `hallpass/server`.
export type { CalendarFeed } from '../domain/calendar-subscription.ts'
export type { PushNotification } from '../domain/push.ts'
export type { ApiKeyScopeDefinition } from '../protocol/api-key-scope-definition.ts'
export { openSqliteStore } from '../storage/open-store.ts'
export type { AuthenticateOptions, Hallpass } from './hallpass.ts'

export interface HallpassOptions extends PushOptions {
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
  /** The time. Default: the system's. */
  readonly clock?: Clock
  /** Randomness. Default: the system's cryptographic source. */
  readonly random?: Random
  /** How often last use is written, in milliseconds. Default 5000. A crash loses at most that much of it. */
  readonly flushIntervalMs?: number
  /**
   * How often the store is asked whether another process has changed something, in milliseconds. Default 100. A key
   * that another process revokes is refused once that has passed, and the time that the answer takes.
   */
  readonly hearOthersEveryMs?: number
  /** The server's log. Default: a line of JSON on the error stream for every event, with its time. */
  readonly log?: Log
  /** Hears of faults of Hallpass's own, each with the id that its answer names. Default: the error stream. */
  readonly onError?: (error: unknown, requestId: string) => void
}

/**
 * Opens Hallpass on a store.
 *
 * @throws TypeError for a base URL that is none, for pinned settings that the catalogue does not accept, and for API key
 * scopes that are there already or are not well-formed
 */
export async function createHallpass(options: HallpassOptions): Promise<Hallpass> {
  const { store, clock = systemClock, random = systemRandom, onError = reportOnErrorStream } = options
  const baseUrl = options.baseUrl === undefined ? undefined : checkBaseUrl(options.baseUrl)
  const clientAddress = createClientAddress(options.trustedProxies ?? [])
  const scopes = createScopeCatalogue(options.scopes)
  const settings = new SiteSettings(store, scopes, options.pinnedSettings)
  await settings.load()
  const directory: Directory = localDirectory(store)
  const cache = new KeyCache()
  const lastUse = new LastUse(store, clock)
  const domain: Domain = {
    store,
    directory,
    settings,
    scopes,
    apiKeyScopes: createApiKeyScopeCatalogue(options.apiKeyScopes),
    limiter: new RateLimiter(clock),
    log: options.log ?? logOnErrorStream,
    clock,
    random,
    passwords: argon2Hasher,
    events: { publish: (events) => hear(events) },
  }
  const isSecure = (request: Request): boolean => (baseUrl ?? request.url).startsWith('https:')
  const sessions = createBrowserSessions(domain, isSecure)
  const verifier = {
    domain,
    signIn: sessions,
    cache,
    lastUse,
    takesKeyInQuery: compileQueryCredentials(options.keyInQueryRoutes),
  }
  const jobs = startJobs(domain, {
    onSchedule: options.background ?? true,
    timers: options.timers ?? systemTimers,
    // A key that was used a moment ago is not unused, though the database cannot know it yet.
    before: () => lastUse.flush(),
    onError,
  })
  const service: Service = {
    domain,
    verifier,
    sessions,
    jobs: jobs.runner,
    baseUrl: (visit) => siteAddress(baseUrl, new URL(visit.request.url)),
    currentUserFields: options.currentUserFields ?? (async () => ({})),
    calendarFeeds: options.calendarFeeds ?? [],
    pushQueued: () => pushes.wake(),
  }
  const pushes = startPushes(domain, { ...options, baseUrl, onError: (error) => onError(error, 'push') })
  const router = createRouter()
  addSiteRoutes(router, service)
  addSessionRoutes(router, service)
  addAuthorizationRoutes(router, service)
  addDeviceRoutes(router, service)
  addActivationRoutes(router, service)
  addOneTimePasswordRoutes(router, service)
  addOneTimeSignInRoutes(router, service)
  addClientRoutes(router, service)
  addOAuthRoutes(router, service)
  addKeyRoutes(router, service)
  addAdministrationRoutes(router, service)
  addApiKeyRoutes(router, service)
  addPushRoutes(router, service)
  addJobRoutes(router, service)
  addAuditRoutes(router, service)
  addScopeRoutes(router, service)
  addCalendarSubscriptionRoutes(router, service)

  function hear(events: readonly DomainEvent[]): void {
    for (const event of events) {
      cache.apply(event)
      if (event.type === 'setting_changed') settings.apply(event.name, event.to)
    }
  }

  const flushing = setInterval(() => void flush(), options.flushIntervalMs ?? 5000)
  const stopHearing = hearOthers(store, {
    everyMs: options.hearOthersEveryMs ?? 100,
    forget: () => cache.clear(),
    reload: () => settings.load(),
    onError: (error) => onError(error, 'hear-others'),
  })
  flushing.unref()

  async function flush(): Promise<void> {
    await lastUse.flush().catch((error: unknown) => onError(error, 'last-use'))
  }

  async function answer(visit: Visit): Promise<Response | undefined> {
    const environment: Environment = { visit }
    try {
      const entrance = await answerOneTimeEntrance(service, visit)
      if (entrance) return entrance
      const response = await router.fetch(visit.request, environment)
      return environment.unhandled ? undefined : response
    } catch (error) {
      const requestId = randomUUID()
      onError(error, requestId)
      return refused(visit, refusal('internal', { request_id: requestId }), settings.current().title)
    }
  }

  /** The address as its sender knows it: behind a proxy, the process is asked by another one. */
  function publicUrl(request: Request): URL {
    const url = new URL(request.url)
    if (baseUrl === undefined) return url
    const { protocol, hostname, port } = new URL(baseUrl)
    return Object.assign(url, { protocol, hostname, port })
  }

  /** The address that limits and the audit log go by; the one place where it is decided. */
  function senderOf(request: Request, connection: Connection = unknownConnection): string | null {
    return clientAddress(connection.remoteAddress, request.headers)
  }

  /** Undefined for a path that can be read in two ways: it is none of Hallpass's routes. */
  function receive(request: Request, connection: Connection | undefined): Visit | undefined {
    const url = publicUrl(request)
    const normalized = normalizeRoute(request.method, url.pathname)
    if (normalized.outcome === 'ambiguous') return undefined
    return visitOf(request, url, normalized.route, { remoteAddress: senderOf(request, connection) })
  }

  const hallpass: Hallpass = {
    async handle(request, connection) {
      const preflight = answerPreflight(request, settings.current())
      if (preflight) return preflight
      const visit = receive(request, connection)
      const response = visit && (await answer(visit))
      return response && hallpass.withCors(request, response)
    },

    async fetch(request, connection) {
      const response = await hallpass.handle(request, connection)
      if (response) return response
      const limited = limitAddress(domain, senderOf(request, connection))
      return hallpass.refuse(request, limited ?? refusal('not_found', { what: 'such page' }))
    },

    async authenticate(request, options = {}) {
      const address = senderOf(request, options.connection)
      const limited = limitAddress(domain, address)
      if (limited) return { outcome: 'refused', refusal: limited }
      const { csrfToken, body } = (await options.readBody?.()) ?? options
      const url = publicUrl(request)
      const query = url.searchParams
      const normalized = normalizeRoute(request.method, url.pathname)
      const isAmbiguous = normalized.outcome === 'ambiguous'
      const route = isAmbiguous ? unreadableRoute(request, url) : normalized.route
      const inQuery = !isAmbiguous && hasQueryCredentials(query) && verifier.takesKeyInQuery(route)
      const credentials = readCredentials(request.headers, query, inQuery)
      if (isAmbiguous && (credentials.userApiKey !== undefined || credentials.apiKey !== undefined)) {
        // A key's scopes cannot be held against a path of two readings; a browser's visitor may have any.
        return { outcome: 'refused', refusal: normalized.refusal }
      }
      return authenticate(verifier, {
        request,
        route: { ...route, query, body: body ?? (request.body ? 'unread' : undefined) },
        credentials,
        csrfToken: csrfToken ?? request.headers.get('x-csrf-token') ?? undefined,
        revocationId: undefined,
        address,
      })
    },

    refuse(request, why) {
      const url = publicUrl(request)
      const normalized = normalizeRoute(request.method, url.pathname)
      const route = normalized.outcome === 'route' ? normalized.route : unreadableRoute(request, url)
      const response = refused(visitOf(request, url, route, unknownConnection), why, settings.current().title)
      return hallpass.withCors(request, response)
    },

    withCaller,
    withCors: (request, response) => withCors(request, response, settings.current()),

    csrf: (request) => sessions.csrf(request),
    settings: () => settings.current(),
    directory,
    appsOf: (user) => appsJson(domain, user),
    createAccount: (request: AccountRequest) => createAccount(domain, systemActor, request),
    createApiKey: (request: ApiKeyRequest) => createApiKey(domain, systemActor, request),

    pushNotification: pushes.push,
    jobs: {
      list: () => jobs.runner.states(),
      run: (name) => jobs.runner.run(name, systemActor),
    },

    async close() {
      stopHearing()
      clearInterval(flushing)
      await jobs.stop()
      await pushes.stop()
      await flush()
    },
  }
  return hallpass
}

const unknownConnection: Connection = { remoteAddress: null }

/** What stands in the place of a route where the path can be read in two ways. */
function unreadableRoute(request: Request, { pathname }: URL): Route {
  return { method: request.method.toUpperCase(), path: pathname, format: undefined, rawPath: pathname }
}

function checkBaseUrl(text: string): string {
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

function logOnErrorStream(event: LogEvent): void {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`)
}

function reportOnErrorStream(error: unknown, requestId: string): void {
  console.error(`request ${requestId} failed:`, error)
}
