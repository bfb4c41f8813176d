import { type Refusal, refusal } from '../protocol/errors.ts'

/** Where a proxy asks about a request. What follows the path is the original address, as Envoy appends it. */
export const forwardAuthPath = '/hallpass/forward-auth'

/** The request that a proxy asks about. */
export interface OriginalRequest {
  /** As it was sent. */
  readonly method: string
  /** Percent-encoded, as the proxy has it; begins with a slash. */
  readonly rawPath: string
  readonly query: URLSearchParams
}

/**
 * Reads the original request out of the proxy's question: `X-Forwarded-Method` and `X-Forwarded-Uri` (Caddy, Traefik),
 * `X-Original-Method` and `X-Original-URI` or `X-Original-URL` (nginx), or the question's own method and the rest of its
 * path, out of `requestTarget` (Envoy). A pair must be whole and each of its headers there once; where there are several
 * pairs they must agree, because one of them may be the caller's. Reason: `original_request_unreadable`.
 */
export function readOriginalRequest(
  request: Request,
  requestTarget: string | undefined,
): OriginalRequest | Refusal {
  let original: { readonly method: string; readonly uri: string } | undefined
  for (const [method, ...uris] of pairsOf(request, requestTarget)) {
    for (const uri of uris) {
      if (uri === undefined) continue
      if (method === undefined) return unreadable('it names an address, and no method beside it')
      if (original && (original.method !== method || original.uri !== uri))
        return unreadable('its headers name different requests')
      original = { method, uri }
    }
    if (method !== undefined && uris.every((uri) => uri === undefined))
      return unreadable('it names a method, and no address beside it')
  }
  if (!original) return unreadable('it names no request')
  const { method, uri } = original
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(method)) return unreadable('its method is none, or was sent twice')
  // A list of two has a space in it; so have other bytes no place here that are not encoded.
  if (!/^\/[\x21\x22\x24-\x7e]*$/.test(uri))
    return unreadable(
      'its address does not begin with a slash, was sent twice, or holds bytes that are not encoded',
    )
  const mark = uri.indexOf('?')
  return mark === -1
    ? { method, rawPath: uri, query: new URLSearchParams() }
    : { method, rawPath: uri.slice(0, mark), query: new URLSearchParams(uri.slice(mark + 1)) }
}

/** Whether the proxy asks in the words of nginx, whose answers to callers cannot have the body of ours. */
export function asksLikeNginx({ headers }: Request): boolean {
  return headers.has('x-original-uri') || headers.has('x-original-url')
}

type Pair = readonly [method: string | undefined, ...uris: (string | undefined)[]]

function pairsOf({ method, headers }: Request, requestTarget: string | undefined): readonly Pair[] {
  const read = (name: string): string | undefined => headers.get(name) || undefined
  const appended = appendedPath(requestTarget)
  return [
    [read('x-forwarded-method'), read('x-forwarded-uri')],
    [read('x-original-method'), read('x-original-uri'), withoutOrigin(read('x-original-url'))],
    appended === undefined ? [undefined] : [method, appended],
  ]
}

function appendedPath(requestTarget: string | undefined): string | undefined {
  const rest = requestTarget?.startsWith(`${forwardAuthPath}/`)
    ? requestTarget.slice(forwardAuthPath.length)
    : undefined
  return rest
}

/** `X-Original-URL` may have scheme and host before the path. */
function withoutOrigin(address: string | undefined): string | undefined {
  const path = address?.replace(/^https?:\/\/[^/?#]*/i, '')
  return path === '' ? '/' : path
}

function unreadable(problem: string): Refusal {
  return refusal('original_request_unreadable', { problem })
}
