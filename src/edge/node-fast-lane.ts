/** The fast lane: requests of `node:http` that Hallpass answers at once, before a `Request` is made of them. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HeaderReader } from '../domain/header-reader.ts'
import type { PlainAnswer, PlainQuestion } from '../domain/plain-answer.ts'
import type { Connection } from '../domain/ports.ts'

/** What the lane needs of a Hallpass; what `createHallpass` returns is one. */
export interface AnsweringHallpass {
  answerNow(question: PlainQuestion): PlainAnswer | undefined
}

/**
 * Answers the request if that can be done at once. False when it has to take the ordinary way, which sends the same, byte
 * for byte. Whatever two readers could take in two ways is left to that: headers that came twice, a body, a host that is
 * not a plain name.
 */
export function answerAtOnce(
  hallpass: AnsweringHallpass,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): boolean {
  const { url: target } = incoming
  if (target === undefined || incoming.method !== 'GET' || !mayBeForUs(target)) return false
  const headers = plainHeaders(incoming)
  if (!headers) return false
  const connection: Connection = {
    remoteAddress: incoming.socket.remoteAddress ?? null,
    requestTarget: target,
  }
  const answer = hallpass.answerNow({
    method: 'GET',
    target,
    headers,
    connection,
  })
  if (!answer) {
    connections.set(incoming, connection)
    return false
  }
  // Node takes the list as it is, and does not change it.
  outgoing.writeHead(200, answer.headers as string[])
  outgoing.end(answer.body)
  return true
}

/** How a request reached the process. One that was in the lane keeps its connection, by which is known what was decided. */
export function connectionOf(incoming: IncomingMessage): Connection {
  const known = connections.get(incoming)
  if (known) return known
  const remoteAddress = incoming.socket.remoteAddress ?? null
  return incoming.url === undefined ? { remoteAddress } : { remoteAddress, requestTarget: incoming.url }
}

const connections = new WeakMap<IncomingMessage, Connection>()

/** Spares all other requests the look at their headers. */
function mayBeForUs(target: string): boolean {
  return target.startsWith('/hallpass/forward-auth') || target.startsWith('/session/current')
}

const plainHost = /^[a-z0-9.-]+(?::[0-9]+)?$/

/**
 * The headers, where they can be read in one way. Read off what came: to have `node:http` sort them first would take
 * longer than the decision.
 */
function plainHeaders(incoming: IncomingMessage): HeaderReader | undefined {
  const { rawHeaders, httpVersionMinor, httpVersionMajor } = incoming
  if (httpVersionMajor !== 1 || httpVersionMinor !== 1) return undefined
  const headers = new Map<string, string>()
  for (let at = 1; at < rawHeaders.length; at += 2) {
    headers.set(lowerCased(rawHeaders[at - 1] ?? ''), rawHeaders[at] ?? '')
  }
  if (headers.size * 2 !== rawHeaders.length) return undefined
  const host = headers.get('host')
  if (host === undefined || !plainHost.test(host)) return undefined
  for (const name of unplain) if (headers.has(name)) return undefined
  return new IncomingHeaders(headers)
}

/** Headers of requests that have a body, or are more than a question. */
const unplain = ['transfer-encoding', 'content-length', 'expect', 'upgrade']

/** Headers none of which came twice. */
class IncomingHeaders implements HeaderReader {
  readonly #headers: ReadonlyMap<string, string>

  constructor(headers: ReadonlyMap<string, string>) {
    this.#headers = headers
  }

  get(name: string): string | null {
    return this.#headers.get(name) ?? null
  }

  keys(): Iterable<string> {
    return this.#headers.keys()
  }
}

/** Names of headers as they came, and in lower case: the same few come with every request. */
const lowerCase = new Map<string, string>()

/** How many are remembered, of no more than so many characters. */
const rememberedNames = 500
const longestRemembered = 50

function lowerCased(name: string): string {
  const known = lowerCase.get(name)
  if (known !== undefined) return known
  const lower = name.toLowerCase()
  if (name.length > longestRemembered) return lower
  if (lowerCase.size >= rememberedNames) lowerCase.clear()
  lowerCase.set(name, lower)
  return lower
}
