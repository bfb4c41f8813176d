/** The server's process, or its first: with more than one worker `run-workers.ts` goes on from here. */
import cluster from 'node:cluster'
import type { NodeListeners } from '../edge/node-server.ts'
import { makeFirstAdministrator } from './first-administrator.ts'
import { greeting } from './greeting.ts'
import { listenOrExplain, siteAddress } from './listen-or-explain.ts'
import { startObserving } from './observing.ts'
import { onceOpen } from './once-open.ts'
import { type OpenSite, openSite } from './open-site.ts'
import type { ServeOptions } from './serve-options.ts'

/** A server that runs until it is told to stop. */
export async function runServer(options: ServeOptions): Promise<void> {
  // What one process alone does not need, it does not load.
  if (cluster.isWorker) return (await import('./run-worker.ts')).runWorker(options)
  if (options.workers > 1) return (await import('./run-workers.ts')).runWorkers(options)

  // The port comes first: a start that fails for want of it must not have made, and hidden, the first password.
  const running = Promise.withResolvers<NodeListeners>()
  const opened = Promise.withResolvers<NodeListeners>()
  const server = await listenOrExplain(onceOpen(opened.promise, running.promise), options)
  const address = siteAddress(options, server.port)
  const opening = openWithAdministrator(address, options, running.resolve)
  const { site, first, observing } = await opening.catch(async (error: unknown) => {
    await server.close(0)
    throw error
  })
  // Before the greeting, because whoever has read it may stop the server at once.
  const stopped = stopSignal()
  process.stdout.write(
    greeting(address, options, {
      location: site.location,
      first,
      metrics: observing.metricsServer,
      limitsShared: site.hallpass.limitsStatus()?.shared ?? false,
    }),
  )
  opened.resolve(site.listeners)

  await stopped
  process.stdout.write('stopping\n')
  await server.close()
  await site.close()
  await observing.close()
}

/** The site and, where its database is empty, the first administrator. `onRunning` hears of the site before there is one. */
async function openWithAdministrator(
  address: string,
  options: ServeOptions,
  onRunning: (listeners: NodeListeners) => void,
) {
  const observing = await startObserving(options.observing)
  const site: OpenSite = await openSite(address, options, { observing })
  onRunning(site.listeners)
  // Last, so that whatever else can fail has not: the password is shown once.
  const isEmpty = (await site.store.accounts.count()) === 0
  const first = isEmpty ? await makeFirstAdministrator(site.hallpass, options) : undefined
  return { site, first, observing }
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })
}
