/** Hallpass in front of an Express application: `hallpass/express`. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Identity } from '../domain/identity.ts'
import { refusal } from '../protocol/errors.ts'
import { routeName } from '../protocol/route-name.ts'
import { answerHeaders, type GuardingHallpass, type GuardOptions, receive, type Visitor } from './guard.ts'
import { nodeArrival } from './node-request.ts'
import { putHeaders, sendResponse } from './node-response.ts'

export type { Identity } from '../domain/identity.ts'
export type { GuardingHallpass, GuardOptions, Visitor } from './guard.ts'

declare global {
  namespace Express {
    interface Request {
      /** Who sent the request; there once the guard has let it through. */
      hallpass: Visitor
    }
  }
}

/** What of Express's request the adapter looks at. */
export interface ExpressRequest extends IncomingMessage {
  baseUrl?: string
  body?: unknown
  route?: unknown
}

/** A middleware, for Express and whatever takes the same. */
export type ExpressMiddleware = (
  request: ExpressRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * Middleware that answers for Hallpass's own routes and pages, refuses requests whose key does not allow them, and puts
 * who sent the others into `request.hallpass`. Mount it at the root, behind what parses bodies and before every route it
 * is to guard. Under a path it guards that path, deciding by the whole address; Hallpass's own routes are not under it.
 * A request that comes to it twice is decided once. Faults go to `next`.
 */
export function guard(hallpass: GuardingHallpass, options: GuardOptions = {}): ExpressMiddleware {
  return (incoming, outgoing, next) => {
    if (guarded.has(incoming)) return next()
    admit(hallpass, options, incoming, outgoing).then((isAdmitted) => {
      if (isAdmitted) next()
    }, next)
  }
}

/** Middleware that refuses visitors who are nobody: JSON for programs, a page for browsers. Mount it behind the guard. */
export function requireIdentity(
  incoming: ExpressRequest,
  outgoing: ServerResponse,
  next: (error?: unknown) => void,
): void {
  const visit = guarded.get(incoming)
  if (!visit) next(new TypeError('requireIdentity is mounted before guard, or without it'))
  else if (visit.identity) next()
  else sendResponse(outgoing, visit.hallpass.refuse(visit.request, refusal('not_signed_in'))).catch(next)
}

/**
 * Express's own request behind a web-standard one: for `currentUser(request)`, so that it can use what middleware before
 * the guard has found out, such as `request.session` or `request.user`. Undefined for a request that came another way.
 */
export function expressRequest(request: Request): (Express.Request & IncomingMessage) | undefined {
  return originals.get(request)
}

interface Guarded {
  readonly hallpass: GuardingHallpass
  readonly request: Request
  readonly identity: Identity | undefined
}

const guarded = new WeakMap<IncomingMessage, Guarded>()
const originals = new WeakMap<Request, Express.Request & IncomingMessage>()

async function admit(
  hallpass: GuardingHallpass,
  options: GuardOptions,
  incoming: ExpressRequest,
  outgoing: ServerResponse,
): Promise<boolean> {
  // Under a path, `url` lacks that path; together they are what Express's own routes go by.
  const arrival = nodeArrival(incoming, { mountPath: incoming.baseUrl ?? '', parsedBody: incoming.body })
  const { request } = arrival
  const expressRequest = incoming as ExpressRequest & Express.Request
  originals.set(request, expressRequest)
  const admission = await receive(hallpass, arrival, options)
  if (admission.outcome === 'answered') {
    await sendResponse(outgoing, admission.response)
    return false
  }
  const { identity } = admission
  guarded.set(incoming, { hallpass, request, identity })
  expressRequest.hallpass = { identity }
  putHeaders(outgoing, answerHeaders(hallpass, request, identity, undefined))
  if (identity) nameRouteInTime(incoming, outgoing)
  return !outgoing.destroyed
}

/** Which route answers is known only once it has answered: it is named when the headers are written. */
function nameRouteInTime(incoming: ExpressRequest, outgoing: ServerResponse): void {
  const writeHead = outgoing.writeHead
  outgoing.writeHead = function (this: ServerResponse, ...rest: unknown[]) {
    if (!this.headersSent) this.setHeader('x-discourse-route', routeOf(incoming))
    return Reflect.apply(writeHead, this, rest)
  } as typeof writeHead
}

function routeOf({ route, baseUrl = '', method = 'GET' }: ExpressRequest): string {
  const pattern = typeof route === 'object' && route !== null && 'path' in route ? route.path : undefined
  if (typeof pattern !== 'string') return 'exceptions/not_found'
  return routeName(method, baseUrl + pattern)
}
