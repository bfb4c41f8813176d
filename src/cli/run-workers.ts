/** The first of several processes: gets everything ready, starts the workers, and looks after them. */
import { type FirstAdministrator, makeFirstAdministrator } from './first-administrator.ts'
import { greeting } from './greeting.ts'
import { listenOrExplain, siteAddress } from './listen-or-explain.ts'
import { type Observing, startObserving } from './observing.ts'
import { openSite } from './open-site.ts'
import { workerPortVariable } from './run-worker.ts'
import type { ServeOptions } from './serve-options.ts'
import { WorkerCrew } from './worker-crew.ts'

/** Runs `options.workers` workers until it is told to stop. It answers no request itself. */
export async function runWorkers(options: ServeOptions): Promise<void> {
  const port = await freePort(options)
  const address = siteAddress(options, port)
  const observing = await startObserving(options.observing, { isPrimary: true })
  const { first, location } = await prepare(address, options, observing)
  const crew = new WorkerCrew({
    workers: options.workers,
    env: { [workerPortVariable]: String(port) },
    log: observing.log.log,
  })
  const stopped = stopSignal(() => void crew.replaceAll())
  let isRunning = false
  const started = crew.start().then(() => {
    isRunning = true
    process.stdout.write(
      greeting(address, options, {
        location,
        first,
        metrics: observing.metricsServer,
        limitsShared: crew.limitsShared,
      }),
    )
  })
  // What is wrong with the workers ends the process too.
  const failed = Promise.all([started, crew.failed])
  try {
    await Promise.race([stopped, failed])
  } catch (error) {
    // It will not be shown again.
    if (!isRunning && first?.password !== undefined) {
      process.stdout.write(`the password of ${first.username} is ${first.password}   (shown this once)\n`)
    }
    throw error
  } finally {
    process.stdout.write('stopping\n')
    await crew.stop()
    await observing.close()
  }
}

/** The port that the workers will have, after a look whether it is to be had. */
async function freePort(options: ServeOptions): Promise<number> {
  const nobody = { request: () => {}, upgrade: () => {}, shouldUpgrade: () => false, breakOff: () => {} }
  const probe = await listenOrExplain(nobody, options)
  await probe.close(0)
  return probe.port
}

/** Brings the database up to date and makes the first administrator, so that no two workers do. Nothing stays open. */
async function prepare(
  address: string,
  options: ServeOptions,
  observing: Observing,
): Promise<{ readonly first: FirstAdministrator | undefined; readonly location: string }> {
  const forProcess = { background: false, observing }
  const site = await openSite(address, { ...options, redis: undefined }, forProcess)
  try {
    const isEmpty = (await site.store.accounts.count()) === 0
    const first = isEmpty ? await makeFirstAdministrator(site.hallpass, options) : undefined
    return { first, location: site.location }
  } finally {
    await site.close()
  }
}

/** SIGHUP starts the workers anew, unless it means that the terminal has gone. */
function stopSignal(renew: () => void): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
    process.on('SIGHUP', () => (process.stdin.isTTY ? resolve() : renew()))
  })
}
