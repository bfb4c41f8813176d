/** The fast lane: requests of `node:http` that Hallpass answers, or decides about, before a `Request` is made of them. */
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
  const question = plainQuestionOf(incoming)
  if (!question) return false
  const answer = hallpass.answerNow(question)
  if (!answer) {
    connections.set(incoming, question.connection)
    return false
  }
  // Node takes the list as it is, and does not change it.
  outgoing.writeHead(200, answer.headers as string[])
  outgoing.end(answer.body)
  return true
}

/** The request as the fast lane takes it; undefined where it has to go the ordinary way. */
export function plainQuestionOf(incoming: IncomingMessage): PlainQuestion | undefined {
  const { method, url: target } = incoming
  if (method === undefined || target === undefined || !isPlain(incoming)) return undefined
  const connection: Connection = {
    remoteAddress: incoming.socket.remoteAddress ?? null,
    requestTarget: target,
  }
  return { method, target, headers: new IncomingHeaders(incoming), connection }
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

const plainHost = /^([a-z0-9.-]+)(?::[0-9]+)?$/

/** The host that was plain last: nearly all requests name the same. */
let lastPlainHost: string | undefined

/** A name and a port that a URL has as they are: not `1.2.3.4.5`, nor `a.test:99999`, of which no `Request` can be made. */
function isPlainHost(host: string): boolean {
  if (host === lastPlainHost) return true
  const name = plainHost.exec(host)?.[1]
  if (name === undefined || URL.parse(`http://${host}`)?.hostname !== name) return false
  lastPlainHost = host
  return true
}

function isPlain({ headers, rawHeaders, httpVersionMinor, httpVersionMajor }: IncomingMessage): boolean {
  if (httpVersionMajor !== 1 || httpVersionMinor !== 1) return false
  const { host } = headers
  if (host === undefined || !isPlainHost(host)) return false
  if (headers['transfer-encoding'] !== undefined || headers['content-length'] !== undefined) return false
  if (headers.expect !== undefined || headers.upgrade !== undefined) return false
  let names = 0
  for (const _name in headers) names += 1
  return names * 2 === rawHeaders.length
}

/** Headers none of which came twice. */
class IncomingHeaders implements HeaderReader {
  readonly #headers: NodeJS.Dict<string | string[]>

  constructor(incoming: IncomingMessage) {
    this.#headers = incoming.headers
  }

  get(name: string): string | null {
    const value = this.#headers[name]
    return value === undefined ? null : typeof value === 'string' ? value : value.join(', ')
  }

  keys(): Iterable<string> {
    return Object.keys(this.#headers)
  }
}
