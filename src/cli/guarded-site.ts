/** The site that `hallpass serve` guards: an application behind it, the small forum, or none but Hallpass itself. */

import type { LimitExchange } from '../domain/limit-exchange.ts'
import type { Observer } from '../domain/observation.ts'
import type { Store } from '../domain/store.ts'
import { traceOf } from '../domain/trace.ts'
import type { User } from '../domain/user.ts'
import { type NodeListeners, webListeners } from '../edge/node-server.ts'
import type { Forum } from '../forum/forum.ts'
import { createHallpass } from '../server/create-hallpass.ts'
import type { Hallpass } from '../server/hallpass.ts'
import { redisLimits } from '../server/redis-limits.ts'
import type { Database } from '../storage/database.ts'
import type { Observing } from './observing.ts'
import type { ServeOptions } from './serve-options.ts'

/** Which site it is: the one place where that is decided. */
export function siteKind({ upstream, forum }: ServeOptions): 'gateway' | 'forum' | 'none' {
  if (upstream !== undefined) return 'gateway'
  return forum ? 'forum' : 'none'
}

/** What differs between the processes of one site. */
export interface ProcessOptions {
  /** By what it can be watched. */
  readonly observing: Observing
  /** Whether it runs jobs when they are due and delivers pushes. Default true. */
  readonly background?: boolean
  /** Through what it counts together with others. Default: through Redis where the options name one. */
  readonly sharedLimits?: LimitExchange
}

/** The headers by which a proxy in front says who signed in there; none where people sign in otherwise. */
export function signInHeaders({ signIn }: ServeOptions): readonly string[] {
  if (signIn?.method !== 'proxy-header') return []
  const { userHeader, nameHeader, emailHeader } = signIn
  return [userHeader, nameHeader, emailHeader].filter((name) => name !== undefined)
}

/** Opens Hallpass, and the site with it. `address` is the one that people reach it by. */
export async function openGuardedSite(
  database: Database,
  store: Store,
  address: string,
  options: ServeOptions,
  { observing, ...forProcess }: ProcessOptions,
): Promise<{ readonly hallpass: Hallpass; readonly listeners: NodeListeners }> {
  const kind = siteKind(options)
  const { baseUrl, upstream, trustedProxies, requireSignIn } = options
  const known = baseUrl === undefined ? {} : { baseUrl }
  // What one site is made of is nothing for a server of another kind to load.
  const small = kind === 'forum' ? await import('../forum/small-forum.ts') : undefined
  // The forum is made with Hallpass, and Hallpass asks it about users; so it asks through this variable.
  let forum: Forum | undefined
  const forumFields = async (user: User) => (await forum?.currentUserFields(user)) ?? {}
  const hallpass = await createHallpass({
    store,
    ...observing.options,
    // In front of an application that path is its own.
    ...(kind === 'gateway' ? {} : { metricsPath: '/metrics' }),
    ...known,
    ...(options.redis === undefined ? {} : { sharedLimits: redisLimits({ url: options.redis }) }),
    ...forProcess,
    trustedProxies,
    ...(options.signIn === undefined ? {} : { signIn: options.signIn }),
    allowPrivatePush: options.allowPrivatePush,
    scopes: options.scopes,
    apiKeyScopes: options.apiKeyScopes,
    pinnedSettings: options.pinnedSettings,
    ...(small ? { currentUserFields: forumFields, calendarFeeds: [small.bookmarksCalendar] } : {}),
  })
  if (kind === 'gateway' && upstream !== undefined) {
    const { nodeGateway } = await import('../edge/gateway.ts')
    return {
      hallpass,
      listeners: nodeGateway(hallpass, {
        upstream,
        ...known,
        trustedProxies,
        requireSignIn,
        observer: observing.options.observer,
        onError: (error, { trace }) => observing.log.fault(error, trace.id),
        signInHeaders: signInHeaders(options),
      }),
    }
  }
  if (small) {
    forum = await small.createForum({
      hallpass,
      database,
      directory: hallpass.directory,
      clock: { now: () => Date.now() },
      baseUrl: address,
      userFields: async (user, viewer) =>
        viewer?.id === user.id || viewer?.admin ? { user_api_keys: await hallpass.appsOf(user) } : {},
      onNotification: hallpass.pushNotification,
      onError: observing.log.fault,
    })
  }
  const site = forum
    ? observedForum(forum, observing.options.observer)
    : { fetch: hallpass.fetch.bind(hallpass) }
  return {
    hallpass,
    listeners: webListeners((request, connection) => site.fetch(request, connection), hallpass),
  }
}

/** The forum, whose own answers are told of too; what Hallpass answers has been told of there. */
function observedForum(forum: Forum, observer: Observer): Pick<Forum, 'fetch'> {
  if (!observer.isOn) return forum
  return {
    async fetch(request, connection) {
      const startedAt = performance.now()
      const response = await forum.fetch(request, connection)
      const trace = traceOf(request)
      if (trace.route === undefined) {
        const durationMs = performance.now() - startedAt
        const { address } = trace
        const { method } = request
        observer.answered({ method, route: 'forum', status: response.status, durationMs, trace, address })
      }
      return response
    },
  }
}
