/** Hallpass in front of a Hono application: `hallpass/hono`. */
import type { Context, HonoRequest, MiddlewareHandler } from 'hono'
import type { Identity } from '../domain/identity.ts'
import { refusal } from '../protocol/errors.ts'
import { routeName } from '../protocol/route-name.ts'
import { type Arrival, answerHeaders, type GuardingHallpass, type GuardOptions, receive } from './guard.ts'
import { parametersIn, restoreBody } from './parsed-body.ts'
import { formParameters, hasBody } from './web-body.ts'

export type { Identity } from '../domain/identity.ts'
export type { GuardingHallpass, GuardOptions } from './guard.ts'

/** What the guard puts into a context: `c.var.identity`, undefined for somebody who is not signed in and sent no key. */
export interface GuardEnv {
  Variables: { identity: Identity | undefined }
}

/** The context behind {@link requireIdentity}, where `c.var.identity` is always somebody. */
export interface IdentityEnv {
  Variables: { identity: Identity }
}

export interface HonoGuardOptions extends GuardOptions {
  /**
   * Tells the address of the peer: the `getConnInfo` of the runtime's part of Hono, such as `hono/bun`. Default: what
   * `@hono/node-server` tells; on other runtimes unknown, and limits that count by address do not hold.
   */
  readonly getConnInfo?: (c: Context) => { readonly remote: { readonly address?: string | undefined } }
}

/**
 * Middleware that answers for Hallpass's own routes and pages, refuses requests whose key does not allow them, and puts
 * who sent the others into `c.var.identity`: `app.use(guard(hallpass))`, before the routes. Under a path it guards that
 * path, deciding by the whole address; Hallpass's own routes are not under it. A request that comes to it twice is
 * decided once. Faults go to `onError`.
 *
 * Bodies are left alone; what earlier middleware has read through `c.req` is known to the guard.
 */
export function guard(
  hallpass: GuardingHallpass,
  options: HonoGuardOptions = {},
): MiddlewareHandler<GuardEnv> {
  return async (c, next) => {
    if (guarded.has(c.req)) return next()
    const arrival = await arrivalOf(c, options)
    const { request } = arrival
    contexts.set(request, c)
    const admission = await receive(hallpass, arrival, options)
    if (admission.outcome === 'answered') return admission.response
    const { identity } = admission
    guarded.set(c.req, { hallpass, request })
    c.set('identity', identity)
    await next()
    // A switch of protocols has no headers that anybody could add to.
    if (c.res.status < 200) return undefined
    for (const [name, value] of answerHeaders(hallpass, request, identity, routeOf(c.req))) {
      c.header(name, value, { append: name === 'vary' })
    }
    return undefined
  }
}

/** Middleware that refuses visitors who are nobody: JSON for programs, a page for browsers. Mount it behind the guard. */
export const requireIdentity: MiddlewareHandler<IdentityEnv> = async (c, next) => {
  const visit = guarded.get(c.req)
  if (!visit) throw new TypeError('requireIdentity is mounted before guard, or without it')
  const identity: Identity | undefined = c.var.identity
  if (!identity) return visit.hallpass.refuse(visit.request, refusal('not_signed_in'))
  return next()
}

/**
 * Hono's own context behind a web-standard request: for `currentUser(request)`, so that it can use what middleware before
 * the guard has put there. Undefined for a request that came another way.
 */
export function honoContext(request: Request): Context | undefined {
  return contexts.get(request)
}

const guarded = new WeakMap<HonoRequest, { readonly hallpass: GuardingHallpass; readonly request: Request }>()
const contexts = new WeakMap<Request, Context>()

async function arrivalOf(c: Context, { getConnInfo }: HonoGuardOptions): Promise<Arrival> {
  const remoteAddress = getConnInfo ? getConnInfo(c).remote.address : nodeAddress(c.env)
  const connection = { remoteAddress: remoteAddress ?? null }
  const { raw } = c.req
  if (!raw.bodyUsed) return { request: raw, connection, body: hasBody(raw) ? 'unread' : undefined }
  const { parsed, parameters } = await readAgain(c.req)
  const { text, contentType } = restoreBody(parsed, c.req.header('content-type') ?? '')
  const headers = new Headers(raw.headers)
  headers.set('content-type', contentType)
  const request = new Request(raw.url, { method: raw.method, headers, body: text })
  return { request, connection, body: parameters }
}

/** What earlier middleware has read, which Hono keeps. */
async function readAgain(request: HonoRequest): Promise<{ parsed: unknown; parameters: Arrival['body'] }> {
  const type = request.header('content-type') ?? ''
  try {
    if (/[/+]json\s*(;|$)/i.test(type)) {
      const parsed: unknown = await request.json()
      return { parsed, parameters: parametersIn(parsed) }
    }
    if (/^(?:application\/x-www-form-urlencoded|multipart\/form-data)\s*(;|$)/i.test(type)) {
      const parameters = formParameters(await request.formData())
      return { parsed: parameters, parameters }
    }
    return { parsed: new Uint8Array(await request.arrayBuffer()), parameters: 'unread' }
  } catch {
    // It was read past Hono, or does not parse: the application will say so, or has.
    return { parsed: '', parameters: 'unread' }
  }
}

function nodeAddress(env: unknown): string | undefined {
  const incoming = field(env, 'incoming')
  const address = field(field(incoming, 'socket'), 'remoteAddress')
  return typeof address === 'string' ? address : undefined
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

/** The pattern of the last handler that ran, which is the one that answered, or the guard's own when none did. */
function routeOf({ matchedRoutes, routeIndex, method }: HonoRequest): string {
  const path = matchedRoutes[routeIndex]?.path
  return path === undefined || path.includes('*') ? 'exceptions/not_found' : routeName(method, path)
}
