/**
 * Forward-auth: a proxy asks about each request before it passes it on to the application, in whatever language that is
 * written. The answer is 200 with identity headers, or a refusal that the proxy hands on. What each proxy does with an
 * answer, and how it must be set up, is in docs/forward-auth.md.
 */
import type { HeaderReader } from '../domain/header-reader.ts'
import type { Authentication, Identity } from '../domain/identity.ts'
import type { Connection } from '../domain/ports.ts'
import { type Traceable, traceOf } from '../domain/trace.ts'
import { errorDocsPath } from '../pages/paths.ts'
import { type Refusal, type RefusalBody, refusal, refusalBody } from '../protocol/errors.ts'
import type { Query } from '../protocol/query.ts'
import { normalizeRoute, type Route } from '../protocol/route.ts'
import { type RequestedRoute, requestedRoute } from '../protocol/route-matcher.ts'
import { authenticate } from '../verify/authenticate.ts'
import { decideNow, warmUserApiKey } from '../verify/authenticate-user-api-key.ts'
import { type Credentials, readCredentials } from '../verify/credentials.ts'
import { checkKeyedRequest } from '../verify/keyed-request.ts'
import { hasQueryCredentials } from '../verify/query-credentials.ts'
import { refused, type Verifier } from '../verify/verifier.ts'
import { identityHeaders } from './identity-headers.ts'
import {
  asksLikeNginx,
  forwardAuthPath,
  type ProxyQuestion,
  readOriginalRequest,
} from './original-request.ts'
import { isFromOrigin, opensWebSocket } from './websocket-origin.ts'

export interface ForwardAuthParts {
  readonly verifier: Verifier
  /** Whether an address is that of a proxy which the site trusts. */
  readonly isTrustedProxy: (address: string | null) => boolean
  /** The address of whoever sent the original request. */
  readonly senderOf: (headers: HeaderReader, connection: Connection) => string | null
  /** Puts a refusal into words: JSON for programs, a page for browsers. */
  readonly refuse: (request: Request, route: Route, refusal: Refusal) => Response
  /** The site's own address, for links to the docs. */
  readonly publicUrl: (request: Request) => URL
}

/** Whether a request is a proxy's question. Looked at for every request, so it takes nothing apart. */
export function isForwardAuth(request: Request, requestTarget: string | undefined): boolean {
  // By the first line too: dot segments in what a proxy appended must not lead to another of our routes, whose 200
  // the proxy would take for a yes.
  return isForwardAuthTarget(requestTarget ?? '') || startsInPath(request.url, request.url.indexOf('/', 8))
}

/** Whether a request's first line names a proxy's question. */
export function isForwardAuthTarget(requestTarget: string): boolean {
  return startsInPath(requestTarget, 0)
}

/**
 * Answers a proxy's question. Statuses: 200; 401, 403 and 429 for refusals, 403 standing for all others as well, because
 * proxies take what they do not know for a fault of the server. The header `Hallpass-Status` has a refusal's own.
 * `decided`: why it is refused, where {@link decideForwardAuthNow} has found that out.
 */
export async function answerForwardAuth(
  parts: ForwardAuthParts,
  request: Request,
  connection: Connection,
  decided?: Refusal,
): Promise<Response> {
  const asked = readQuestion(parts, request, connection)
  if ('reason' in asked) return refuseForwardAuth(parts, request, asked)
  const decision = decided ?? (await decide(parts, request, asked))
  return decision && 'reason' in decision
    ? refuseForwardAuth(parts, request, decision, asked.route)
    : new Response(null, { headers: forwardAuthHeaders(decision) })
}

/**
 * Decides about a question that brings a key which is known: who sent the request, or why they may not. Undefined where
 * anything has to be looked up, and for a question that cannot be answered; nothing is counted then.
 */
export function decideForwardAuthNow(
  parts: ForwardAuthParts,
  question: ProxyQuestion,
  connection: Connection,
): Identity | Refusal | undefined {
  const asked = readQuestion(parts, question, connection)
  const known = 'reason' in asked ? undefined : warmUserApiKey(parts.verifier, asked.credentials)
  if ('reason' in asked || !known) return undefined
  const unfit = checkKeyed(parts.verifier, question.headers, asked)
  if (unfit) return unfit
  const authentication = decideNow(parts.verifier, known, asked)
  return identityIn(parts.verifier, authentication)
}

/** What an allowed request's answer tells: who sent it, in headers that are all there, empty for nobody. */
export function forwardAuthHeaders(identity: Identity | undefined): Readonly<Record<string, string>> {
  return identity === undefined ? nobody : { ...nobody, ...identityHeaders(identity) }
}

/** The request that a proxy asks about, read. */
interface Asked {
  readonly route: RequestedRoute
  readonly query: Query
  readonly credentials: Credentials
  readonly address: string | null
  readonly revocationId: undefined
  readonly request: Traceable
}

function readQuestion(
  { verifier, isTrustedProxy, senderOf }: ForwardAuthParts,
  question: ProxyQuestion,
  connection: Connection,
): Asked | Refusal {
  const peer = connection.remoteAddress
  if (!isTrustedProxy(peer)) {
    return refusal('forward_auth_untrusted', { address: peer ?? 'an unknown address' })
  }
  const original = readOriginalRequest(question, connection.requestTarget)
  if ('reason' in original) return original
  const normalized = normalizeRoute(original.method, original.rawPath)
  if (normalized.outcome === 'ambiguous') return normalized.refusal
  const { route } = normalized
  const { query } = original
  const { headers } = question
  const inQuery = hasQueryCredentials(query) && verifier.takesKeyInQuery(route)
  return {
    route: requestedRoute(route, query, mayHaveBody(route.method, headers) ? 'unread' : undefined),
    query,
    credentials: readCredentials(headers, query, inQuery),
    address: senderOf(headers, connection),
    revocationId: undefined,
    request: question,
  }
}

async function decide(
  { verifier, publicUrl }: ForwardAuthParts,
  request: Request,
  asked: Asked,
): Promise<Identity | Refusal | undefined> {
  const { headers } = request
  const { userApiKey, apiKey } = asked.credentials
  // Only requests with a key: an application's pages and pictures are its own matter, and many at a time.
  const unfit =
    userApiKey === undefined && apiKey === undefined ? undefined : checkKeyed(verifier, headers, asked)
  if (unfit) return unfit
  const authentication = await authenticate(verifier, {
    ...asked,
    request,
    csrfToken: headers.get('x-csrf-token') ?? undefined,
    // Browsers set it themselves; a page cannot.
    sameOrigin: headers.get('sec-fetch-site') === 'same-origin',
  })
  const isForeign = isForeignSocket(authentication, headers, publicUrl(request).origin)
  return identityIn(verifier, isForeign ? refused(refusal('csrf_invalid')) : authentication)
}

/** A browser lets every page open a WebSocket, and sends the cookies along: a session vouches for the site's own alone. */
function isForeignSocket(authentication: Authentication, headers: HeaderReader, origin: string): boolean {
  return (
    authentication.outcome === 'authenticated' &&
    authentication.identity.via === 'session' &&
    opensWebSocket(headers) &&
    !isFromOrigin(headers, origin)
  )
}

function checkKeyed({ domain }: Verifier, headers: HeaderReader, asked: Asked): Refusal | undefined {
  const { route, query, address } = asked
  return checkKeyedRequest(domain, { method: route.method, headers, query, address })
}

function identityIn({ domain }: Verifier, authentication: Authentication): Identity | Refusal | undefined {
  if (authentication.outcome === 'authenticated') return authentication.identity
  const isRequired = domain.settings.current().forward_auth_requires_identity
  if (authentication.outcome === 'anonymous') return isRequired ? refusal('credentials_missing') : undefined
  // Forms of the application do not know Hallpass's token, nor do WebSockets of other sites. Without it the session does not count, and that is enough:
  // the application learns of nobody in whose name a foreign page could have sent the form.
  const isForeignForm = authentication.refusal.reason === 'csrf_invalid' && !isRequired
  return isForeignForm ? undefined : authentication.refusal
}

/**
 * Bodies are not sent along, and their length is not always either. A GET without a type is one without a body that
 * any program would take parameters from.
 */
function mayHaveBody(method: string, headers: HeaderReader): boolean {
  if (method !== 'GET' && method !== 'HEAD') return true
  return (
    headers.get('content-type') !== null ||
    headers.get('transfer-encoding') !== null ||
    Number(headers.get('content-length')) > 0
  )
}

/** A refusal as proxies understand it, also of a question that could not be decided. */
export function refuseForwardAuth(
  parts: ForwardAuthParts,
  request: Request,
  why: Refusal,
  route: Route = unreadRoute,
): Response {
  const { body, headers, status } = parts.refuse(request, route, why)
  // Not the refusal's own: whoever sent a bearer token hears 401 of one that does not count.
  headers.set('hallpass-status', String(status))
  if (asksLikeNginx(request)) {
    const docsUrl = new URL(errorDocsPath, parts.publicUrl(request)).href
    headers.set('hallpass-refusal', bodyInHeader(refusalBody(why, docsUrl, traceOf(request).id)))
  }
  const isPassedOn = status === 401 || status === 429 || status >= 500
  return new Response(body, { status: isPassedOn ? status : 403, headers })
}

/** The JSON of a refusal where a header can hold it; without its words where they are many. */
function bodyInHeader(whole: RefusalBody): string {
  const text = asciiJson(whole)
  return text.length <= 2048 ? text : asciiJson({ ...whole, errors: [whole.reason], message: '', remedy: '' })
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
const nobody: Readonly<Record<string, string>> = {
  // Said, so that none is counted in chunks.
  'content-length': '0',
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
