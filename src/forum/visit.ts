import type { Hono } from 'hono'
import type { Identity } from '../domain/identity.ts'
import type { Connection } from '../domain/ports.ts'
import type { User } from '../domain/user.ts'
import { normalizeRoute, type Route } from '../protocol/route.ts'
import type { AuthenticateOptions, Hallpass } from '../server/hallpass.ts'
import type { Author, Desk } from './posting.ts'
import { RefusedError, refuse } from './refused.ts'
import { type Parameters, queryParameters, readRequestParameters } from './request-parameters.ts'

/** Everything that the forum's routes work with. */
export interface ForumParts extends Desk {
  readonly hallpass: Hallpass
  /** Further fields of a user's card, such as the apps that they have approved; `viewer` is who asks. */
  readonly userFields: (user: User, viewer: User | undefined) => Promise<Record<string, unknown>>
}

/** One request to the forum, with who sent it and what they ask. */
export interface Visit {
  readonly request: Request
  readonly route: Route
  /** Undefined for somebody who is not signed in and sent no key. */
  readonly identity: Identity | undefined
  readonly viewer: User | undefined
  readonly parameters: Parameters
  /** True when a browser asks for a page: by `Accept`, and without a format in the path. */
  readonly wantsPage: boolean
}

/** A router whose handlers find the visit in their environment. */
export type ForumRouter = Hono<{ Bindings: ForumEnvironment }>

/** What goes with a request through the router. */
export interface ForumEnvironment {
  readonly visit: Visit
  /** The name of the route that answered, once one has (protocol §10.2, `X-Discourse-Route`). */
  routeName?: string
}

/**
 * Reads a request and decides who sent it. Refuses with a {@link RefusedError} what cannot be read, a key that may not,
 * and a form without its CSRF token.
 */
export async function receive(
  hallpass: Hallpass,
  request: Request,
  connection: Connection | undefined,
): Promise<Visit> {
  const url = new URL(request.url)
  const normalized = normalizeRoute(request.method, url.pathname)
  if (normalized.outcome === 'ambiguous') throw new RefusedError(normalized.refusal)
  const changes = request.method !== 'GET' && request.method !== 'HEAD'

  const read: { parameters: Parameters | RefusedError } = { parameters: queryParameters(url.searchParams) }
  // A form's CSRF token is in its body, so the body is read before it is known who sent it; but what is wrong with a
  // body is told only to those who may send one.
  const readBody: AuthenticateOptions['readBody'] = async () => {
    read.parameters = await readRequestParameters(request).catch((error: unknown) => {
      if (error instanceof RefusedError) return error
      throw error
    })
    if (read.parameters instanceof RefusedError) return {}
    // A token in the address would end up in logs, so it counts in the body alone.
    const inAddress = url.searchParams.has('authenticity_token')
    const csrfToken = inAddress ? undefined : tokenIn(read.parameters)
    return { ...(csrfToken === undefined ? {} : { csrfToken }), body: read.parameters.values() }
  }
  const authentication = await hallpass.authenticate(request, {
    ...(connection === undefined ? {} : { connection }),
    ...(changes ? { readBody } : {}),
  })
  if (authentication.outcome === 'refused') throw new RefusedError(authentication.refusal)
  const { parameters } = read
  if (parameters instanceof RefusedError) throw parameters

  const identity = authentication.outcome === 'authenticated' ? authentication.identity : undefined
  const { route } = normalized
  return {
    request,
    route,
    identity,
    viewer: identity?.user,
    parameters,
    wantsPage: asksForPage(request, route),
  }
}

/** Whether a browser asks for a page: the path names no format but `.html`, and `Accept` names HTML, and no script asks. */
export function asksForPage(request: Request, route: Route): boolean {
  const accept = request.headers.get('accept') ?? ''
  if (request.headers.get('x-requested-with')?.toLowerCase() === 'xmlhttprequest') return false
  return route.format === 'html' || (route.format === undefined && accept.includes('text/html'))
}

/** Who sent the request. Refuses with 403 when nobody is signed in. */
export function requireViewer(visit: Visit): User {
  return visit.viewer ?? refuse('not_signed_in')
}

/** Refuses with 403 anybody but `user` themselves. */
export function requireSelf(visit: Visit, user: User): User {
  const viewer = requireViewer(visit)
  if (viewer.id === user.id) return viewer
  return refuse('not_permitted', { problem: `this is ${user.username}’s own`, remedy: 'ask for your own' })
}

/** Who writes, and through which app. Refuses with 403 when nobody is signed in. */
export function requireAuthor(visit: Visit): Author {
  const user = requireViewer(visit)
  const { identity } = visit
  return { user, viaApp: identity?.via === 'user_api_key' ? identity.key.applicationName : null }
}

function tokenIn(parameters: Parameters): string | undefined {
  try {
    return parameters.text('authenticity_token')
  } catch {
    return undefined
  }
}
