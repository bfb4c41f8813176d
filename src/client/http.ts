/** Requests to a site, with a bound on the wait and errors that say what is wrong. */
import { clientError } from './client-errors.ts'

/** The part of the web's `fetch` that the client uses. */
export type Fetch = (input: string, init: RequestInit) => Promise<Response>

/** How to reach a site. */
export interface Transport {
  /** What sends the requests. Default: the global `fetch`. */
  readonly fetch?: Fetch
  /** How long an answer may take to begin, in milliseconds. Default 30 000. */
  readonly timeoutMs?: number
}

/** Sends one request. Reason: `site_unreachable`; when `init.signal` was aborted, the signal's own reason is thrown. */
export async function send(url: string, init: RequestInit, transport: Transport): Promise<Response> {
  // Looked up at each call, because a browser's `fetch` insists on its own `this`.
  const perform: Fetch = transport.fetch ?? ((input, options) => globalThis.fetch(input, options))
  const timeoutMs = transport.timeoutMs ?? 30_000
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), timeoutMs)
  const signal = init.signal ? AbortSignal.any([init.signal, late.signal]) : late.signal
  try {
    return await perform(url, { ...init, signal })
  } catch (cause) {
    if (init.signal?.aborted) throw init.signal.reason
    const problem = late.signal.aborted ? `no answer within ${timeoutMs / 1000} seconds` : problemOf(cause)
    throw clientError('site_unreachable', { site: new URL(url).origin, problem }, { cause })
  } finally {
    clearTimeout(timer)
  }
}

/** Waits, unless the signal is or becomes aborted: then its reason is thrown at once. */
export function pause(delayMs: number, signal?: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, delayMs)
    signal?.addEventListener('abort', stop, { once: true })
  })
}

/** An answer's JSON object; undefined when it is none. Consumes the body. */
export async function readJsonObject(response: Response): Promise<Record<string, unknown> | undefined> {
  return parseJsonObject(await response.text())
}

/** The JSON object in `text`; undefined when it holds none. */
export function parseJsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Whether `value` is an object with string keys, and not a list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const problems: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the host’s name cannot be looked up',
  ETIMEDOUT: 'no answer',
  UND_ERR_SOCKET: 'the connection was cut',
}

/** `fetch` says only that it failed; what failed is in the cause, and sometimes in the cause's first error. */
function problemOf(error: unknown): string {
  const inner = isObject(error) && isObject(error.cause) ? error.cause : error
  const first = isObject(inner) && Array.isArray(inner.errors) ? inner.errors[0] : undefined
  for (const each of [inner, first]) {
    const code = isObject(each) ? each.code : undefined
    if (typeof code === 'string') return problems[code] ?? code
  }
  return inner instanceof Error && inner.message ? inner.message : 'the request failed'
}
