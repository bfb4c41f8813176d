/** What the routes work with, and how a handler is put behind its route. */
import { Hono } from 'hono'
import type { CalendarFeed } from '../domain/calendar-subscription.ts'
import type { Actor } from '../domain/events.ts'
import type { Identity } from '../domain/identity.ts'
import type { JobRunner } from '../domain/job-runner.ts'
import type { Exposition } from '../domain/observation.ts'
import type { Domain } from '../domain/ports.ts'
import type { SigningKeys } from '../domain/signing-keys.ts'
import { traceOf } from '../domain/trace.ts'
import type { User } from '../domain/user.ts'
import type { Visitors } from '../identity/visitors.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { type ParameterSources, readParameters } from '../protocol/parameters.ts'
import type { Route } from '../protocol/route.ts'
import { routeName } from '../protocol/route-name.ts'
import type { Settings } from '../protocol/settings.ts'
import { authenticate, authenticateKeys } from '../verify/authenticate.ts'
import { type Credentials, readCredentials } from '../verify/credentials.ts'
import { hasQueryCredentials } from '../verify/query-credentials.ts'
import { limitAddress } from '../verify/request-limits.ts'
import type { Verifier } from '../verify/verifier.ts'
import { refused, sealedFromCaches } from './answer.ts'
import { readBody } from './body.ts'
import { withCaller } from './caller-headers.ts'
import { challenged } from './challenge.ts'
import type { Visit } from './visit.ts'

export interface Service {
  readonly domain: Domain
  readonly verifier: Verifier
  readonly visitors: Visitors
  /**
   * Where somebody signs in who is not, and is then sent on to a path of this site; undefined where the application has
   * told no such address.
   */
  readonly signInAddress: (visit: Visit, path: string) => string | undefined
  /** Where a form signs out; undefined where that is the application's own. */
  readonly signOutPath: string | undefined
  readonly jobs: JobRunner
  /** What signs identities for an application behind. */
  readonly signingKeys: SigningKeys
  /** The site's address, without a slash at its end; the request's own where none was configured. */
  readonly baseUrl: (visit: Visit) => string
  /** Whether that address was configured, so that no sender of a request has a say in it. */
  readonly hasConfiguredAddress: boolean
  /** What the site adds to `current_user`; undefined where that is nothing. */
  readonly currentUserFields: ((user: User) => Promise<Record<string, unknown>>) | undefined
  /** The calendars that the site serves; without any there are no calendar subscriptions. */
  readonly calendarFeeds: readonly CalendarFeed[]
  /** Has the outbox of pushes looked through, since something in it is due. */
  readonly pushQueued: () => void
  /** The metrics of this process; undefined where nobody keeps any. */
  readonly expose: (() => Promise<Exposition>) | undefined
  /** Where these are read. */
  readonly metricsPaths: readonly string[]
  /** Whether limits count together with those of other nodes; undefined where they are not meant to. */
  readonly limitsStatus: () => SharedLimitsStatus | undefined
}

/** Whether what this node lets in counts elsewhere, through what, and since when (milliseconds since the Unix epoch). */
export interface SharedLimitsStatus {
  readonly through: string
  readonly shared: boolean
  readonly since: number
}

/** A request at its handler: read, and its sender known. */
export interface Call {
  readonly visit: Visit
  /** Undefined for somebody who is not signed in and sent no key. */
  readonly identity: Identity | undefined
  readonly sources: ParameterSources
  /** A segment of the path, by the pattern's name for it. */
  readonly segment: (name: string) => string
}

export interface RouteOptions {
  /**
   * Who may come: `anyone`; `user`, somebody signed in or a key; `admin`, an administrator, to whom alone the route
   * exists (protocol §11). `unchecked` asks for nobody and looks at no cookie; a key that is sent must be good even
   * so (§10.2). `api_key`, an API key of any user's, and no cookie is looked at. `holder` is whoever holds what the
   * body names: neither cookies nor keys in headers are looked at.
   */
  readonly who: 'anyone' | 'user' | 'admin' | 'unchecked' | 'api_key' | 'holder'
  /** Whether requests count for no limit and no key is looked at: health, and files that never change. Default false. */
  readonly uncounted?: boolean
  /** Reads out of the headers who sends the request. Default: as everywhere else. */
  readonly credentials?: (headers: Headers) => Credentials
  /** Whether requests with an API key are left out of the site's limit for those: the route has one. Default false. */
  readonly hasOwnLimit?: boolean
  /** Whether an administrator's key counts in the query. Default false. */
  readonly legacyQuery?: boolean
  /** Whether every answer, refusals included, carries the headers of the authorization routes (§1). Default false. */
  readonly sealed?: boolean
  /** Whether the route exists at the moment; while it does not, its path is the application's. Default: it does. */
  readonly isOn?: (settings: Settings) => boolean
  /** Words a refusal to let the request in. Default: as everywhere else. */
  readonly refuse?: (visit: Visit, why: Refusal, siteTitle: string) => Response
}

export interface Environment {
  readonly visit: Visit
  /** Set when no route was found. */
  unhandled?: boolean
  /** The name of the route that was found. */
  route?: string
}

export type Router = Hono<{ Bindings: Environment }>
export type Handler = (call: Call) => Promise<Response>
type AddRoute = (
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  options: RouteOptions,
  handler: Handler,
) => void

/** A router that goes by the normalised path, the one that scope decisions go by. */
export function createRouter(): Router {
  const router: Router = new Hono<{ Bindings: Environment }>({
    getPath: (_request, options) => {
      if (!options?.env) throw new TypeError('the router needs the visit in its environment')
      return options.env.visit.route.path
    },
  })
  router.notFound((context) => {
    context.env.unhandled = true
    return context.body(null, 404)
  })
  // Faults of our own go to whoever called, who knows what to log and what to answer.
  router.onError((error) => {
    throw error
  })
  return router
}

/** Adds routes to `router`. A handler is called only once its body is read and its sender is known and let in. */
export function routesOf(router: Router, service: Service): AddRoute {
  return (method, path, options, handler) => {
    const name = routeName(method, path)
    router.on(method, path, async (context, next) => {
      const { visit } = context.env
      const settings = service.domain.settings.current()
      if (options.isOn?.(settings) === false) return next()
      context.env.route = name
      const call = await receive(service, visit, options, (segment) => context.req.param(segment) ?? '')
      const refuse = options.refuse ?? refused
      const response =
        'reason' in call
          ? challenged(visit.request, refuse(visit, call, settings.title), call, {
              baseUrl: service.baseUrl(visit),
              settings,
            })
          : await handler(call)
      if (options.sealed) sealedFromCaches(response)
      if ('reason' in call) return response
      return withCaller(response, call.identity, name)
    })
  }
}

/** The CSRF token that a request carries: in its header, or in its body. An address ends up in logs, so not there. */
function csrfTokenOf(visit: Visit, { body }: ParameterSources): string | undefined {
  const inHeader = visit.request.headers.get('x-csrf-token')
  if (inHeader !== null) return inHeader
  const read = readParameters({ query: new URLSearchParams(), body }, { authenticity_token: { limit: 200 } })
  return read.outcome === 'read' ? read.values.authenticity_token : undefined
}

/** Whether a request carries the CSRF token of the browser that sent it. */
export function carriesCsrfToken({ visitors }: Service, { visit, sources }: Call): boolean {
  const token = csrfTokenOf(visit, sources)
  return token !== undefined && visitors.csrfMatches(visit.request, token)
}

/** The answer with these cookies, as far as there are any. */
export function withCookies(response: Response, ...cookies: readonly (string | undefined)[]): Response {
  for (const cookie of cookies) if (cookie) response.headers.append('set-cookie', cookie)
  return response
}

/** Who acts, for the audit log. */
export function actorOf({ identity, visit }: Call): Actor {
  return {
    userId: identity?.user.id ?? null,
    via: identity?.via ?? 'system',
    ...originOf(visit),
  }
}

/** Where a request came from, and its trace; for the audit log. */
export function originOf({ connection, request }: Visit): Pick<Actor, 'address' | 'traceId'> {
  return { address: connection.remoteAddress, traceId: traceOf(request).id }
}

async function receive(
  service: Service,
  visit: Visit,
  options: RouteOptions,
  segment: (name: string) => string,
): Promise<Call | Refusal> {
  const { verifier, domain } = service
  const { request, route, query, connection, decided } = visit
  const address = connection.remoteAddress
  if (decided) return decided
  // Before anything is read or looked up: that is what the limit is to spare.
  const limited = options.uncounted ? undefined : limitAddress(domain, address)
  if (limited) return limited
  const read = await readBody(request)
  if (read.outcome === 'refused') return read.refusal
  const sources: ParameterSources = { query: query.parameters, body: read.body }
  if (options.uncounted || options.who === 'holder') return { visit, identity: undefined, sources, segment }

  const own = readRevocationId(route, sources)
  if (own.outcome === 'refused') return own.refusal
  const inQuery = options.legacyQuery || (hasQueryCredentials(query) && verifier.takesKeyInQuery(route))
  const looksAtCookies = options.who !== 'unchecked' && options.who !== 'api_key'
  const decide = looksAtCookies ? authenticate : authenticateKeys
  const authentication = await decide(verifier, {
    request,
    route: { ...route, ...sources },
    credentials: options.credentials?.(request.headers) ?? readCredentials(request.headers, query, inQuery),
    hasOwnLimit: options.hasOwnLimit ?? false,
    csrfToken: csrfTokenOf(visit, sources),
    sameOrigin: false,
    revocationId: own.values.id,
    address,
  })
  if (authentication.outcome === 'refused') return authentication.refusal
  if (options.who === 'unchecked') return { visit, identity: undefined, sources, segment }
  const identity = authentication.outcome === 'authenticated' ? authentication.identity : undefined
  if (options.who === 'api_key' && identity?.via !== 'api_key') return refusal('api_key_required')
  if (options.who === 'user' && !identity) return refusal('not_signed_in')
  if (options.who === 'admin' && !identity?.user.admin) return refusal('not_found', { what: 'such page' })
  if (options.who === 'admin' && identity?.via === 'user_api_key')
    return refusal('user_api_key_not_for_administration')
  return { visit, identity, sources, segment }
}

/** The key that a revocation names; whatever `id` is on other routes is their own matter. */
function readRevocationId(route: Route, sources: ParameterSources) {
  const isRevocation = route.method === 'POST' && route.path === '/user-api-key/revoke'
  return readParameters(isRevocation ? sources : noSources, { id: { limit: 20, digits: true } })
}

const noSources: ParameterSources = { query: new URLSearchParams(), body: undefined }
