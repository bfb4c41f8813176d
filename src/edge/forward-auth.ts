/**
 * Forward-auth: a proxy asks about each request before it passes it on to the application, in whatever language that is
 * written. The answer is 200 with identity headers, or a refusal that the proxy hands on. What each proxy does with an
 * answer, and how it must be set up, is in docs/forward-auth.md.
 */
import type { Identity } from '../domain/identity.ts'
import type { Connection } from '../domain/ports.ts'
import { errorDocsPath } from '../pages/paths.ts'
import { type Refusal, refusal, refusalBody } from '../protocol/errors.ts'
import { normalizeRoute, type Route } from '../protocol/route.ts'
import { authenticate } from '../verify/authenticate.ts'
import { readCredentials } from '../verify/credentials.ts'
import { checkMethodOverride } from '../verify/method-override.ts'
import { hasQueryCredentials } from '../verify/query-credentials.ts'
import { limitAddress } from '../verify/request-limits.ts'
import type { Verifier } from '../verify/verifier.ts'
import { identityHeaders } from './identity-headers.ts'
import {
  asksLikeNginx,
  forwardAuthPath,
  type OriginalRequest,
  readOriginalRequest,
} from './original-request.ts'
import { isFromOrigin, opensWebSocket } from './websocket-origin.ts'

export interface ForwardAuthParts {
  readonly verifier: Verifier
  /** Whether an address is that of a proxy which the site trusts. */
  readonly isTrustedProxy: (address: string | null) => boolean
  /** The address of whoever sent the original request. */
  readonly senderOf: (request: Request, connection: Connection) => string | null
  /** Puts a refusal into words: JSON for programs, a page for browsers. */
  readonly refuse: (request: Request, route: Route, refusal: Refusal) => Response
  /** The site's own address, for links to the docs. */
  readonly publicUrl: (request: Request) => URL
}

/** Whether a request is a proxy's question. Looked at for every request, so it takes nothing apart. */
export function isForwardAuth(request: Request, requestTarget: string | undefined): boolean {
  // By the first line too: dot segments in what a proxy appended must not lead to another of our routes, whose 200
  // the proxy would take for a yes.
  return startsInPath(requestTarget ?? '', 0) || startsInPath(request.url, request.url.indexOf('/', 8))
}

/**
 * Answers a proxy's question. Statuses: 200; 401, 403 and 429 for refusals, 403 standing for all others as well, because
 * proxies take what they do not know for a fault of the server. The header `Hallpass-Status` has a refusal's own.
 */
export async function answerForwardAuth(
  parts: ForwardAuthParts,
  request: Request,
  connection: Connection,
): Promise<Response> {
  const peer = connection.remoteAddress
  if (!parts.isTrustedProxy(peer)) {
    const address = peer ?? 'an unknown address'
    return refuse(parts, request, refusal('forward_auth_untrusted', { address }), undefined)
  }
  const original = readOriginalRequest(request, connection.requestTarget)
  if ('reason' in original) return refuse(parts, request, original, undefined)
  const normalized = normalizeRoute(original.method, original.rawPath)
  if (normalized.outcome === 'ambiguous') return refuse(parts, request, normalized.refusal, undefined)
  const decision = await decide(parts, request, connection, original, normalized.route)
  return decision && 'reason' in decision
    ? refuse(parts, request, decision, normalized.route)
    : new Response(null, { headers: { ...nobody, ...(decision && identityHeaders(decision)) } })
}

async function decide(
  { verifier, senderOf, publicUrl }: ForwardAuthParts,
  request: Request,
  connection: Connection,
  { query }: OriginalRequest,
  route: Route,
): Promise<Identity | Refusal | undefined> {
  const { domain } = verifier
  const { headers } = request
  const address = senderOf(request, connection)
  const inQuery = hasQueryCredentials(query) && verifier.takesKeyInQuery(route)
  const credentials = readCredentials(headers, query, inQuery)
  if (credentials.userApiKey !== undefined || credentials.apiKey !== undefined) {
    // Only requests with a key: an application's pages and pictures are its own matter, and many at a time.
    const limited = limitAddress(domain, address) ?? checkMethodOverride(route.method, headers, query)
    if (limited) return limited
  }
  const authentication = await authenticate(verifier, {
    request,
    route: { ...route, query, body: mayHaveBody(route.method, headers) ? 'unread' : undefined },
    credentials,
    csrfToken: headers.get('x-csrf-token') ?? undefined,
    // Browsers set it themselves; a page cannot.
    sameOrigin: headers.get('sec-fetch-site') === 'same-origin',
    revocationId: undefined,
    address,
  })
  const isRequired = domain.settings.current().forward_auth_requires_identity
  if (authentication.outcome === 'authenticated') {
    const { identity } = authentication
    const isForeignSocket =
      identity.via === 'session' &&
      opensWebSocket(headers) &&
      !isFromOrigin(headers, publicUrl(request).origin)
    if (!isForeignSocket) return identity
    return isRequired ? refusal('csrf_invalid') : undefined
  }
  if (authentication.outcome === 'anonymous') return isRequired ? refusal('credentials_missing') : undefined
  // Forms of the application do not know Hallpass's token. Without it the session does not count, and that is enough:
  // the application learns of nobody in whose name a foreign page could have sent the form.
  const isForeignForm = authentication.refusal.reason === 'csrf_invalid' && !isRequired
  return isForeignForm ? undefined : authentication.refusal
}

/**
 * Bodies are not sent along, and their length is not always either. A GET without a type is one without a body that
 * any program would take parameters from.
 */
function mayHaveBody(method: string, headers: Headers): boolean {
  if (method !== 'GET' && method !== 'HEAD') return true
  return (
    headers.has('content-type') ||
    headers.has('transfer-encoding') ||
    Number(headers.get('content-length')) > 0
  )
}

function refuse(
  parts: ForwardAuthParts,
  request: Request,
  why: Refusal,
  route: Route = unreadRoute,
): Response {
  const { body, headers, status } = parts.refuse(request, route, why)
  // Not the refusal's own: whoever sent a bearer token hears 401 of one that does not count.
  headers.set('hallpass-status', String(status))
  if (asksLikeNginx(request)) {
    headers.set('hallpass-refusal', bodyInHeader(why, new URL(errorDocsPath, parts.publicUrl(request)).href))
  }
  const isPassedOn = status === 401 || status === 429 || status >= 500
  return new Response(body, { status: isPassedOn ? status : 403, headers })
}

/** The JSON of a refusal where a header can hold it; without its words where they are many. */
function bodyInHeader(why: Refusal, docsUrl: string): string {
  const whole = refusalBody(why, docsUrl)
  const text = asciiJson(whole)
  return text.length <= 2048 ? text : asciiJson({ ...whole, errors: [why.reason], message: '', remedy: '' })
}

function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function startsInPath(text: string, at: number): boolean {
  if (!text.startsWith(forwardAuthPath, at)) return false
  const next = text[at + forwardAuthPath.length]
  return next === undefined || next === '/' || next === '?'
}

/**
 * What stands in every answer, empty where there is nothing to tell. A proxy that copies headers then replaces what the
 * caller sent; where one is missing, some leave the caller's, and Caddy 2.6 sets the name of its own variable.
 */
const nobody = {
  'cache-control': 'no-store',
  'x-hallpass-user': '',
  'x-hallpass-user-id': '',
  'x-hallpass-via': '',
  'x-hallpass-scopes': '',
  'x-hallpass-client': '',
  'x-hallpass-key-id': '',
}

/** In the place of a route where the original request cannot be read. */
const unreadRoute: Route = { method: 'GET', path: '/', format: undefined, rawPath: '/' }
