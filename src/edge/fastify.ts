/** Hallpass in front of a Fastify application: `hallpass/fastify`. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { refusal } from '../protocol/errors.ts'
import { routeName } from '../protocol/route-name.ts'
import {
  type Admission,
  type Arrival,
  admit,
  answerHeaders,
  type GuardingHallpass,
  type GuardOptions,
  type Visitor,
} from './guard.ts'
import { nodeArrival } from './node-request.ts'
import { parametersIn } from './parsed-body.ts'

export type { Identity } from '../domain/identity.ts'
export type { GuardingHallpass, GuardOptions, Visitor } from './guard.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent the request; known from Fastify's `preValidation` on, and nobody before that. */
    readonly hallpass: Visitor
  }
}

export interface FastifyGuardOptions extends GuardOptions {
  readonly hallpass: GuardingHallpass
}

/**
 * A plugin that answers for Hallpass's own routes and pages, refuses requests whose key does not allow them, and puts who
 * sent the others into `request.hallpass`: `await app.register(guard, { hallpass })`, before the routes. What it guards
 * is the context that it is registered in, with all routes of that, whatever their prefix.
 *
 * Hallpass's own routes are answered before a body is read (`onRequest`); the application's requests are decided once
 * Fastify has parsed theirs (`preValidation`). Faults go to the error handler.
 */
export async function guard(app: FastifyInstance, options: FastifyGuardOptions): Promise<void> {
  const { hallpass } = options
  app.decorateRequest('hallpass', {
    getter(this: FastifyRequest): Visitor {
      return visits.get(this) ?? nobody
    },
  })
  app.addHook('onRequest', async (request, reply) => {
    const arrival = nodeArrival(request.raw)
    originals.set(arrival.request, request)
    const response = await hallpass.handle(arrival.request, arrival.connection)
    if (response) return send(reply, response)
    visits.set(request, { hallpass, arrival, identity: undefined })
  })
  app.addHook('preValidation', async (request, reply) => {
    const visit = visits.get(request)
    if (!visit) throw new TypeError('a hook has come to a request that the guard has not seen')
    const admission = await admitParsed(visit, request, options)
    if (admission.outcome === 'answered') return send(reply, admission.response)
    const { identity } = admission
    visits.set(request, { ...visit, identity })
    const headers = answerHeaders(hallpass, visit.arrival.request, identity, routeOf(request))
    for (const [name, value] of headers) putHeader(reply, name, value)
  })
}

/** A `preHandler` that refuses visitors who are nobody: JSON for programs, a page for browsers. */
export async function requireIdentity(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const visit = visits.get(request)
  if (!visit) throw new TypeError('requireIdentity is used on a route that guard does not guard')
  if (visit.identity) return undefined
  return send(reply, visit.hallpass.refuse(visit.arrival.request, refusal('not_signed_in')))
}

/**
 * Fastify's own request behind a web-standard one: for `currentUser(request)`, so that it can use what hooks before the
 * guard have found out, such as `request.session`. Undefined for a request that came another way.
 */
export function fastifyRequest(request: Request): FastifyRequest | undefined {
  return originals.get(request)
}

// Without this, Fastify would keep the hooks to the plugin, and away from the routes beside it.
Object.assign(guard, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'hallpass',
  [Symbol.for('plugin-meta')]: { name: 'hallpass', fastify: '>=5' },
})

interface Visit extends Visitor {
  readonly hallpass: GuardingHallpass
  readonly arrival: Arrival
}

const nobody: Visitor = { identity: undefined }
const visits = new WeakMap<FastifyRequest, Visit>()
const originals = new WeakMap<Request, FastifyRequest>()

/** The body is known by now, if a parser took it; a stream that one handed on to the application is not. */
function admitParsed(
  { hallpass, arrival }: Visit,
  { body }: FastifyRequest,
  options: GuardOptions,
): Promise<Admission> {
  const isParsed = arrival.body !== undefined && body !== undefined && body !== null
  return admit(hallpass, isParsed ? { ...arrival, body: parametersIn(body) } : arrival, options)
}

/**
 * Answers, whole: Fastify takes a hook's answer for given only once it has ended, and its own answers to HEAD measure
 * what they leave out.
 */
async function send(reply: FastifyReply, response: Response): Promise<FastifyReply> {
  const body = Buffer.from(await response.arrayBuffer())
  reply.code(response.status)
  for (const [name, value] of response.headers) putHeader(reply, name, value)
  return reply.send(body)
}

function routeOf({ method, routeOptions }: FastifyRequest): string {
  const { url } = routeOptions
  return url === undefined ? 'exceptions/not_found' : routeName(method, url)
}

function putHeader(reply: FastifyReply, name: string, value: string): void {
  const before = name === 'vary' ? reply.getHeader(name) : undefined
  reply.header(name, before === undefined ? value : `${before}, ${value}`)
}
