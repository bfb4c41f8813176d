/** Requests to other hosts: the implementation of the domain’s port, on Node’s own HTTP client. */
import { lookup as systemLookup } from 'node:dns/promises'
import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import type { Outbound, OutboundAnswer, OutboundRequest } from '../domain/ports.ts'
import { isPublicAddress } from '../domain/public-address.ts'

/** An address that a host name leads to. */
export interface HostAddress {
  readonly address: string
  readonly family: number
}

export interface OutboundOptions {
  /** Whether a request may go to an IP address. Default: to those of the public internet. */
  readonly mayReach?: (address: string) => boolean
  /** What a host name leads to. Default: the system’s resolver. */
  readonly resolve?: (hostname: string) => Promise<readonly HostAddress[]>
}

/** How long connecting may take, name resolution and TLS included, in milliseconds. A host that is up does it in one. */
const connectTimeoutMs = 5000

/** How much of an answer’s body is read before the connection is closed, in bytes. Nothing in it counts. */
const maximumAnswerBytes = 16 * 1024

/**
 * Sends requests to http and https addresses, by default to public ones alone. What is checked is the address that is connected
 * to, so that a host name cannot mean one address to the check and another to the connection. No redirect is followed,
 * no proxy of the environment is used, certificates are verified whatever the environment says, and no connection is
 * used twice.
 */
export function createOutbound(options: OutboundOptions = {}): Outbound {
  const { mayReach = isPublicAddress, resolve = resolveBySystem } = options
  const lookup = checkedLookup(mayReach, resolve)
  return {
    post: async (address, sent) => {
      const url = URL.canParse(address) ? new URL(address) : undefined
      const problem = url ? problemOf(url, mayReach) : 'it is no address'
      return !url || problem !== undefined
        ? { outcome: 'refused', problem: problem ?? 'it is no address' }
        : send(url, sent, lookup)
    },
  }
}

/** Why nothing is sent to `url`; undefined when something may be. */
function problemOf(url: URL, mayReach: (address: string) => boolean): string | undefined {
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return 'it is neither an http nor an https address'
  if (url.username !== '' || url.password !== '') return 'it holds a user name or a password'
  // Node looks no IP address up, so those are checked here. The URL parser has made 0x7f.1 and the like plain.
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return isIP(host) === 0 || mayReach(host) ? undefined : notPublic(host)
}

function notPublic(address: string): string {
  return `${address} is not an address of the public internet, and HALLPASS_ALLOW_PRIVATE_PUSH is not set`
}

/** Gives the connection those addresses of a host that may be reached, and no other. */
function checkedLookup(
  mayReach: (address: string) => boolean,
  resolve: (hostname: string) => Promise<readonly HostAddress[]>,
): LookupFunction {
  return (hostname, { all }, callback) => {
    resolve(hostname)
      .then((found) => {
        const reachable = found.filter(({ address }) => mayReach(address))
        const [first] = reachable
        if (first === undefined) throw new Unreachable(found[0]?.address)
        return { reachable: reachable.map(({ address, family }) => ({ address, family })), first }
      })
      .then(
        ({ reachable, first }) =>
          all ? callback(null, reachable) : callback(null, first.address, first.family),
        (error: Error) => callback(error, '', 0),
      )
  }
}

/** None of a host’s addresses may be reached. */
class Unreachable extends Error {
  override readonly name = 'Unreachable'

  constructor(address: string | undefined) {
    super(address === undefined ? 'its host has no address' : `its host leads to ${notPublic(address)}`)
  }
}

async function resolveBySystem(hostname: string): Promise<readonly HostAddress[]> {
  return systemLookup(hostname, { all: true })
}

function send(url: URL, sent: OutboundRequest, lookup: LookupFunction): Promise<OutboundAnswer> {
  const { promise, resolve } = Promise.withResolvers<OutboundAnswer>()
  const isSecure = url.protocol === 'https:'
  const options: RequestOptions = {
    method: 'POST',
    headers: { ...sent.headers, 'content-length': Buffer.byteLength(sent.body) },
    lookup,
    maxHeaderSize: maximumAnswerBytes,
    // Of its own, because the global one may have been told to use a proxy, or hold connections open.
    agent: isSecure ? new HttpsAgent({ rejectUnauthorized: true }) : new HttpAgent(),
  }
  const request = isSecure ? httpsRequest(url, options) : httpRequest(url, options)

  let answer: OutboundAnswer | undefined
  const finish = (otherwise: string): void => {
    clearTimeout(connecting)
    clearTimeout(whole)
    sent.signal?.removeEventListener('abort', abort)
    resolve(answer ?? { outcome: 'failed', problem: otherwise })
    request.destroy()
  }
  const abort = (): void => finish('it was broken off, because the server stops')
  const connecting = setTimeout(
    () => finish(`it could not be connected to within ${connectTimeoutMs / 1000} s`),
    connectTimeoutMs,
  )
  const whole = setTimeout(
    () => finish(`it did not answer within ${sent.timeoutMs / 1000} s`),
    sent.timeoutMs,
  )

  request.once('socket', (socket) =>
    socket.once(isSecure ? 'secureConnect' : 'connect', () => clearTimeout(connecting)),
  )
  request.once('response', (response) => {
    answer = answerOf(response)
    drop(response, () => finish(''))
  })
  // Stays, because breaking a request off can make it fail once more.
  request.on('error', (error) => finish(wordsFor(error)))
  request.once('close', () => finish('it closed the connection without an answer'))
  if (sent.signal?.aborted) abort()
  else {
    sent.signal?.addEventListener('abort', abort, { once: true })
    request.end(sent.body)
  }
  return promise
}

function answerOf(response: IncomingMessage): OutboundAnswer {
  return {
    outcome: 'answered',
    status: response.statusCode ?? 0,
    retryAfter: response.headers['retry-after'],
  }
}

/** Reads an answer’s body to its end or its bound, so that its sender may finish, and keeps nothing of it. */
function drop(response: IncomingMessage, done: () => void): void {
  let read = 0
  response.on('data', (chunk: Buffer) => {
    read += chunk.length
    if (read > maximumAnswerBytes) done()
  })
  response.once('close', done)
  response.once('error', done)
}

function wordsFor(error: Error): string {
  if (error instanceof Unreachable) return error.message
  const code = 'code' in error ? String(error.code) : error.name
  const words: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nothing listens there',
    ECONNRESET: 'it closed the connection without an answer',
    EHOSTUNREACH: 'its host cannot be reached',
    ENETUNREACH: 'its host cannot be reached',
    ENOTFOUND: 'its host is unknown',
    EAI_AGAIN: 'its host could not be looked up',
    ETIMEDOUT: 'it could not be connected to in time',
    EPROTO: 'it does not speak TLS',
    DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
    SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is self-signed',
    CERT_HAS_EXPIRED: 'its certificate has expired',
    ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
  }
  return words[code] === undefined
    ? `it could not be reached, or its answer not be read (${code})`
    : `${words[code]} (${code})`
}
