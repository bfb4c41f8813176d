import {
  type AuthorizationOptions,
  beginAuthorization,
  type Credential,
  completeAuthorization,
  type PendingAuthorization,
  readPayloadText,
} from './authorization.ts'
import { clientError } from './client-errors.ts'
import { receiveRedirect } from './loopback-receiver.ts'
import { checkNarrows } from './narrows.ts'
import type { PayloadText } from './payload-text.ts'

export interface LoopbackOptions extends Omit<AuthorizationOptions, 'authRedirect'> {
  /** Opens the address in the user's browser, or tells the user to. A failure ends the wait. */
  readonly openBrowser: (url: string) => void | Promise<void>
  /**
   * A second way for the answer to arrive, for a browser that cannot reach this machine: resolves to the address that
   * the browser ended at, as the user pasted it. `read` says how much of a payload a text holds. Aborted once the
   * browser has come by itself.
   */
  readonly pasted?: (read: (text: string) => PayloadText, signal: AbortSignal) => Promise<string>
  /** How long to wait for the user, in milliseconds. Default 600 000. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/**
 * Gets a key for an app on the user's own machine: listens on 127.0.0.1, sends the browser to the site, and waits for
 * it to come back (RFC 8252 §7.3). The site must allow loopback redirects: a Hallpass does unless told otherwise; for
 * any other, {@link previewAuthorization} tells beforehand.
 * Reasons: those of `completeAuthorization`, `site_address_invalid`, `narrowing_not_offered`, `authorization_timed_out`; when `signal` is
 * aborted, the signal's own reason is thrown.
 */
export async function authorizeWithLoopback(options: LoopbackOptions): Promise<Credential> {
  const { openBrowser, pasted, timeoutMs = 600_000, signal, ...request } = options
  signal?.throwIfAborted()
  await checkNarrows(request, signal === undefined ? {} : { signal })
  // The receiver must listen before the request is made, for the request names the receiver's address.
  const begun = Promise.withResolvers<PendingAuthorization>()
  const receiver = await receiveRedirect(async (address) =>
    completeAuthorization(await begun.promise, address),
  )
  const bounds = new AbortController()
  const bounded = bound(timeoutMs, signal, bounds.signal)
  // It may reject while the key pair is still being made, before anybody waits for it.
  bounded.catch(() => {})
  try {
    const { url, pending } = await beginAuthorization({ ...request, authRedirect: receiver.authRedirect })
    begun.resolve(pending)
    await openBrowser(url)
    const ways: Promise<Credential>[] = [receiver.accepted, bounded]
    if (pasted) {
      const read = (text: string): PayloadText => readPayloadText(pending, text)
      ways.push(pasted(read, bounds.signal).then((text) => completeAuthorization(pending, text)))
    }
    return await Promise.race(ways)
  } finally {
    bounds.abort()
    receiver.close()
  }
}

/** Rejects when the time is up or `signal` is aborted; never settles after `done`. */
function bound(timeoutMs: number, signal: AbortSignal | undefined, done: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(() => {
      reject(clientError('authorization_timed_out', { waited: describeDuration(timeoutMs) }))
    }, timeoutMs)
    const stop = (): void => reject(signal?.reason)
    signal?.addEventListener('abort', stop, { once: true })
    done.addEventListener('abort', () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    })
  })
}

function describeDuration(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000)
  const [count, unit] = seconds >= 120 ? [Math.round(seconds / 60), 'minute'] : [seconds, 'second']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
