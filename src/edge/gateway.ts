/**
 * Hallpass in front of an application, as a reverse proxy. Start reading here: `gateway-request.ts` says what may come in,
 * `gateway-headers.ts` what goes on of it, `gateway-exchange.ts` carries it, `gateway-upgrade.ts` does so for WebSockets,
 * `upstream.ts` knows the application. It stands on `node:http`, because a web-standard `Request` cannot be upgraded.
 */
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Authentication, Identity } from '../domain/identity.ts'
import { noObserver, type Observer } from '../domain/observation.ts'
import type { PlainQuestion } from '../domain/plain-answer.ts'
import type { Connection } from '../domain/ports.ts'
import { StoreUnavailable } from '../domain/store.ts'
import { knownTrace, shareTrace, Trace, traceOf } from '../domain/trace.ts'
import { goAndSignInPath } from '../pages/paths.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { plainHeaderName } from '../protocol/lenient-names.ts'
import { askUpstream, type Exchange, relayAnswer, sendContinue, sendResponse } from './gateway-exchange.ts'
import { isLoop, requestHeaders, targetWithoutKeys } from './gateway-headers.ts'
import { createOriginReader, isSameOrigin, scheme } from './gateway-origin.ts'
import { expectsContinue, type ForwardableRequest, hasBody, readForwardable } from './gateway-request.ts'
import { connectUpgraded, responseOn, UpgradedConnections } from './gateway-upgrade.ts'
import { identityHeaders, signedIdentityHeader } from './identity-headers.ts'
import { type AnsweringHallpass, answerAtOnce, connectionOf, plainQuestionOf } from './node-fast-lane.ts'
import type { NodeListeners } from './node-server.ts'
import { createUpstream, type UpstreamTimeouts } from './upstream.ts'

/** What the gateway needs of Hallpass: part of what `createHallpass` returns. */
export interface GatewayGuard extends AnsweringHallpass {
  handle(request: Request, connection: Connection): Promise<Response | undefined>
  admitNow(question: PlainQuestion): Identity | Refusal | undefined
  authenticate(
    request: Request,
    options: {
      readonly connection: Connection
      readonly rawPath: string
      readonly body?: 'unread'
      readonly sameOrigin: boolean
      readonly limitAddresses: 'keys'
    },
  ): Promise<Authentication>
  refuse(request: Request, refusal: Refusal): Response
  withCors(request: Request, response: Response): Response
  signIdentity(identity: Identity, audience: string): Promise<string>
  settings(): { readonly cors_origins: readonly string[] }
}

/** Only ever read. */
const noHeaders = new Headers()

export interface GatewayOptions extends UpstreamTimeouts {
  /** The application, such as `http://127.0.0.1:3000`: scheme, host and port, no path. */
  readonly upstream: string
  /** The address that people reach the site by, as for `createHallpass`. Default: the one that each request was sent to. */
  readonly baseUrl?: string
  /**
   * The proxies in front, as for `createHallpass`: what they say in `X-Forwarded-For`, `-Proto` and `-Host` goes on to the
   * application, with the peer's address added. What anybody else says of that is left out. Default: none.
   */
  readonly trustedProxies?: readonly string[]
  /** Whether nobody comes to the application without a sign-in or a key. Default false: it may have public pages. */
  readonly requireSignIn?: boolean
  /** The `Host` that the application sees: the caller's, or its own address. Default `caller`, for links and cookies. */
  readonly hostHeader?: 'caller' | 'upstream'
  /** For whom signed identities are: their `aud`. Default: the upstream's address. */
  readonly audience?: string
  /**
   * Headers that the application gets from nobody, in any spelling: those by which a proxy in front names its users, where
   * people sign in so (`signIn.method` `proxy-header`). It learns of them by Hallpass's own. Default: none.
   */
  readonly signInHeaders?: readonly string[]
  /** Hears why the application did not answer. Default: one line on the error stream. */
  readonly onError?: (
    error: unknown,
    request: { readonly method: string; readonly path: string; readonly trace: Trace },
  ) => void
  /** Hears of what the application answered, as for `createHallpass`. Default: nobody. */
  readonly observer?: Observer
}

/** Listeners for a server of `node:http`, with or without TLS. */
export interface NodeGateway extends NodeListeners {
  upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Ends upgraded connections, and those to the application that wait for use. */
  breakOff(): void
}

/**
 * Answers Hallpass's own routes, and hands every other request that is let through to the application, with who sent it.
 *
 * @throws TypeError for an upstream that is no http or https address, or for a range of proxies that is none
 */
export function nodeGateway(hallpass: GatewayGuard, options: GatewayOptions): NodeGateway {
  const upstream = createUpstream(options.upstream, options)
  const originOf = createOriginReader(options)
  const audience = options.audience ?? upstream.origin
  const leftOut = new Set((options.signInHeaders ?? []).map(plainHeaderName))
  const via = `1.1 hallpass-${randomBytes(6).toString('hex')}`
  const report = options.onError ?? reportOnErrorStream
  const { observer = noObserver } = options
  const upgraded = new UpgradedConnections()

  const ownRoutes = getRequestListener(
    async (request, env) => {
      const { incoming, outgoing } = env as HttpBindings
      const asked = requests.get(incoming)
      if (!asked) throw new TypeError('a request reached the gateway by another way than its listeners')
      const own = await hallpass.handle(request, connectionOf(incoming))
      if (own) return own
      bodyTimers.get(incoming)?.()
      // Whoever looks for the body of another would take it off its way.
      const isBodiless = request.method === 'GET' || request.method === 'HEAD'
      const trace = knownTrace(request)
      await pass(new Passage(incoming, outgoing, asked, isBodiless ? { trace, request } : { trace }))
      return RESPONSE_ALREADY_SENT
    },
    { overrideGlobalObjects: false },
  )
  const requests = new WeakMap<IncomingMessage, ForwardableRequest>()
  const bodyTimers = new WeakMap<IncomingMessage, () => void>()

  function begin(incoming: IncomingMessage, outgoing: ServerResponse): ForwardableRequest | undefined {
    outgoing.on('error', () => outgoing.destroy())
    const read = readForwardable(incoming)
    const why =
      read.outcome === 'refused'
        ? read.refusal
        : isLoop(incoming, via)
          ? refusal('upstream_invalid', { problem: 'it is this very gateway' })
          : undefined
    if (why) void refuse(incoming, outgoing, why)
    return why || read.outcome === 'refused' ? undefined : read.request
  }

  /**
   * Decides about a request that is for the application, if that is not done, and carries it there. Never rejects.
   * `decided`: who sent it, or why it is refused.
   */
  async function pass(passage: Passage, decided?: Identity | Refusal): Promise<void> {
    const { incoming, outgoing, request, upgrade } = passage
    const startedAt = observer.isOn ? performance.now() : 0
    const tell = (status: number): void => {
      if (!observer.isOn) return
      const durationMs = performance.now() - startedAt
      const { trace } = passage
      const { address } = trace
      observer.answered({ method: request.method, route: 'gateway', status, durationMs, trace, address })
    }
    const send = (response: Response): Promise<void> => {
      tell(response.status)
      return sendResponse(incoming, outgoing, response)
    }
    try {
      if (upgrade && request.isPathPlain) {
        const own = await hallpass.handle(passage.asked, connectionOf(incoming))
        if (own) return await sendResponse(incoming, outgoing, own)
      }
      const decision = decided ?? (await decide(passage))
      if (decision instanceof Response) return await send(decision)
      if (decision && 'reason' in decision) return await send(hallpass.refuse(passage.asked, decision))
      const exchange = await prepare(passage, decision)
      const reply = await askUpstream(upstream, exchange)
      if (reply.kind === 'gone') return
      if (reply.kind === 'refused') {
        const { trace } = passage
        report(reply.cause, { method: request.method, path: request.rawPath, trace })
        return await send(hallpass.refuse(passage.asked, reply.refusal))
      }
      if (reply.kind === 'upgraded') {
        if (upgrade) return connectUpgraded(exchange, reply, upgrade, upgraded, upstream.idleTimeoutMs)
        return
      }
      tell(reply.answer.statusCode ?? 502)
      const mayBeRead = hallpass.settings().cors_origins.length > 0
      const replaced = mayBeRead ? hallpass.withCors(passage.asked, new Response(null)).headers : noHeaders
      relayAnswer(exchange, reply, replaced)
    } catch (error) {
      // What the application may send and no answer may hold, such as a status of 0, comes out here.
      report(error, { method: request.method, path: request.rawPath, trace: passage.traceSoFar })
      if (outgoing.headersSent) outgoing.destroy()
      else {
        const why =
          error instanceof StoreUnavailable
            ? refusal('store_unavailable', { wait_seconds: 1 })
            : refusal('upstream_invalid', { problem: 'it holds what no answer may' })
        await refuse(incoming, outgoing, why)
      }
    }
  }

  /** Who sent it, undefined for nobody, or what turns them away. */
  async function decide({
    incoming,
    request,
    asked,
    upgrade,
  }: Passage): Promise<Identity | Refusal | Response | undefined> {
    const sameOrigin = isSameOrigin(incoming, originOf(incoming, request))
    const authentication = await hallpass.authenticate(asked, {
      connection: connectionOf(incoming),
      rawPath: request.rawPath,
      ...(hasBody(request) ? { body: 'unread' as const } : {}),
      sameOrigin,
      limitAddresses: 'keys',
    })
    // A form of another site may be meant for the application, which has a protection of its own; but the browser's
    // session with Hallpass vouches for nothing in it. A page of another site can open WebSockets, too.
    const isForged =
      (authentication.outcome === 'refused' && authentication.refusal.reason === 'csrf_invalid') ||
      (upgrade !== undefined &&
        !sameOrigin &&
        authentication.outcome === 'authenticated' &&
        authentication.identity.via === 'session')
    if (authentication.outcome === 'refused' && !isForged) return authentication.refusal
    if (authentication.outcome === 'authenticated' && !isForged) return authentication.identity
    if (!options.requireSignIn) return undefined
    return isForged ? refusal('csrf_invalid') : (signIn(asked, request) ?? refusal('not_signed_in'))
  }

  async function prepare(passage: Passage, identity: Identity | undefined): Promise<Exchange> {
    const { incoming, outgoing, request, trace } = passage
    const isUpgrade = passage.upgrade !== undefined
    const byKey = identity !== undefined && identity.via !== 'session'
    const forwarded = originOf(incoming, request)
    const host = options.hostHeader === 'upstream' ? upstream.host : request.host || upstream.host
    const told = identity
      ? {
          ...identityHeaders(identity),
          [signedIdentityHeader]: await hallpass.signIdentity(identity, audience),
        }
      : {}
    const headers = requestHeaders(incoming, {
      request,
      identity: told,
      byKey,
      forwarded,
      host,
      via,
      isUpgrade,
      trace,
      leftOut,
    })
    return { incoming, outgoing, request, target: targetWithoutKeys(request, byKey), headers, isUpgrade }
  }

  /** A browser that wants a page goes to sign in, and comes back. */
  function signIn(asked: Request, request: ForwardableRequest): Response | undefined {
    const wantsPage = (asked.headers.get('accept') ?? '').includes('text/html')
    const isScript = asked.headers.has('x-requested-with')
    if (request.method !== 'GET' || !wantsPage || isScript || !request.isPathPlain) return undefined
    const back = encodeURIComponent(targetWithoutKeys(request, false))
    const location = `${goAndSignInPath}?redirect=${back}`
    return new Response(null, { status: 302, headers: { location, 'cache-control': 'no-store' } })
  }

  async function refuse(incoming: IncomingMessage, outgoing: ServerResponse, why: Refusal): Promise<void> {
    // Its own target may be the very thing that cannot be read.
    const asked = new Request('http://localhost/', { headers: { accept: incoming.headers.accept ?? '' } })
    await sendResponse(incoming, outgoing, hallpass.refuse(asked, why))
  }

  const gateway: NodeGateway = {
    request(incoming, outgoing) {
      const request = begin(incoming, outgoing)
      if (!request) return
      // Hallpass's own router reads the target too, and must read the same.
      incoming.url = request.target
      if (answerAtOnce(hallpass, incoming, outgoing)) return
      const question = plainQuestionOf(incoming)
      const admitted = question && hallpass.admitNow(question)
      if (admitted)
        return void pass(new Passage(incoming, outgoing, request, { trace: traceOf(question) }), admitted)
      requests.set(incoming, request)
      if (expectsContinue(incoming) && !request.waitsForContinue) sendContinue(outgoing)
      // It is none of Hallpass's routes, though a URL, which resolves dot segments, would make one of it.
      if (!request.isPathPlain) return void pass(new Passage(incoming, outgoing, request))
      if (request.body !== 'none') bodyTimers.set(incoming, limitBody(incoming))
      void ownRoutes(incoming, outgoing)
    },

    upgrade(incoming, socket, head) {
      const outgoing = responseOn(incoming, socket)
      if (!outgoing) return
      const request = begin(incoming, outgoing)
      if (!request) return
      if (!isWebSocketUpgrade(incoming) || request.body !== 'none') {
        const problem = 'it asks for an upgrade that is not that of a WebSocket'
        void refuse(incoming, outgoing, refusal('request_ambiguous', { problem }))
        return
      }
      incoming.url = request.target
      void pass(new Passage(incoming, outgoing, request, { upgrade: { socket, head } }))
    },

    shouldUpgrade: isWebSocketUpgrade,

    breakOff() {
      upgraded.destroyAll()
      upstream.close()
    },
  }
  return gateway
}

/** Other upgrades, such as that to HTTP/2, would lead past every decision that is made here, and are not made. */
function isWebSocketUpgrade({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket'
}

/** How long a body may take that is for Hallpass itself; it reads no large ones. */
const ownBodyMs = 60_000

/** Ends a connection that does not bring its body in time; the answer calls that off. */
function limitBody(incoming: IncomingMessage): () => void {
  const timer = setTimeout(() => incoming.socket.destroy(), ownBodyMs)
  const off = (): void => clearTimeout(timer)
  incoming.once('close', off)
  return off
}

/** What is known of a request before it goes on its way. */
interface Beginnings {
  /** The trace that somebody has asked for. */
  readonly trace?: Trace | undefined
  /** The Request that was made of it. */
  readonly request?: Request
  /** The connection of a request that asks to change the protocol. */
  readonly upgrade?: { readonly socket: Duplex; readonly head: Buffer }
}

/** A request on its way to the application. */
class Passage {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly request: ForwardableRequest
  readonly upgrade: Beginnings['upgrade'] | undefined
  #trace: Trace | undefined
  #asked: Request | undefined

  constructor(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    request: ForwardableRequest,
    known: Beginnings = {},
  ) {
    this.incoming = incoming
    this.outgoing = outgoing
    this.request = request
    this.upgrade = known.upgrade
    this.#trace = known.trace
    this.#asked = known.request
  }

  /** The request as decisions are made on it: its body stays where it is. Made when it is asked for. */
  get asked(): Request {
    if (!this.#asked) {
      this.#asked = standardRequest(this.incoming, this.request)
      if (this.#trace) shareTrace(this.#trace, this.#asked)
    }
    return this.#asked
  }

  get trace(): Trace {
    this.#trace ??= traceOf(this.asked)
    return this.#trace
  }

  /** For what could not even be made a Request of. */
  get traceSoFar(): Trace {
    return this.#trace ?? (this.#asked ? traceOf(this.#asked) : new Trace(undefined))
  }
}

function standardRequest(incoming: IncomingMessage, { method, target, host }: ForwardableRequest): Request {
  const headers = new Headers()
  for (let index = 0; index + 1 < incoming.rawHeaders.length; index += 2) {
    headers.append(incoming.rawHeaders[index] ?? '', incoming.rawHeaders[index + 1] ?? '')
  }
  return new Request(`${scheme(incoming)}://${host || 'localhost'}${target}`, { method, headers })
}

function reportOnErrorStream(error: unknown, { method, path }: { method: string; path: string }): void {
  const problem = error instanceof Error ? error.message : String(error)
  console.error(`gateway: no answer to ${method} ${path}: ${problem}`)
}
