/**
 * What a request must be before it goes on. Node's parser has refused by then what no parser may accept: a length beside
 * `Transfer-Encoding`, two lengths, folded headers, bare line feeds, a space before a colon. What is left here is what
 * is allowed in HTTP and yet read differently by different programs.
 */
import type { IncomingMessage } from 'node:http'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { plainHeaderName } from '../protocol/lenient-names.ts'
import { normalizeRoute } from '../protocol/route.ts'

/** A request that every program reads in one way, but perhaps for its path. */
export interface ForwardableRequest {
  readonly method: string
  /** Path and query as they were received, beginning with a slash. */
  readonly target: string
  readonly rawPath: string
  /** False when the path can be read in two ways; then no decision about a key can be made on it. */
  readonly isPathPlain: boolean
  /** As it was received; empty in HTTP/1.0 without one. */
  readonly host: string
  readonly body: 'none' | 'chunked' | { readonly length: string }
  /** Whether the caller is to hear from the application before it sends the body, which is a large one. */
  readonly waitsForContinue: boolean
}

/** Reads the request line and the headers. Reasons: `request_ambiguous`, `method_not_forwarded`. */
export function readForwardable(
  incoming: IncomingMessage,
):
  | { readonly outcome: 'read'; readonly request: ForwardableRequest }
  | { readonly outcome: 'refused'; readonly refusal: Refusal } {
  const { method = 'GET', url = '', httpVersion, headers } = incoming
  // TRACE answers with the request that arrived, identity and all; CONNECT asks for a tunnel to anywhere.
  if (unforwardable.includes(method)) return refused(refusal('method_not_forwarded', { method }))
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return ambiguous(`HTTP/${httpVersion} in this form`)
  const twice = sentTwice(incoming.rawHeaders)
  if (twice !== undefined) return ambiguous(`\`${twice}\` is there more than once`)

  const host = headers.host ?? ''
  if (!/^[^\s/?#@\\,]*$/.test(host)) return ambiguous('`Host` is no host')
  const target = originForm(url, host)
  if (target === undefined) return ambiguous('its target is neither a path nor an address of this host')
  const rawPath = target.split('?', 1)[0] ?? target

  const coding = headers['transfer-encoding']
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || httpVersion === '1.0')) {
    return ambiguous(`\`Transfer-Encoding: ${coding}\` in HTTP/${httpVersion}`)
  }
  const length = headers['content-length']
  return {
    outcome: 'read',
    request: {
      method,
      target,
      rawPath,
      isPathPlain: normalizeRoute(method, rawPath).outcome === 'route',
      host,
      body: coding === undefined ? (length === undefined ? 'none' : { length }) : 'chunked',
      waitsForContinue: expectsContinue(incoming) && Number(length ?? 0) > smallBodyBytes,
    },
  }
}

/** Whether there is a body of at least one byte, as far as the headers tell. */
export function hasBody({ body }: ForwardableRequest): boolean {
  return body === 'chunked' || (body !== 'none' && Number(body.length) > 0)
}

/** Whether the caller waits to be told before it sends the body. */
export function expectsContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return httpVersion === '1.1' && headers.expect?.toLowerCase() === '100-continue'
}

/** Waiting for an answer costs more than to send a body of this size, which is also the largest that Hallpass reads. */
const smallBodyBytes = 64 * 1024

const unforwardable: readonly string[] = ['TRACE', 'TRACK', 'CONNECT']

/** Of these two programs may go by different ones, when there are two. */
const single: readonly string[] = [
  'host',
  'content-length',
  'content-type',
  'transfer-encoding',
  'expect',
  'upgrade',
  'authorization',
  'origin',
  'sec-fetch-site',
  'x-csrf-token',
  'user-api-key',
  'user-api-client-id',
  'api-key',
  'api-username',
  'api-user-id',
  'api-user-external-id',
]

function sentTwice(rawHeaders: readonly string[]): string | undefined {
  const seen = new Set<string>()
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = plainHeaderName(rawHeaders[index] ?? '')
    if (!single.includes(name)) continue
    if (seen.has(name)) return name
    seen.add(name)
  }
  return undefined
}

/** The target as path and query; undefined for another host's, for `*`, and for what a target cannot hold (RFC 9112 §3.2). */
function originForm(url: string, host: string): string | undefined {
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url)
  if (absolute && absolute[1]?.toLowerCase() !== host.toLowerCase()) return undefined
  const rest = absolute?.[2]
  const target = rest === undefined || rest.startsWith('/') ? (rest ?? url) : `/${rest}`
  return /^\/[\x21\x22\x24-\x7e]*$/.test(target) ? target : undefined
}

function ambiguous(problem: string): { readonly outcome: 'refused'; readonly refusal: Refusal } {
  return refused(refusal('request_ambiguous', { problem }))
}

function refused(why: Refusal): { readonly outcome: 'refused'; readonly refusal: Refusal } {
  return { outcome: 'refused', refusal: why }
}
