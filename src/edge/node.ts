/** Hallpass and `node:http`: a guard for a bare server, and a server for a web-standard handler. `hallpass/node`. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Authentication, Identity } from '../domain/identity.ts'
import { traceOf } from '../domain/trace.ts'
import { refusal } from '../protocol/errors.ts'
import { answerHeaders, type GuardingHallpass, type GuardOptions, receive } from './guard.ts'
import { nodeArrival } from './node-request.ts'
import { putHeaders, sendResponse } from './node-response.ts'

export type { Identity } from '../domain/identity.ts'
export type { GuardingHallpass, GuardOptions } from './guard.ts'
export type { ListeningServer, ListenOptions, WebHandler } from './node-server.ts'
export { listen, nodeListener } from './node-server.ts'

/** Answers a request that the guard let through; `identity` is undefined for nobody. */
export type GuardedListener = (
  request: IncomingMessage,
  response: ServerResponse,
  identity: Identity | undefined,
) => unknown

export interface NodeGuardOptions extends GuardOptions {
  /** Hears of what `listener` threw, each with the id that the answer names. Default: the error stream. */
  readonly onError?: (error: unknown, requestId: string) => void
}

/**
 * A listener for `http.createServer` that answers for Hallpass's own routes and pages, refuses requests whose key does
 * not allow them, and hands the others to `listener`, their bodies unread. A body that was read before is found in
 * `request.body`. What `listener` throws, or rejects with, is answered with 500.
 */
export function guard(
  hallpass: GuardingHallpass,
  listener: GuardedListener,
  options: NodeGuardOptions = {},
): (request: IncomingMessage, response: ServerResponse) => void {
  const { onError = reportOnErrorStream } = options
  return (incoming, outgoing) => {
    const arrival = nodeArrival(incoming, { parsedBody: 'body' in incoming ? incoming.body : undefined })
    const { request } = arrival
    originals.set(request, incoming)
    const answer = async (): Promise<void> => {
      const admission = await receive(hallpass, arrival, options)
      if (admission.outcome === 'answered') return sendResponse(outgoing, admission.response)
      if (outgoing.destroyed) return
      const { identity } = admission
      identities.set(incoming, identity)
      putHeaders(outgoing, answerHeaders(hallpass, request, identity, undefined))
      await listener(incoming, outgoing, identity)
    }
    answer().catch(async (error: unknown) => {
      const requestId = traceOf(request).id
      onError(error, requestId)
      const response = hallpass.refuse(request, refusal('internal', { request_id: requestId }))
      // Half an answer cannot be taken back; that the connection breaks off says that it is not whole.
      if (outgoing.headersSent) outgoing.destroy()
      else await sendResponse(outgoing, response)
    })
  }
}

/** Who sent a request that the guard let through; undefined for nobody, and for a request that it never saw. */
export function identityOf(request: IncomingMessage): Identity | undefined {
  return identities.get(request)
}

/**
 * Node's own request behind a web-standard one, for `currentUser(request)`. Undefined for a request that came another
 * way.
 */
export function nodeRequest(request: Request): IncomingMessage | undefined {
  return originals.get(request)
}

/**
 * Decides about a request that no listener is given, such as the upgrade to a WebSocket. Whoever lets a session in there
 * checks the `Origin` header too: pages of other sites can open sockets, with the visitor's cookies.
 */
export function authenticate(
  hallpass: GuardingHallpass,
  incoming: IncomingMessage,
  { limitAddresses = 'all' }: GuardOptions = {},
): Promise<Authentication> {
  const { request, connection, rawPath, body } = nodeArrival(incoming)
  originals.set(request, incoming)
  return hallpass.authenticate(request, {
    connection,
    limitAddresses,
    sameOrigin: false,
    ...(rawPath === undefined ? {} : { rawPath }),
    ...(body === undefined ? {} : { body }),
  })
}

const identities = new WeakMap<IncomingMessage, Identity | undefined>()
const originals = new WeakMap<Request, IncomingMessage>()

function reportOnErrorStream(error: unknown, requestId: string): void {
  console.error(`request ${requestId} failed:`, error)
}
