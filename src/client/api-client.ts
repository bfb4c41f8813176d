import { type HallpassApiError, readRefusal } from './api-error.ts'
import type { Credential } from './authorization.ts'
import { clientError } from './client-errors.ts'
import { isObject, pause, send, type Transport } from './http.ts'
import { isWithinSite, siteAddress } from './site-address.ts'

/** What a call needs of a credential. With the scopes, more can be said about a refusal. */
export type ClientCredential = Pick<Credential, 'site' | 'key'> &
  Partial<Pick<Credential, 'clientId' | 'scopes'>>

/** A wait for a limit to pass. */
export interface Wait {
  readonly waitMs: number
  /** Which try was refused, from 1. */
  readonly attempt: number
  readonly refusal: HallpassApiError
}

export interface ClientOptions extends Transport {
  /**
   * How long one call may wait for limits to pass, in milliseconds, all its tries together. A site that asks for more
   * is not waited for: the call throws `rate_limited`. Default 60 000; 0 never waits.
   */
  readonly maximumWaitMs?: number
  /** Told before each wait. */
  readonly onWait?: (wait: Wait) => void
}

/** What may go with a call. */
export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** Sent as JSON, unless it is a form. */
export type CallBody = Readonly<Record<string, unknown>> | readonly unknown[] | URLSearchParams | FormData

/** Who a key belongs to, as `GET /session/current.json` tells it; a site adds fields of its own. */
export interface CurrentUser {
  readonly id: number | string
  readonly username: string
  readonly [field: string]: unknown
}

/**
 * Calls a site's API with a key. A path is relative to the site, with or without a slash in front; a whole address
 * must lie inside the site, and so must every redirect, or the call throws `outside_site` or
 * `redirected_outside_site` before the key has left. A refusal throws {@link HallpassApiError}. A refusal for a limit
 * is waited for, and the call tried three times in all.
 */
export interface HallpassClient {
  /** As the web's `fetch`, with the key. Resolves for statuses below 400 only. */
  fetch(path: string | URL, init?: RequestInit): Promise<Response>
  /** The answer's JSON; undefined for an empty answer. Reason: `answer_not_json`, and so for the three below. */
  get<Answer = unknown>(path: string, options?: CallOptions): Promise<Answer>
  post<Answer = unknown>(path: string, body?: CallBody, options?: CallOptions): Promise<Answer>
  put<Answer = unknown>(path: string, body?: CallBody, options?: CallOptions): Promise<Answer>
  delete<Answer = unknown>(path: string, body?: CallBody, options?: CallOptions): Promise<Answer>
  /** Needs one of the scopes `session_info`, `read` and `write`. */
  currentUser(options?: CallOptions): Promise<CurrentUser>
  /** Revokes the client's own key, which a key of any scope may do (protocol §8.2). */
  revoke(options?: CallOptions): Promise<void>
}

/** A client for the site that `credential` is for. Makes no request. Reason: `site_address_invalid`. */
export function createClient(credential: ClientCredential, options: ClientOptions = {}): HallpassClient {
  const context: CallContext = {
    ...options,
    credential: { ...credential, site: siteAddress(credential.site) },
  }
  const call = async <Answer>(
    method: string,
    path: string,
    body: CallBody | undefined,
    { headers, signal }: CallOptions = {},
  ): Promise<Answer> => {
    const init: RequestInit = { method, headers: { ...headers, ...contentTypeOf(body) } }
    if (body !== undefined) init.body = isForm(body) ? body : JSON.stringify(body)
    if (signal) init.signal = signal
    return (await readAnswer(await fetchWithWaits(context, path, init), method, path)) as Answer
  }
  return {
    fetch: (path, init = {}) => fetchWithWaits(context, path, init),
    get: (path, callOptions) => call('GET', path, undefined, callOptions),
    post: (path, body, callOptions) => call('POST', path, body ?? {}, callOptions),
    put: (path, body, callOptions) => call('PUT', path, body ?? {}, callOptions),
    delete: (path, body, callOptions) => call('DELETE', path, body, callOptions),
    currentUser: async (callOptions) => {
      const path = '/session/current.json'
      const answer = await call<unknown>('GET', path, undefined, callOptions)
      const user = isObject(answer) ? answer.current_user : undefined
      if (isCurrentUser(user)) return user
      throw clientError('answer_not_json', { method: 'GET', path, type: 'something without a current_user' })
    },
    revoke: async (callOptions) => {
      await call('POST', '/user-api-key/revoke.json', {}, callOptions)
    },
  }
}

interface CallContext extends ClientOptions {
  readonly credential: ClientCredential
}

const maximumTries = 3
const maximumRedirects = 5

async function fetchWithWaits(
  context: CallContext,
  path: string | URL,
  init: RequestInit,
): Promise<Response> {
  const { credential } = context
  const url = resolveInSite(path, credential.site)
  const method = (init.method ?? 'GET').toUpperCase()
  // A stream is spent by the first try.
  const tries = init.body instanceof ReadableStream ? 1 : maximumTries
  let remainingMs = context.maximumWaitMs ?? 60_000
  for (let attempt = 1; ; attempt++) {
    const response = await followWithinSite(context, url, { ...init, method })
    if (response.status < 400) return response
    const shown = pathInSite(url, credential.site)
    const refusal = await readRefusal(response, { ...credential, method, path: shown })
    // Without a stated time: one second, then two.
    const waitMs = (refusal.waitSeconds ?? attempt) * 1000
    if (response.status !== 429 || attempt >= tries || waitMs > remainingMs) throw refusal
    remainingMs -= waitMs
    context.onWait?.({ waitMs, attempt, refusal })
    await pause(waitMs, init.signal)
  }
}

/** Follows by hand, because `fetch` would carry the key's headers along to wherever a redirect points. */
async function followWithinSite(context: CallContext, start: URL, init: RequestInit): Promise<Response> {
  const { site } = context.credential
  const headers = keyHeaders(context.credential, init.headers)
  const named = { method: init.method ?? 'GET', path: pathInSite(start, site) }
  let request: RequestInit = { ...init, headers, redirect: 'manual', credentials: 'omit' }
  let url = start
  for (let redirects = 0; redirects <= maximumRedirects; redirects++) {
    const response = await send(url.href, request, context)
    if (response.type === 'opaqueredirect') throw clientError('redirect_hidden', named)
    const location = response.headers.get('location')
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return response
    await response.body?.cancel()
    const target = URL.canParse(location, url) ? new URL(location, url) : undefined
    if (!target || !isWithinSite(target, site)) {
      const shown = target ? target.origin + target.pathname : location
      throw clientError('redirected_outside_site', { ...named, target: shown, site })
    }
    url = target
    request = afterRedirect(request, response.status)
  }
  throw clientError('redirected_too_often', { ...named, limit: maximumRedirects })
}

/** As the Fetch standard has it (HTTP-redirect fetch, step 12): a 303 asks for a GET, and so in practice do 301 and 302. */
function afterRedirect(request: RequestInit, status: number): RequestInit {
  const becomesGet =
    status === 303
      ? !['GET', 'HEAD'].includes(request.method ?? '')
      : status < 303 && request.method === 'POST'
  if (!becomesGet) return request
  const headers = new Headers(request.headers)
  headers.delete('content-type')
  const { body: _dropped, ...rest } = request
  return { ...rest, method: 'GET', headers }
}

function resolveInSite(path: string | URL, site: string): URL {
  const text = String(path)
  const absolute = /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
  const target = absolute ? text : `${site}/${text.replace(/^\/+/, '')}`
  const url = URL.canParse(target) ? new URL(target) : undefined
  if (!url || !isWithinSite(url, site)) {
    throw clientError('outside_site', { url: url ? url.origin + url.pathname : text, site })
  }
  return url
}

function pathInSite(url: URL, site: string): string {
  return url.href.slice(site.length).replace(/#.*$/, '') || '/'
}

function keyHeaders({ key, clientId }: ClientCredential, given: HeadersInit | undefined): Headers {
  const headers = new Headers(given)
  if (!headers.has('accept')) headers.set('Accept', 'application/json')
  headers.set('User-Api-Key', key)
  if (clientId) headers.set('User-Api-Client-Id', clientId)
  return headers
}

function isForm(body: CallBody): body is URLSearchParams | FormData {
  return body instanceof URLSearchParams || body instanceof FormData
}

/** The web's `fetch` names the type of a form itself. */
function contentTypeOf(body: CallBody | undefined): Record<string, string> {
  return body === undefined || isForm(body) ? {} : { 'Content-Type': 'application/json' }
}

async function readAnswer(response: Response, method: string, path: string): Promise<unknown> {
  const text = await response.text()
  if (text.trim() === '') return undefined
  try {
    return JSON.parse(text)
  } catch (cause) {
    const type = response.headers.get('content-type')?.split(';')[0] ?? 'something without a type'
    throw clientError('answer_not_json', { method, path, type }, { cause })
  }
}

function isCurrentUser(value: unknown): value is CurrentUser {
  return isObject(value) && typeof value.username === 'string'
}
