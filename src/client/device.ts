/** The device flow: an approval with a code, for apps that no browser can come back to (protocol §5). */
import { type HallpassApiError, readRefusal } from './api-error.ts'
import {
  type AuthorizationOptions,
  beginAuthorization,
  type Credential,
  completeAuthorization,
} from './authorization.ts'
import { clientError } from './client-errors.ts'
import { pause, readJsonObject, send, type Transport } from './http.ts'
import { checkNarrows } from './narrows.ts'

/** What the user is shown while the app waits. */
export interface DeviceCode {
  /** What the user types, such as `ABCD-2345`. */
  readonly userCode: string
  /** Where they type it. */
  readonly verificationUrl: string
  /** The same page with the request on it, for a link or a QR code; the code must be typed all the same. */
  readonly verificationUrlWithRequest: string
  /** How long the code can be used, in seconds. */
  readonly expiresInSeconds: number
}

export interface DeviceOptions extends Omit<AuthorizationOptions, 'authRedirect'>, Transport {
  /** Shows the code to the user. A failure ends the wait. */
  readonly showCode: (code: DeviceCode) => void | Promise<void>
  readonly signal?: AbortSignal
  /** Waits between two polls. Default: a timer. */
  readonly wait?: (delayMs: number, signal?: AbortSignal) => Promise<void>
}

/**
 * Gets a key for an app on a device without a browser: asks the site for a code, has it shown, and polls until the user
 * has decided. A poll that fails or comes too often is tried again, more slowly, until the code has expired.
 * Reasons: those of `completeAuthorization`, those of the site's refusals, `site_address_invalid`, `site_unreachable`,
 * `site_without_device_flow`, `site_answer_unexpected`, `narrowing_not_offered`, `authorization_denied`, `authorization_timed_out`; when
 * `signal` is aborted, the signal's own reason is thrown.
 */
export async function authorizeWithDevice(options: DeviceOptions): Promise<Credential> {
  const { showCode, signal, wait = pause, fetch, timeoutMs, ...request } = options
  const transport: Transport = {
    ...(fetch === undefined ? {} : { fetch }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  }
  signal?.throwIfAborted()
  await checkNarrows(request, { ...transport, ...(signal === undefined ? {} : { signal }) })
  const { url, pending } = await beginAuthorization(request)
  const parameters = Object.fromEntries(new URL(url).searchParams)
  const asked = await ask(`${pending.site}/user-api-key/device.json`, parameters, transport, signal)
  await showCode(asked.shown)

  const pollUrl = `${pending.site}/user-api-key/device/poll.json`
  let intervalMs = asked.intervalSeconds * 1000
  for (let waitedMs = 0; waitedMs < asked.shown.expiresInSeconds * 1000; ) {
    await wait(intervalMs, signal)
    signal?.throwIfAborted()
    waitedMs += intervalMs
    const answer = await poll(pollUrl, asked.deviceCode, transport, signal)
    if (answer.status === 'authorized') return completeAuthorization(pending, answer.payload)
    if (answer.status === 'access_denied') throw clientError('authorization_denied', { site: pending.site })
    if (answer.status === 'expired_token') break
    if (answer.status === 'failed') intervalMs = Math.max(intervalMs, answer.waitMs, 5000)
  }
  const waited = `${Math.round(asked.shown.expiresInSeconds / 60)} minutes`
  throw clientError('authorization_timed_out', { waited })
}

interface Asked {
  readonly deviceCode: string
  readonly intervalSeconds: number
  readonly shown: DeviceCode
}

async function ask(
  url: string,
  parameters: Readonly<Record<string, string>>,
  transport: Transport,
  signal: AbortSignal | undefined,
): Promise<Asked> {
  const response = await post(url, parameters, transport, signal)
  const { origin, pathname } = new URL(url)
  const site = url.slice(0, -'/user-api-key/device.json'.length)
  if (response.status === 404) throw clientError('site_without_device_flow', { site })
  if (response.status >= 400) throw await readRefusal(response, { site, method: 'POST', path: pathname })
  const answer = (await readJsonObject(response)) ?? {}
  const { device_code: deviceCode, user_code: userCode, verification_uri: address } = answer
  const link = answer.verification_uri_with_request ?? address
  // What is shown in a terminal must hold nothing that a terminal obeys.
  const isCode = typeof userCode === 'string' && /^[\w-]{1,40}$/.test(userCode)
  if (typeof deviceCode !== 'string' || !isCode || !isWebAddress(address) || !isWebAddress(link)) {
    throw clientError('site_answer_unexpected', { url: origin + pathname, status: response.status })
  }
  return {
    deviceCode,
    intervalSeconds: within(answer.interval, 1, 60, 5),
    shown: {
      userCode,
      verificationUrl: new URL(address).href,
      verificationUrlWithRequest: new URL(link).href,
      expiresInSeconds: within(answer.expires_in, 1, 3600, 600),
    },
  }
}

type Polled =
  | { readonly status: 'authorization_pending' | 'access_denied' | 'expired_token' }
  | { readonly status: 'authorized'; readonly payload: string }
  | { readonly status: 'failed'; readonly waitMs: number }

/** Only what can mend itself is a failed poll: a cut connection, too many requests, a fault of the site. */
async function poll(
  url: string,
  deviceCode: string,
  transport: Transport,
  signal: AbortSignal | undefined,
): Promise<Polled> {
  let response: Response
  try {
    response = await post(url, { device_code: deviceCode }, transport, signal)
  } catch (error) {
    if (signal?.aborted) throw error
    return { status: 'failed', waitMs: 0 }
  }
  if (response.status >= 400) {
    const { origin, pathname } = new URL(url)
    const refused: HallpassApiError = await readRefusal(response, {
      site: origin,
      method: 'POST',
      path: pathname,
    })
    if (response.status !== 429 && response.status < 500) throw refused
    return { status: 'failed', waitMs: (refused.waitSeconds ?? 0) * 1000 }
  }
  const { status, payload } = (await readJsonObject(response)) ?? {}
  if (status === 'authorized' && typeof payload === 'string') return { status, payload }
  if (status === 'authorization_pending' || status === 'access_denied' || status === 'expired_token') {
    return { status }
  }
  throw clientError('site_answer_unexpected', { url, status: response.status })
}

function post(
  url: string,
  body: Readonly<Record<string, string>>,
  transport: Transport,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const init: RequestInit = {
    method: 'POST',
    headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    credentials: 'omit',
    ...(signal ? { signal } : {}),
  }
  return send(url, init, transport)
}

function isWebAddress(value: unknown): value is string {
  return typeof value === 'string' && /^https?:\/\//i.test(value) && URL.canParse(value)
}

function within(value: unknown, least: number, most: number, otherwise: number): number {
  return typeof value === 'number' && value > 0 ? Math.min(Math.max(value, least), most) : otherwise
}
