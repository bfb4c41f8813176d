/** What of a request's headers and address goes on to the application, and what of an answer's comes back. */
import type { IncomingMessage } from 'node:http'
import type { Trace } from '../domain/trace.ts'
import { holdsOwnSecret, isOwnSetCookie } from '../identity/cookies.ts'
import { couldBeReadAs, namesInForm, plainHeaderName } from '../protocol/lenient-names.ts'
import { isBearerKey } from '../verify/credentials.ts'
import { isOverridingHeader } from '../verify/method-override.ts'
import type { ForwardableRequest } from './gateway-request.ts'
import { isIdentityHeader } from './identity-headers.ts'

export interface ForwardedFacts {
  readonly request: ForwardableRequest
  /** What the application is told in headers of ours. */
  readonly identity: Readonly<Record<string, string>>
  /** Whether a key sent it, so that its scopes were held against its method. */
  readonly byKey: boolean
  readonly forwarded: { readonly for: string; readonly proto: string; readonly host: string }
  /** What the `Host` header is to be. */
  readonly host: string
  /** Names this gateway in `Via`, so that it notices its own requests. */
  readonly via: string
  readonly isUpgrade: boolean
  readonly trace: Trace
  /** What else is left out, by {@link plainHeaderName}: headers by which a proxy in front signs people in. */
  readonly leftOut: ReadonlySet<string>
}

/**
 * The headers for the application, names and values in turn, in the caller's order and spelling. Left out is what
 * concerns one connection only (RFC 9110 §7.6.1), what says who sent the request, where it came from and where it goes, for
 * those are told anew, and every credential that is Hallpass's; whatever the spelling, since CGI reads `_` as `-`.
 */
export function requestHeaders(incoming: IncomingMessage, facts: ForwardedFacts): string[] {
  const { request, identity, forwarded, byKey, isUpgrade, leftOut, trace } = facts
  const named = connectionNames(incoming.headers.connection)
  const headers: string[] = ['Host', facts.host]
  let via = ''
  for (const [name, value] of pairs(incoming.rawHeaders)) {
    const plain = plainHeaderName(name)
    if (plain === 'via') via = via === '' ? value : `${via}, ${value}`
    if (isHopByHop(plain) || named.has(name.toLowerCase()) || rewritten.has(plain)) continue
    if (isIdentityHeader(name) || credentials.has(plain) || plain.startsWith('x-forwarded-')) continue
    if (leftOut.has(plain) || (byKey && isOverridingHeader(name))) continue
    // What goes with a trace that is not well-formed says nothing about ours (Trace Context §4.3).
    if (plain === 'traceparent' || (plain === 'tracestate' && !trace.parent)) continue
    if (plain === 'authorization' && isBearerKey(value)) continue
    if (plain === 'referer' && /[?&]user_api_key=/i.test(value)) continue
    const kept = plain === 'cookie' ? withoutOwnCookies(value) : value
    if (kept !== '') headers.push(name, kept)
  }
  for (const [name, value] of Object.entries(identity)) headers.push(name, value)
  headers.push('X-Forwarded-For', forwarded.for, 'X-Forwarded-Proto', forwarded.proto)
  if (forwarded.host !== '') headers.push('X-Forwarded-Host', forwarded.host)
  headers.push('Via', via === '' ? facts.via : `${via}, ${facts.via}`)
  headers.push('traceparent', trace.traceparent)
  if (isUpgrade) return [...headers, 'Connection', 'Upgrade', 'Upgrade', 'websocket']
  if (request.body === 'chunked') headers.push('Transfer-Encoding', 'chunked')
  else if (request.body !== 'none') headers.push('Content-Length', request.body.length)
  if (request.waitsForContinue) headers.push('Expect', '100-continue')
  return headers
}

/** Whether a request came through the gateway of this name already, which would go on for ever. */
export function isLoop({ headers }: IncomingMessage, via: string): boolean {
  return (headers.via ?? '').split(',').some((hop) => hop.trim() === via)
}

/**
 * The target without keys: `user_api_key` wherever it stands, which no application can want, and `api_key` where it has
 * the form of one of ours. For a request by key also `_method`, which some frameworks take for the method. All else is
 * byte for byte as it was received.
 */
export function targetWithoutKeys({ target, rawPath }: ForwardableRequest, byKey: boolean): string {
  if (target.length === rawPath.length) return target
  const kept = target
    .slice(rawPath.length + 1)
    .split('&')
    .filter((piece) => !isKey(new URLSearchParams(piece), byKey))
  return kept.length === 0 ? rawPath : `${rawPath}?${kept.join('&')}`
}

/**
 * The headers of the application's answer for the caller. `replaced` are those that Hallpass has put on it. A cookie that
 * would sign the browser in to Hallpass is not the application's to set.
 */
export function answerHeaders(answer: IncomingMessage, replaced: Headers): string[] {
  const named = connectionNames(answer.headers.connection)
  const headers: string[] = []
  for (const [name, value] of pairs(answer.rawHeaders)) {
    const plain = name.toLowerCase()
    if (isHopByHop(plain) || named.has(plain)) continue
    // What an answer varies by adds up; all else of Hallpass's takes the place of the application's.
    if (replaced.has(plain) && plain !== 'vary') continue
    if (plain === 'set-cookie' && isOwnSetCookie(value)) continue
    // RFC 9110 §8.6: not with 204.
    if (plain === 'content-length' && answer.statusCode === 204) continue
    headers.push(name, value)
  }
  for (const [name, value] of replaced) headers.push(name, value)
  return headers
}

/** Trailers that may follow an answer: all that could have been a header of it, and says nothing in Hallpass's name. */
export function answerTrailers(answer: IncomingMessage): [string, string][] {
  return [...pairs(answer.rawTrailers)].filter(([name]) => {
    const plain = name.toLowerCase()
    return (
      !isHopByHop(plain) &&
      !rewritten.has(plain) &&
      !neverInTrailers.has(plain) &&
      !isIdentityHeader(name) &&
      !plain.startsWith('access-control-')
    )
  })
}

/** What a caller would take for the answer's own, though it could not be looked at in time (RFC 9110 §6.5.1). */
const neverInTrailers: ReadonlySet<string> = new Set([
  'set-cookie',
  'www-authenticate',
  'vary',
  'cache-control',
  'location',
])

const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  // Not a header of HTTP at all, but CGI makes of it the variable HTTP_PROXY, by which programs choose a proxy.
  'proxy',
])

/** Told anew, or not at all: some servers take the path from the last ones. */
const rewritten: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'expect',
  'via',
  'forwarded',
  'x-real-ip',
  'x-original-url',
  'x-original-uri',
  'x-original-method',
  'x-original-host',
  'x-rewrite-url',
])

const credentials: ReadonlySet<string> = new Set([
  'user-api-key',
  'user-api-client-id',
  'api-key',
  'api-username',
  'api-user-id',
  'api-user-external-id',
])

function isHopByHop(plain: string): boolean {
  return hopByHop.has(plain) || plain.startsWith('proxy-')
}

const noNames: ReadonlySet<string> = new Set()

function connectionNames(connection: string | undefined): ReadonlySet<string> {
  // What nearly all say or leave out, which is hop by hop in any case.
  if (connection === undefined || connection === 'keep-alive') return noNames
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()))
}

function withoutOwnCookies(header: string): string {
  return header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '' && !holdsOwnSecret(pair))
    .join('; ')
}

function isKey(piece: URLSearchParams, byKey: boolean): boolean {
  if (byKey && namesInForm(piece).some(isMethodOverride)) return true
  return [...piece].some(
    ([name, value]) => name === 'user_api_key' || (name === 'api_key' && /^\s*[0-9a-f]{64}\s*$/.test(value)),
  )
}

function isMethodOverride(name: string): boolean {
  return name === '_method' || couldBeReadAs(name, '_method')
}

function* pairs(raw: readonly string[]): Generator<[string, string]> {
  for (let index = 0; index + 1 < raw.length; index += 2) yield [raw[index] ?? '', raw[index + 1] ?? '']
}
