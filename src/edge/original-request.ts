import type { HeaderReader } from '../domain/header-reader.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { noQuery, type Query, readQuery } from '../protocol/query.ts'

/** Where a proxy asks about a request. What follows the path is the original address, as Envoy appends it. */
export const forwardAuthPath = '/hallpass/forward-auth'

/** The request that a proxy asks about. */
export interface OriginalRequest {
  /** As it was sent. */
  readonly method: string
  /** Percent-encoded, as the proxy has it; begins with a slash. */
  readonly rawPath: string
  readonly query: Query
}

/**
 * Reads the original request out of the proxy's question: `X-Forwarded-Method` and `X-Forwarded-Uri` (Caddy, Traefik),
 * `X-Original-Method` and `X-Original-URI` or `X-Original-URL` (nginx), or the question's own method and the rest of its
 * path, out of `requestTarget` (Envoy). A pair must be whole and each of its headers there once; where there are several
 * pairs they must agree, because one of them may be the caller's. Reason: `original_request_unreadable`.
 */
export function readOriginalRequest(
  question: ProxyQuestion,
  requestTarget: string | undefined,
): OriginalRequest | Refusal {
  const pairs = pairsOf(question, requestTarget)
  let method: string | undefined
  let uri: string | undefined
  for (const pair of pairs) {
    if (pair.uri === undefined) return unreadable('it names a method, and no address beside it')
    if (pair.method === undefined) return unreadable('it names an address, and no method beside it')
    if (uri !== undefined && (method !== pair.method || uri !== pair.uri))
      return unreadable('its headers name different requests')
    method = pair.method
    uri = pair.uri
  }
  if (method === undefined || uri === undefined) return unreadable('it names no request')
  if (method !== 'GET' && !/^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(method))
    return unreadable('its method is none, or was sent twice')
  // A list of two has a space in it; so have other bytes no place here that are not encoded.
  if (!/^\/[\x21\x22\x24-\x7e]*$/.test(uri))
    return unreadable(
      'its address does not begin with a slash, was sent twice, or holds bytes that are not encoded',
    )
  const mark = uri.indexOf('?')
  return mark === -1
    ? { method, rawPath: uri, query: noQuery }
    : { method, rawPath: uri.slice(0, mark), query: readQuery(uri.slice(mark + 1)) }
}

/** A proxy's question, as far as it names a request. */
export interface ProxyQuestion {
  readonly method: string
  readonly headers: HeaderReader
}

/** Whether the proxy asks in the words of nginx, whose answers to callers cannot have the body of ours. */
export function asksLikeNginx({ headers }: Request): boolean {
  return headers.has('x-original-uri') || headers.has('x-original-url')
}

interface Pair {
  readonly method: string | undefined
  readonly uri: string | undefined
}

/** Those of which at least a half is there. */
function pairsOf({ method, headers }: ProxyQuestion, requestTarget: string | undefined): readonly Pair[] {
  const pairs: Pair[] = []
  const add = (method: string | undefined, uri: string | undefined): void => {
    if (method !== undefined || uri !== undefined) pairs.push({ method, uri })
  }
  add(read(headers, 'x-forwarded-method'), read(headers, 'x-forwarded-uri'))
  const originalMethod = read(headers, 'x-original-method')
  const originalUri = read(headers, 'x-original-uri')
  const originalUrl = read(headers, 'x-original-url')
  // One address is enough, and where there are two they must agree.
  if (originalUri !== undefined || originalUrl === undefined) add(originalMethod, originalUri)
  if (originalUrl !== undefined) add(originalMethod, withoutOrigin(originalUrl))
  const appended = appendedPath(requestTarget)
  if (appended !== undefined) add(method, appended)
  return pairs
}

function read(headers: HeaderReader, name: string): string | undefined {
  return headers.get(name) || undefined
}

function appendedPath(requestTarget: string | undefined): string | undefined {
  const rest = requestTarget?.startsWith(`${forwardAuthPath}/`)
    ? requestTarget.slice(forwardAuthPath.length)
    : undefined
  return rest
}

/** `X-Original-URL` may have scheme and host before the path. */
function withoutOrigin(address: string): string {
  const path = address.replace(/^https?:\/\/[^/?#]*/i, '')
  return path === '' ? '/' : path
}

function unreadable(problem: string): Refusal {
  return refusal('original_request_unreadable', { problem })
}
