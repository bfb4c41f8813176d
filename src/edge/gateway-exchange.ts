/** One request to the application, and its answer back to the caller: streams both, keeps neither. */
import type { ClientRequest, IncomingMessage, OutgoingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { answerHeaders, answerTrailers } from './gateway-headers.ts'
import { expectsContinue, type ForwardableRequest, hasBody } from './gateway-request.ts'
import { TooLate, type Upstream, upstreamRefusal } from './upstream.ts'

/** A request at the gateway, with what goes on of it. */
export interface Exchange {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly request: ForwardableRequest
  /** What the application is asked for. */
  readonly target: string
  /** Names and values in turn. */
  readonly headers: string[]
  readonly isUpgrade: boolean
}

/** What came of asking the application. */
export type Reply =
  | { readonly kind: 'answer'; readonly answer: IncomingMessage; readonly sending: ClientRequest }
  | {
      readonly kind: 'upgraded'
      readonly answer: IncomingMessage
      readonly socket: Duplex
      readonly head: Buffer
    }
  /** `cause` is for the operator. */
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly cause: unknown }
  /** Nobody waits for an answer any more. */
  | { readonly kind: 'gone' }

/** Sends the request, and resolves once the answer's head is there, or it is known why there is none. Never rejects. */
export async function askUpstream(upstream: Upstream, exchange: Exchange): Promise<Reply> {
  const first = await tryOnce(upstream, exchange, exchange.isUpgrade)
  if (first.kind !== 'refused' || !first.isStale || !mayRepeat(exchange.request)) return first
  return tryOnce(upstream, exchange, true)
}

type Try = Exclude<Reply, { kind: 'refused' }> | (Extract<Reply, { kind: 'refused' }> & { isStale: boolean })

/**
 * A connection that was kept may have been closed by the application while the request was on its way. Only what
 * changes nothing is then sent again: of anything else it cannot be known whether it was carried out (RFC 9110 §9.2.2).
 */
function mayRepeat(request: ForwardableRequest): boolean {
  return ['GET', 'HEAD', 'OPTIONS'].includes(request.method) && !hasBody(request)
}

function tryOnce(upstream: Upstream, exchange: Exchange, isFresh: boolean): Promise<Try> {
  const { incoming, outgoing, request } = exchange
  const { promise, resolve } = Promise.withResolvers<Try>()
  if (outgoing.destroyed) return Promise.resolve({ kind: 'gone' })
  let sending: ClientRequest
  try {
    sending = upstream.send(request.method, exchange.target, exchange.headers, isFresh)
  } catch (cause) {
    const why = refusal('request_ambiguous', { problem: 'a header holds what no header may' })
    return Promise.resolve({ kind: 'refused', refusal: why, cause, isStale: false })
  }
  const isIdle = watchIdle(
    upstream.idleTimeoutMs,
    incoming.socket,
    () => sending.socket,
    () => sending.destroy(new TooLate('upstream_timeout', 'nothing was sent or received for too long')),
  )
  let timer: NodeJS.Timeout | undefined
  let isSettled = false
  const limit = (ms: number, reason: 'upstream_unreachable' | 'upstream_timeout', what: string): void => {
    clearTimeout(timer)
    // An answer may come before the request's end, and then takes the time it takes.
    if (!isSettled)
      timer = setTimeout(() => sending.destroy(new TooLate(reason, `${what} took longer than ${ms} ms`)), ms)
  }
  const giveUp = (): void => {
    sending.destroy()
    resolve({ kind: 'gone' })
  }
  const settle = (reply: Try): void => {
    isSettled = true
    clearTimeout(timer)
    resolve(reply)
  }

  outgoing.once('close', giveUp)
  sending.once('close', () => {
    isIdle.stop()
    outgoing.off('close', giveUp)
    if (isSettled) return
    // Without an error an upgrade ends that nobody asked for.
    const cause = new Error('the application closed the connection, or changed the protocol unasked')
    const why = refusal('upstream_invalid', { problem: 'it closed the connection without an answer' })
    settle({ kind: 'refused', refusal: why, cause, isStale: false })
  })
  sending.once('socket', (socket) => {
    if (!socket.connecting) return
    limit(upstream.connectTimeoutMs, 'upstream_unreachable', 'connecting')
    socket.once('connect', () => clearTimeout(timer))
  })
  sending.once('finish', () => limit(upstream.responseTimeoutMs, 'upstream_timeout', 'the answer'))
  sending.on('continue', () => {
    if (!request.waitsForContinue || outgoing.headersSent) return
    orElse(
      () => sendContinue(outgoing),
      (error) => sending.destroy(error),
    )
  })
  sending.on('information', ({ statusCode, headers }) => {
    if (incoming.httpVersion === '1.0' || outgoing.headersSent) return
    if (statusCode === 102) orElse(() => outgoing.writeProcessing(), ignore)
    else if (statusCode === 103) sendEarlyHints(outgoing, headers.link)
  })
  sending.once('response', (answer) => {
    // A connection that breaks is noticed by whoever reads the answer; this is only so that it is not thrown.
    answer.on('error', () => {})
    settle({ kind: 'answer', answer, sending })
  })
  if (exchange.isUpgrade) {
    sending.once('upgrade', (answer, socket, head) => settle({ kind: 'upgraded', answer, socket, head }))
  }
  sending.on('error', (cause) => {
    const isStale = sending.reusedSocket && !(cause instanceof TooLate)
    settle({ kind: 'refused', refusal: upstreamRefusal(cause), cause, isStale })
  })
  if (hasBody(request)) {
    // So that the application can answer before the first byte of the body.
    flushHead(sending, exchange.headers)
    incoming.pipe(sending)
  } else {
    sending.end()
  }
  return promise
}

/**
 * Hands hints on as far as they can be. They are nothing but hints, and Node takes fewer forms of them than there are:
 * `rel="preload stylesheet"` it refuses. What it refuses is left out, and the answer comes all the same.
 */
function sendEarlyHints(outgoing: ServerResponse, header: string | string[] | undefined): void {
  const text = [header ?? []].flat().join(', ')
  const links = text.length > maxHintsLength ? [] : splitLinks(text)
  // All in one answer; one after the other only where one of them cannot be sent.
  const sendSingly = (): void => {
    for (const link of links) orElse(() => outgoing.writeEarlyHints({ link }), ignore)
  }
  if (links.length > 0) orElse(() => outgoing.writeEarlyHints({ link: links }), sendSingly)
}

/** Longer ones are left out, for taking them apart takes time. */
const maxHintsLength = 8192

/** The links of a `Link` header (RFC 8288 §3). Commas within `<…>` and within quotes divide nothing. */
function splitLinks(header: string): string[] {
  return (header.match(/(?:<[^>]*>|"(?:\\.|[^"\\])*"|[^,])+/g) ?? [])
    .map((link) => link.trim())
    .filter((link) => link !== '')
}

/**
 * For what listeners do: nobody catches what is thrown in one, so that it would end the whole process. Node throws for
 * what no message may hold, and what the application sends decides what it is given.
 */
function orElse(act: () => void, onError: (error: Error) => void): void {
  try {
    act()
  } catch (error) {
    onError(error instanceof Error ? error : new Error(String(error)))
  }
}

function ignore(): void {}

/** Tells a caller that waits to go on and send the body. */
export function sendContinue(outgoing: ServerResponse): void {
  continued.add(outgoing)
  outgoing.writeContinue()
}

/** Those whose caller was told so. */
const continued = new WeakSet<ServerResponse>()

/** Hands the answer on as it comes. `replaced` stand in the place of its headers of these names. */
export function relayAnswer(
  { incoming, outgoing }: Exchange,
  { answer, sending }: Extract<Reply, { kind: 'answer' }>,
  replaced: Headers,
): void {
  beforeAnswer(incoming, outgoing)
  const headers = answerHeaders(answer, replaced)
  outgoing.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers)
  // Whoever waits for events must know at once that the stream is open. Most answers bring their first bytes along with
  // the head, and then all of it goes out as one.
  const flushing = setImmediate(() => flushHead(outgoing, headers))
  const keepTogether = (): void => clearImmediate(flushing)
  answer.pipe(outgoing, { end: false })
  answer.once('data', keepTogether)
  outgoing.once('close', keepTogether)
  answer.once('end', () => {
    keepTogether()
    orElse(
      () => {
        const trailers = answerTrailers(answer)
        if (trailers.length > 0 && outgoing.chunkedEncoding) outgoing.addTrailers(trailers)
        outgoing.end()
      },
      () => breakOff(incoming, outgoing),
    )
    if (incoming.complete) return
    // It said what it had to say about a body that it did not want to read to its end.
    incoming.unpipe(sending)
    sending.destroy()
    discardBody(incoming)
  })
  answer.once('close', () => {
    if (!answer.complete) breakOff(incoming, outgoing)
  })
}

/** Answers a request whose body, perhaps, nobody has read. */
export async function sendResponse(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  response: Response,
): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer())
  if (outgoing.headersSent || outgoing.destroyed) return breakOff(incoming, outgoing)
  beforeAnswer(incoming, outgoing)
  const headers = [...response.headers].flat()
  outgoing.writeHead(response.status, [...headers, 'content-length', String(body.length)])
  outgoing.end(body)
  if (!incoming.complete) discardBody(incoming)
}

/** Node sends a head that is flushed as UTF-8, which changes bytes beyond ASCII; with the first of a body it does not. */
function flushHead(message: OutgoingMessage, headers: readonly string[]): void {
  if (headers.every((text) => !/[\u0080-\uffff]/.test(text))) message.flushHeaders()
}

/** A caller that was not told to send its body may send it or not, so that nobody knows where the next request begins. */
function beforeAnswer(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const waits = expectsContinue(incoming) && !continued.has(outgoing)
  if (waits && !incoming.complete) outgoing.shouldKeepAlive = false
}

/** How long a caller may go on sending what nobody wants, so that it gets to read why. */
const lingerMs = 10_000

function discardBody(incoming: IncomingMessage): void {
  const { socket } = incoming
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  const done = (): void => clearTimeout(timer)
  incoming.once('end', done)
  socket.once('close', done)
  incoming.resume()
}

/** Ends the caller's connection so that it cannot take what it has for the whole. */
function breakOff(incoming: IncomingMessage, outgoing: ServerResponse): void {
  // Without a length or chunks the end of the connection is the end of the answer, and only a reset is none.
  const isToldByEnd = incoming.httpVersion === '1.0' && 'resetAndDestroy' in incoming.socket
  if (isToldByEnd && !outgoing.writableFinished) incoming.socket.resetAndDestroy()
  else outgoing.destroy()
}

/**
 * Calls `onIdle` when neither socket has moved a byte for `ms`, or a quarter longer at the most. Counts bytes, since a
 * slow reader takes what was written long ago.
 */
export function watchIdle(
  ms: number,
  caller: Socket,
  upstream: () => Socket | Duplex | null,
  onIdle: () => void,
): { stop(): void } {
  let before = -1
  let since = Date.now()
  const timer = setInterval(
    () => {
      const other = upstream()
      const moved = bytesMoved(caller) + (other && 'bytesRead' in other ? bytesMoved(other) : 0)
      if (moved !== before) since = Date.now()
      before = moved
      if (Date.now() - since >= ms) onIdle()
    },
    Math.max(ms / 4, 10),
  )
  timer.unref()
  return { stop: () => clearInterval(timer) }
}

function bytesMoved({ bytesRead, bytesWritten, writableLength }: Socket): number {
  // What waits to be written has not moved yet.
  return bytesRead + bytesWritten - writableLength
}
