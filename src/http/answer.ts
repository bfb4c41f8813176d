/** The forms of an answer: JSON, a page, a redirect, a refusal. */
import { traceOf } from '../domain/trace.ts'
import { sessionSetCookie } from '../identity/cookies.ts'
import { contentSecurityPolicy } from '../pages/content-security-policy.ts'
import { errorPage } from '../pages/error.ts'
import type { Html } from '../pages/html.ts'
import { errorDocsPath } from '../pages/paths.ts'
import { type Refusal, refusalBody } from '../protocol/errors.ts'
import { oauthErrorBody, oauthErrorStatus } from '../protocol/oauth-error.ts'
import type { Visit } from './visit.ts'

const always = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
}

/** JSON, which nothing on the way may keep. */
export function json(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { ...always, 'content-type': 'application/json; charset=utf-8' },
  })
}

/** Plain text. */
export function plainText(text: string, status = 200): Response {
  return new Response(text, { status, headers: { ...always, 'content-type': 'text/plain; charset=utf-8' } })
}

/** «Yes», without a word. */
export function empty(): Response {
  return new Response(null, { headers: always })
}

/** The protocol's answer for «done». */
export function success(): Response {
  return json({ success: 'OK' })
}

/** A page. `formAction`: where its form's answer may redirect to, besides this site. */
export function page(html: Html, options: { status?: number; formAction?: string } = {}): Response {
  const { status = 200, formAction } = options
  return new Response(html.toString(), {
    status,
    headers: {
      ...always,
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': contentSecurityPolicy(formAction === undefined ? {} : { formAction }),
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
    },
  })
}

/** A redirect with GET. What a header cannot hold of `location` is percent-encoded. */
export function redirect(location: string): Response {
  const ascii = location.toWellFormed().replace(/[^\x21-\x7e]/gu, encodeURIComponent)
  return new Response(null, { status: 302, headers: { ...always, location: ascii } })
}

/** A refusal: a page for browsers, JSON for all others, and always JSON for missing parameters (protocol §12.1). */
export function refused(visit: Visit, why: Refusal, siteTitle: string): Response {
  const traceId = noted(visit, why)
  const docsUrl = new URL(errorDocsPath, visit.url).href
  const response =
    visit.asksForPage && why.reason !== 'parameters_missing'
      ? page(errorPage({ siteTitle, refusal: why, docsUrl: `${docsUrl}/${why.reason}`, traceId }), {
          status: pageStatus(visit, why),
        })
      : why.reason === 'csrf_invalid'
        ? badCsrf(`${docsUrl}/${why.reason}`)
        : json(refusalBody(why, docsUrl, traceId), why.status)
  response.headers.set('x-request-id', traceId)
  setLimitHeaders(response, why)
  if (why.reason === 'session_cookie_invalid') {
    response.headers.append('set-cookie', sessionSetCookie('', 0, visit.url.protocol === 'https:'))
  }
  return response
}

/** A refusal in OAuth's words (RFC 6749 §5.2), for the routes that OAuth's clients know. */
export function oauthRefused(visit: Visit, why: Refusal): Response {
  const traceId = noted(visit, why)
  const body = oauthErrorBody(why, new URL(errorDocsPath, visit.url).href)
  const response = json(body, oauthErrorStatus(why))
  response.headers.set('x-request-id', traceId)
  setLimitHeaders(response, why)
  return response
}

function setLimitHeaders({ headers }: Response, { details }: Refusal): void {
  const { wait_seconds: waitSeconds, code } = details
  if (waitSeconds !== undefined) headers.set('retry-after', String(waitSeconds))
  if (code !== undefined) headers.set('discourse-rate-limit-error-code', String(code))
}

/** Notes why the request was refused, for whoever tells of it; answers with what the log calls the request. */
function noted({ request }: Visit, why: Refusal): string {
  const trace = traceOf(request)
  trace.refusal = why
  return trace.id
}

/** A page that only somebody signed in may see does not exist for others (protocol §12.4). */
function pageStatus(visit: Visit, why: Refusal): number {
  return why.reason === 'not_signed_in' && visit.route.method === 'GET' ? 404 : why.status
}

/** Clients match on this very text (protocol §12.8), so the reason goes into headers. */
function badCsrf(docsUrl: string): Response {
  const response = plainText('["BAD CSRF"]', 403)
  response.headers.set('hallpass-reason', 'csrf_invalid')
  response.headers.set('link', `<${docsUrl}>; rel="help"`)
  return response
}

/** The headers of every answer of the authorization routes (protocol §1). */
export function sealedFromCaches(response: Response): Response {
  response.headers.set('cache-control', 'no-store')
  response.headers.set('pragma', 'no-cache')
  response.headers.set('expires', '0')
  response.headers.set('referrer-policy', 'same-origin')
  return response
}

/** A time in milliseconds since the epoch as the wire has it: ISO 8601 in UTC, to the second. */
export function isoSeconds(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`
}
