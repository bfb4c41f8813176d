import cluster from 'node:cluster'
import { listenOrExplain, siteAddress } from './listen-or-explain.ts'
import { startObserving } from './observing.ts'
import { type OpenSite, openSite } from './open-site.ts'
import type { ServeOptions } from './serve-options.ts'
import { workerLimits } from './worker-limits.ts'
import { fromPrimary, tellPrimary } from './worker-messages.ts'

/** The variable in which a worker finds the port: the first process has it, and for port 0 only that knows it. */
export const workerPortVariable = 'HALLPASS_WORKER_PORT'

/**
 * Where the kernel spreads connections over the processes that listen. Elsewhere the first process accepts them and hands
 * them on, and what it hands to a worker that is killed at that moment hangs.
 */
const sharesPort = process.platform === 'linux' || process.platform === 'freebsd'

/** One of several processes that answer on one port; runs until the first process says, or is gone. */
export async function runWorker(options: ServeOptions): Promise<void> {
  const port = Number(process.env[workerPortVariable])
  /** How long open connections are still answered, in milliseconds. */
  const toStop = Promise.withResolvers<number>()
  const toListen = Promise.withResolvers<void>()
  // Ctrl-c reaches every process of the terminal. The first one decides.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
  process.once('SIGTERM', () => toStop.resolve(0))
  process.once('disconnect', () => toStop.resolve(0))
  const stopHearing = fromPrimary((message) => {
    if (message.type === 'listen') toListen.resolve()
    if (message.type === 'stop') toStop.resolve(message.drainMs)
  })

  const observing = await startObserving(options.observing, { worker: cluster.worker?.id ?? 0 })
  const shared = options.redis === undefined ? { sharedLimits: workerLimits() } : {}
  let site: OpenSite | undefined
  try {
    site = await openSite(siteAddress(options, port), options, { ...shared, observing })
    const limitsShared = site.hallpass.limitsStatus()?.shared ?? false
    await tellPrimary({ type: 'opened', limitsShared })
    await Promise.race([toListen.promise, toStop.promise])
    const server = await listenOrExplain(site.listeners, { ...options, port }, { reusePort: sharesPort })
    await tellPrimary({ type: 'listening' })
    const drainMs = await toStop.promise
    await server.close(undefined, drainMs)
  } catch (error) {
    // Without the first process there is nobody to answer for.
    if (process.connected) throw error
  } finally {
    await site?.close()
    stopHearing()
    // The channel would keep the process.
    process.disconnect?.()
  }
}
