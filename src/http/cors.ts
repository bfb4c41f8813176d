/** Calls from pages of other origins (protocol §16; https://fetch.spec.whatwg.org/#http-cors-protocol). */
import type { Settings } from '../protocol/settings.ts'

/** Answers a browser's question whether it may send a request; undefined for any other request, and when CORS is off. */
export function answerPreflight(request: Request, settings: Settings): Response | undefined {
  const asks = request.method === 'OPTIONS' && request.headers.has('access-control-request-method')
  if (!asks || !isCorsOn(settings)) return undefined
  return withCors(request, new Response(null), settings)
}

/**
 * Puts the headers on an answer. An origin that is not listed is shown the first that is, so that its browser refuses
 * the answer; nothing changes when no origin is listed.
 */
export function withCors(request: Request, response: Response, settings: Settings): Response {
  const [first] = settings.cors_origins
  if (!isCorsOn(settings) || first === undefined) return response
  const origin = request.headers.get('origin')
  const allowed = origin !== null && settings.cors_origins.includes(origin) ? origin : first
  const { headers } = response
  headers.set('access-control-allow-origin', allowed)
  headers.set('access-control-allow-headers', allowedHeaders)
  headers.set('access-control-allow-credentials', 'true')
  headers.set('access-control-allow-methods', 'POST, PUT, GET, OPTIONS, DELETE')
  headers.set('access-control-max-age', '7200')
  headers.set('access-control-expose-headers', exposedHeaders)
  if (!/\borigin\b/i.test(headers.get('vary') ?? '')) headers.append('vary', 'Origin')
  return response
}

/** Whether pages of any other origin may read answers. */
export function isCorsOn({ enable_cors: enabled, cors_origins: origins }: Settings): boolean {
  return enabled && origins.length > 0
}

/** An administrator's API key has no place in a browser, so `Api-Key` is not among them. */
const allowedHeaders =
  'Content-Type, Cache-Control, X-Requested-With, X-CSRF-Token, Discourse-Present, User-Api-Key, User-Api-Client-Id, Authorization'

/** What a script may read besides the ordinary headers. An addition to the protocol: a client has to know how long to wait. */
const exposedHeaders =
  'Auth-Api-Version, Auth-Api-Device-Code, Retry-After, Discourse-Rate-Limit-Error-Code, X-Discourse-Username, X-Discourse-Route, WWW-Authenticate'
