/** The front door: puts the rooms together. Start here to see how Hallpass is wired. */
import { randomUUID } from 'node:crypto'
import { createAccount } from '../domain/accounts.ts'
import { addressMatcher } from '../domain/address.ts'
import { createApiKey } from '../domain/api-keys.ts'
import type { CacheChange } from '../domain/changes.ts'
import { createClientAddress } from '../domain/client-address.ts'
import { commit } from '../domain/commit.ts'
import { type DomainEvent, systemActor } from '../domain/events.ts'
import { guardStore } from '../domain/guarded-store.ts'
import { noObserver } from '../domain/observation.ts'
import { observedStore } from '../domain/observed-store.ts'
import type { Domain, LogEvent } from '../domain/ports.ts'
import { RateLimiter } from '../domain/rate-limit.ts'
import { oneTimePasswordScope } from '../domain/seal-one-time-password.ts'
import { SiteSettings } from '../domain/settings.ts'
import { createSigningKeys } from '../domain/signing-keys.ts'
import { StoreUnavailable } from '../domain/store.ts'
import { knownTrace, traceOf } from '../domain/trace.ts'
import { tracedStore } from '../domain/tracing.ts'
import type { ForwardAuthParts } from '../edge/forward-auth.ts'
import { createIdentitySigner } from '../edge/identity-token.ts'
import { withCaller } from '../http/caller-headers.ts'
import { withCors } from '../http/cors.ts'
import { createRoutes } from '../http/routes.ts'
import type { Service } from '../http/service.ts'
import { siteAddress } from '../http/site-address.ts'
import { appsJson } from '../http/user-json.ts'
import type { Visit } from '../http/visit.ts'
import { argon2Hasher } from '../identity/argon2.ts'
import { HostUsersError } from '../identity/host-users.ts'
import { createApiKeyScopeCatalogue } from '../protocol/api-key-scopes.ts'
import { refusal } from '../protocol/errors.ts'
import { createScopeCatalogue } from '../protocol/scopes.ts'
import { isUnavailable } from '../storage/unavailable.ts'
import { KeyCache } from '../verify/key-cache.ts'
import { LastUse } from '../verify/last-use.ts'
import { compileQueryCredentials } from '../verify/query-credentials.ts'
import { limitAddress } from '../verify/request-limits.ts'
import { createScopeTables } from '../verify/scope-tables.ts'
import { Trust, unconditionalTrust } from '../verify/trust.ts'
import { UnknownKeys } from '../verify/unknown-keys.ts'
import { createImmediateAnswers } from './answer-now.ts'
import { createAnswering, putIntoWords } from './answering.ts'
import { createFaultRefusals } from './fault-refusals.ts'
import type { Hallpass } from './hallpass.ts'
import { hearOthers, latestChange } from './hear-others.ts'
import { checkBaseUrl, type HallpassOptions, hostUsersOf } from './options.ts'
import { hostPeople, localPeople, type PeopleOptions } from './people.ts'
import { startPushes } from './pushes.ts'
import { createRequestReader } from './requests.ts'
import { shareLimits } from './shared-limits.ts'
import { startJobs } from './start-jobs.ts'
import { repeatedly, systemClock, systemRandom, systemTimers } from './system.ts'
import { tellOfChanges } from './tell-changes.ts'
import { createRequestTeller } from './tell-requests.ts'
import { openTracing } from './tracing.ts'

// What a site owner needs beside `createHallpass`, at the same address: `hallpass/server`.
export type { CalendarFeed } from '../domain/calendar-subscription.ts'
export type { LimitExchange } from '../domain/limit-exchange.ts'
export type {
  AnsweredRequest,
  CacheAnswer,
  CredentialKind,
  Exposition,
  JobResult,
  Observer,
  PushResult,
  Readings,
  RefusedRequest,
  VerificationResult,
} from '../domain/observation.ts'
export type { PushNotification } from '../domain/push.ts'
export type { Store } from '../domain/store.ts'
export { UniqueViolation } from '../domain/store.ts'
export type { HostUser } from '../identity/host-users.ts'
export type {
  DiscourseConnectOptions,
  OpenIdConnectOptions,
  ProxyHeaderOptions,
  SignInOptions,
} from '../identity/sign-in-options.ts'
export type { ApiKeyScopeDefinition } from '../protocol/api-key-scope-definition.ts'
export type { RouteMatcher } from '../protocol/route-matcher.ts'
export type { OwnScope } from '../protocol/scopes.ts'
export { openPostgresStore, openSqliteStore } from '../storage/open-store.ts'
export { defineConfig, type HallpassConfig, type LocalSignInConfig } from './config.ts'
export type { AuthenticateOptions, Hallpass } from './hallpass.ts'
export type { HallpassOptions } from './options.ts'
export { type PrometheusObserver, type PrometheusOptions, prometheusObserver } from './prometheus-observer.ts'
export { type RedisLimitsOptions, redisLimits } from './redis-limits.ts'

/**
 * Opens Hallpass on a store.
 *
 * @throws TypeError for a base URL that is none, for pinned settings that the catalogue does not accept, for scopes that
 * are there already or are not well-formed, and where only a part is given of what users of the application's own need
 */
export async function createHallpass(options: HallpassOptions): Promise<Hallpass> {
  const { clock = systemClock, random = systemRandom, timers = systemTimers } = options
  const { observer = noObserver } = options
  const tracing = await openTracing()
  const traced = tracing ? tracedStore(options.store, tracing) : options.store
  const seen = observer.isOn ? observedStore(traced, observer) : traced
  if (observer !== noObserver) options.store.observe?.(observer)
  const { onError = reportOnErrorStream } = options
  const baseUrl = options.baseUrl === undefined ? undefined : checkBaseUrl(options.baseUrl)
  const users = hostUsersOf(options)
  // One that nobody could be signed in by is not to be had.
  const hasOneTimePasswords = users
    ? users.startSession !== undefined
    : options.signIn?.method !== 'proxy-header'
  const scopes = createScopeCatalogue(options.scopes, hasOneTimePasswords ? [] : [oneTimePasswordScope])
  const store = guardStore(seen, {
    timeoutMs: () => settings.current().store_timeout_ms,
    isUnavailable,
  })
  const settings: SiteSettings = new SiteSettings(store, scopes, options.pinnedSettings)
  options.store.giveUpAfter?.(() => settings.current().store_timeout_ms)
  const isAlone = options.hearOthers === false
  const trust = isAlone ? unconditionalTrust() : new Trust(() => settings.current().revocation_bound_ms)
  const startsAt = isAlone ? 0 : await latestChange(store, trust)
  await settings.load()
  const cache = new KeyCache({
    capacity: () => settings.current().key_cache_size,
    isTrusted: () => trust.holds(),
  })
  const unknownKeys = new UnknownKeys(clock, () => trust.holds())

  const isSecure = (request: Request): boolean => (baseUrl ?? request.url).startsWith('https:')
  const addressOf = (visit: Visit): string => siteAddress(baseUrl, new URL(visit.request.url))
  const trustedProxies = options.trustedProxies ?? []
  const clientAddress = createClientAddress(trustedProxies)
  const isTrustedProxy = addressMatcher(trustedProxies)
  const requests = createRequestReader({ baseUrl, clientAddress, isTrustedProxy })
  const { isFromProxy } = requests
  const parts = { store, settings, clock, random, timers, isSecure, isFromProxy, baseUrl: addressOf }
  const peopleOptions: PeopleOptions = { ...parts, domain: () => domain }
  const people = users ? hostPeople(users, peopleOptions) : localPeople(peopleOptions, options.signIn)
  const { visitors, directory } = people

  const lastUse = new LastUse(store, clock, {
    batchSize: () => settings.current().usage_batch_size,
    onFull: () => void flush(),
  })
  const domain: Domain = {
    store,
    directory,
    settings,
    scopes,
    apiKeyScopes: createApiKeyScopeCatalogue(options.apiKeyScopes),
    limiter: new RateLimiter(clock, { onLimited: (limit) => observer.limited(limit) }),
    observer,
    tracing,
    log: options.log ?? logOnErrorStream,
    clock,
    random,
    passwords: argon2Hasher,
    events: { origin: randomUUID(), publish: (events) => hear(events) },
  }
  const verifier = {
    domain,
    signIn: visitors,
    cache,
    ownersLastMs: people.ownersLastMs,
    lastUse,
    unknownKeys,
    trust,
    catchUp: async () => bus?.catchUp(),
    ownersAreAccounts: people.hasAccounts,
    scopeTables: createScopeTables(domain),
    takesKeyInQuery: compileQueryCredentials(options.keyInQueryRoutes),
  }
  observer.watch({
    cachedKeys: () => cache.size,
    busAgeMs: () => (isAlone ? undefined : trust.ageMs()),
    isBusTrusted: () => trust.holds(),
    outbox: () => options.store.pushDeliveries.counts(),
  })
  const tell = createRequestTeller(observer, clientAddress)
  const sharedLimits = options.sharedLimits
    ? await shareLimits(domain, options.sharedLimits, (error) => onError(error, 'limits'))
    : undefined
  const signingKeys = createSigningKeys(domain, options.signingKey)
  const sign = createIdentitySigner(signingKeys)
  const jobs = startJobs(domain, {
    onSchedule: options.background ?? true,
    timers,
    // A key that was used a moment ago is not unused, though the database cannot know it yet.
    before: () => lastUse.flush(),
    onError,
  })
  const pushes = startPushes(domain, { ...options, baseUrl, onError: (error) => onError(error, 'push') })
  const service: Service = {
    domain,
    verifier,
    visitors,
    signInAddress: people.signInAddress,
    signOutPath: people.signOutPath,
    jobs: jobs.runner,
    signingKeys,
    baseUrl: addressOf,
    hasConfiguredAddress: baseUrl !== undefined,
    currentUserFields: options.currentUserFields,
    calendarFeeds: options.calendarFeeds ?? [],
    pushQueued: () => pushes.wake(),
    expose: observer.expose,
    metricsPaths: ['/hallpass/metrics', ...(options.metricsPath === undefined ? [] : [options.metricsPath])],
    limitsStatus: () => sharedLimits?.status(),
  }
  const routes = createRoutes(service, people)
  // So that nobody who asks later waits for it. The first answer is not kept waiting either.
  const stopLoading = systemTimers.after(loadRoutesAfterMs, () => {
    routes.load().catch((error: unknown) => onError(error, 'routes'))
  })
  const forwardAuth: ForwardAuthParts = {
    verifier,
    isTrustedProxy,
    senderOf: (headers, { remoteAddress }) => clientAddress(remoteAddress, headers),
    publicUrl: (request) => requests.arrival(request).url,
    refuse: (request, route, why) => {
      const { url, query, ambiguous, connection } = requests.arrival(request)
      return putIntoWords(service, requests.visit(request, { url, query, route, ambiguous, connection }), why)
    },
  }
  const immediate = createImmediateAnswers({
    service,
    forwardAuth,
    clientAddress,
    mayBeOwn: (route, query) => routes.mayAnswer(route, query),
  })
  const refusalOf = createFaultRefusals(onError)
  const { respond, decide } = createAnswering({
    service,
    requests,
    routes,
    forwardAuth,
    immediate,
    hasOneTimePasswords,
    refusalOf,
  })

  function hear(events: readonly DomainEvent[]): void {
    for (const event of events) {
      cache.apply(event)
      unknownKeys.apply(event)
      if (event.type === 'setting_changed') settings.apply(event.name, event.to)
    }
  }

  function forget(change: CacheChange): void {
    cache.forget(change)
    unknownKeys.forget(change)
    if (change.kind === 'signing_keys') signingKeys.forget()
  }

  function forgetAll(): void {
    cache.clear()
    unknownKeys.clear()
    signingKeys.forget()
  }

  const flushEveryMs = (): number => options.flushIntervalMs ?? settings.current().usage_flush_seconds * 1000
  const stopFlushing = repeatedly(flushEveryMs, () => void flush())

  async function flush(): Promise<void> {
    await lastUse.flush().catch((error: unknown) => onError(error, 'last-use'))
  }

  const bus = isAlone
    ? undefined
    : await hearOthers(store, startsAt, {
        trust,
        heartbeatMs: () => settings.current().revocation_bound_ms / 4,
        // Trust goes by real time, whatever clock and timers the options bring.
        timers: systemTimers,
        forget,
        forgetAll,
        onHeard: (changes) => tellOfChanges(observer, changes, domain),
        onTrust: (isTrusted) => observer.busTrusted(isTrusted),
        reloadSettings: () => settings.load(),
        onError: (error) => onError(error, 'hear-others'),
      })

  const hallpass: Hallpass = {
    // A request that spans are recorded of takes the ordinary way, which records them.
    answerNow: (question) => (tracing ? undefined : immediate.answer(question)),
    admitNow: (question) => (tracing ? undefined : immediate.admit(question)),

    async handle(request, connection) {
      const startedAt = observer.isOn ? performance.now() : 0
      const respondTo = () => respond(request, connection)
      const response = await (tracing ? tracing.request(request, respondTo) : respondTo())
      const why = response && response.status >= 400 ? knownTrace(request)?.refusal : undefined
      if (why) tell.refused(request, why, connection)
      if (response && observer.isOn) tell.answered(request, response, startedAt, connection)
      return response
    },

    async fetch(request, connection) {
      const response = await hallpass.handle(request, connection)
      if (response) return response
      const { remoteAddress } = requests.arrival(request, connection).connection
      traceOf(request).address = remoteAddress
      const limited = limitAddress(domain, remoteAddress)
      const refused = hallpass.refuse(request, limited ?? refusal('not_found', { what: 'such page' }))
      if (observer.isOn) tell.answered(request, refused, performance.now(), connection)
      return refused
    },

    async authenticate(request, options = {}) {
      try {
        const decided = decide(request, options)
        const decision = decided instanceof Promise ? await decided : decided
        if (decision.outcome === 'refused') {
          traceOf(request).address = clientAddress(options.connection?.remoteAddress ?? null, request.headers)
        }
        return decision
      } catch (error) {
        if (!(error instanceof HostUsersError || error instanceof StoreUnavailable)) throw error
        return { outcome: 'refused', refusal: refusalOf(error, request) }
      }
    },

    signIdentity: (identity, audience) =>
      sign(identity, { issuer: baseUrl ?? 'hallpass', audience, now: clock.now() }),

    refuse(request, why) {
      tell.refused(request, why)
      const visit = requests.visit(request, requests.arrival(request))
      return hallpass.withCors(request, putIntoWords(service, visit, why))
    },

    withCaller,
    withCors: (request, response) => withCors(request, response, settings.current()),

    csrf: (request) => visitors.csrf(request),
    limitsStatus: () => sharedLimits?.status(),
    settings: () => settings.current(),
    directory,
    appsOf: (user) => appsJson(domain, user),

    async createAccount(request) {
      if (users) throw new TypeError('there are no local accounts: the users are the application’s own')
      return createAccount(domain, systemActor, request)
    },

    createApiKey: (request) => createApiKey(domain, systemActor, request),

    async userChanged(userId) {
      const event = { type: 'user_changed', userId, change: 'told by the application' } as const
      // At once, whatever becomes of the database.
      hear([event])
      // Other processes hear of what is committed.
      await commit(domain, { ...systemActor, via: 'host' }, async () => ({
        result: undefined,
        events: [event],
      }))
    },

    pushNotification: pushes.push,
    jobs: {
      list: () => jobs.runner.states(),
      run: (name) => jobs.runner.run(name, systemActor),
    },

    async close() {
      stopLoading()
      stopFlushing()
      await jobs.stop()
      await pushes.stop()
      // Before anything that may take long where the database does not answer: what is not written by then is lost.
      await flush()
      await bus?.close()
      await sharedLimits?.stop()
    },
  }
  return hallpass
}

/** When what the first answer does not need is loaded, in milliseconds after the opening. */
const loadRoutesAfterMs = 200

function logOnErrorStream(event: LogEvent): void {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`)
}

function reportOnErrorStream(error: unknown, requestId: string): void {
  console.error(`request ${requestId} failed:`, error)
}
