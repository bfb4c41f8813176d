/** Closing a server of `node:http` so that its callers notice as little as can be. */
import type { Server } from 'node:http'
import { Server as NetServer } from 'node:net'

export interface CloseOptions {
  /** How long requests that run may take, in milliseconds. */
  readonly graceMs: number
  /** How long connections that are open are still answered, in milliseconds, each answer being their last. */
  readonly drainMs: number
  /** Whether others listen on the port, so that it may be listened on for a moment more, until nobody is just connecting. */
  readonly isShared: boolean
  /** Ends the connections that the server does not know of. */
  breakOff(): void
}

/** How long a turn of the event loop takes in which nothing was to do, in milliseconds, at the most. */
const quietMs = 0.05
/** How long a quiet moment is waited for, in milliseconds. */
const mostWaitMs = 1000
/** How often connections without a request are closed meanwhile, in milliseconds. */
const closeIdleEveryMs = 100

/** Closes the server; resolves once no connection is left. Answers say `Connection: close` from now on. */
export async function closeServer(
  server: Server,
  { graceMs, drainMs, isShared, breakOff }: CloseOptions,
): Promise<void> {
  server.prependListener('request', (_incoming, outgoing) => {
    outgoing.shouldKeepAlive = false
  })
  if (isShared) await untilQuiet()
  // That of `node:http` would close idle connections at once, and with them the requests which are on their way there.
  const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()))
  if (drainMs > 0) await Promise.race([closed, wait(drainMs)])
  // The rest of what it does.
  server.close()
  const idle = setInterval(() => server.closeIdleConnections(), closeIdleEveryMs)
  const late = setTimeout(() => {
    server.closeAllConnections()
    breakOff()
  }, graceMs)
  await closed
  clearInterval(idle)
  clearTimeout(late)
  breakOff()
}

/**
 * Waits for a turn of the event loop that had next to nothing to do. Connections that the kernel has made and nobody has
 * accepted are reset when the listener closes; right after such a turn there is hardly one.
 */
async function untilQuiet(): Promise<void> {
  const deadline = performance.now() + mostWaitMs
  for (let before = performance.now(); before < deadline; ) {
    await new Promise((resolve) => setImmediate(resolve))
    const now = performance.now()
    if (now - before < quietMs) return
    before = now
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
