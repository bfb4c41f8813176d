/** The application behind the gateway, as something that requests can be sent to. */
import { Agent, type ClientRequest, request as requestHttp } from 'node:http'
import { request as requestHttps, Agent as TlsAgent } from 'node:https'
import { type Refusal, refusal } from '../protocol/errors.ts'

/** How long the application may take; all in milliseconds. */
export interface UpstreamTimeouts {
  /** To accept a connection. Default 5000: on the same network it is there at once, or not at all. */
  readonly connectTimeoutMs?: number
  /**
   * From the request's last byte to the answer's first. Default 60 000: what takes longer is better answered with 202,
   * since browsers and proxies in front give up as well.
   */
  readonly responseTimeoutMs?: number
  /**
   * Without a byte in either direction, in a body or an upgraded connection. Default 300 000: those who keep a
   * connection open for events send something, if only a comment, every half minute or so.
   */
  readonly idleTimeoutMs?: number
}

export interface Upstream extends Required<UpstreamTimeouts> {
  /** Such as `http://127.0.0.1:3000`. */
  readonly origin: string
  /** What a Host header for it says. */
  readonly host: string
  /** Begins a request with exactly these headers, names and values in turn. `isFresh`: on a connection of its own. */
  send(method: string, target: string, headers: string[], isFresh: boolean): ClientRequest
  /** Closes the connections that wait for use. */
  close(): void
}

/** Longer than any honest answer's headers; Node's own default is 16 KiB, which some sets of cookies pass. */
const maxHeaderSize = 64 * 1024

/**
 * A connection that nobody used for so long is closed here, before the application may close it under a request: the
 * shortest such time among the servers in wide use is five seconds.
 */
const keptIdleMs = 4000

/** @throws TypeError for an address that is not http or https, or has a path, a query or credentials */
export function createUpstream(address: string, timeouts: UpstreamTimeouts): Upstream {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (
    !url ||
    !/^https?:$/.test(url.protocol) ||
    url.pathname !== '/' ||
    `${url.search}${url.hash}${url.username}${url.password}` !== ''
  ) {
    throw new TypeError(`the upstream must be an address such as http://127.0.0.1:3000, not ${address}`)
  }
  const isTls = url.protocol === 'https:'
  // One connection after the other, the one used last first: those that are not needed any more get to be idle.
  const pool = { keepAlive: true, scheduling: 'lifo', timeout: keptIdleMs } as const
  const agent = isTls ? new TlsAgent(pool) : new Agent(pool)
  const begin = isTls ? requestHttps : requestHttp
  return {
    origin: url.origin,
    host: url.host,
    connectTimeoutMs: timeouts.connectTimeoutMs ?? 5000,
    responseTimeoutMs: timeouts.responseTimeoutMs ?? 60_000,
    idleTimeoutMs: timeouts.idleTimeoutMs ?? 300_000,
    send: (method, target, headers, isFresh) => {
      const sending = begin({
        protocol: url.protocol,
        // An IPv6 address is in brackets in an address only.
        hostname: url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port === '' ? (isTls ? 443 : 80) : url.port,
        method,
        path: target,
        headers,
        maxHeaderSize,
        agent: isFresh ? false : agent,
      })
      // Node would leave out, without a word, what is beyond the two-thousandth.
      sending.maxHeadersCount = 0
      return sending
    },
    close: () => agent.destroy(),
  }
}

/** What a request is ended with that took too long. */
export class TooLate extends Error {
  override readonly name = 'TooLate'
  readonly refusal: Refusal

  constructor(reason: 'upstream_unreachable' | 'upstream_timeout', message: string) {
    super(message)
    this.refusal = refusal(reason)
  }
}

/** Why there is no answer, from the error that sending or reading met. */
export function upstreamRefusal(error: unknown): Refusal {
  if (error instanceof TooLate) return error.refusal
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'HPE_HEADER_OVERFLOW') return invalid(`its headers are longer than ${maxHeaderSize} bytes`)
  if (code.startsWith('HPE_')) return invalid('it is not well-formed')
  if (code === 'ECONNRESET' || code === 'EPIPE') return invalid('it closed the connection without an answer')
  if (code.startsWith('ERR_')) return invalid('it holds what no answer may')
  return refusal('upstream_unreachable')
}

function invalid(problem: string): Refusal {
  return refusal('upstream_invalid', { problem })
}
