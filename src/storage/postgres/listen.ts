import { setTimeout as wait } from 'node:timers/promises'
import type { Client } from 'pg'
import type { ChangeListener } from '../../domain/store.ts'
import { changesChannel, readNotice } from './notice.ts'

/** How long to wait before the connection is tried again: at first, and at the most, in milliseconds. */
const [shortestWaitMs, longestWaitMs] = [50, 2000]

/** How often a connection on which nothing is heard is asked whether it is still there, in milliseconds. */
const aliveEveryMs = 5000

export interface ListeningConnection {
  readonly client: Client
  /** Ends it, whether the server answers or not. */
  readonly end: () => Promise<void>
}

/** Makes the connection, unless `signal` says meanwhile that it is of no use any more. */
type Connect = (signal: AbortSignal) => Promise<ListeningConnection>

/**
 * Hears of commits on a connection of its own, but for those of `origin`, until it is stopped. A connection that breaks is
 * made again, for as long as it takes. Resolves when the first attempt has succeeded or failed.
 */
export async function listen(
  connect: Connect,
  origin: string,
  { onCommit, onLost }: ChangeListener,
): Promise<() => Promise<void>> {
  const stopping = new AbortController()
  const firstAttempt = Promise.withResolvers<void>()

  const onNotification = ({ payload }: { readonly payload?: string | undefined }): void => {
    const { by, changes } = readNotice(payload ?? '')
    if (by !== origin) onCommit(changes)
  }

  async function run(): Promise<void> {
    let waitMs = shortestWaitMs
    for (let heardBefore = false; !stopping.signal.aborted; ) {
      const lost = await hear(connect, onNotification, stopping.signal, () => {
        // What was committed while nothing could be heard.
        if (heardBefore) onCommit()
        heardBefore = true
        waitMs = shortestWaitMs
        firstAttempt.resolve()
      })
      if (stopping.signal.aborted) break
      heardBefore = true
      onLost(lost)
      firstAttempt.resolve()
      await wait(waitMs, undefined, { signal: stopping.signal, ref: false }).catch(() => {})
      waitMs = Math.min(waitMs * 2, longestWaitMs)
    }
    firstAttempt.resolve()
  }

  const running = run()
  await firstAttempt.promise
  return async () => {
    stopping.abort()
    await running
  }
}

/** Hears until the connection is lost or `signal` ends it. Answers with why it was lost. */
async function hear(
  connect: Connect,
  onNotification: (notification: { readonly payload?: string | undefined }) => void,
  signal: AbortSignal,
  onHeard: () => void,
): Promise<unknown> {
  let connection: ListeningConnection | undefined
  let asking: NodeJS.Timeout | undefined
  const lost = Promise.withResolvers<unknown>()
  const stop = (): void => lost.resolve(undefined)
  try {
    connection = await connect(signal)
    const { client } = connection
    client.on('error', lost.resolve)
    client.on('end', () => lost.resolve(new Error('the connection to the database was closed')))
    client.on('notification', onNotification)
    signal.addEventListener('abort', stop)
    // It says so once, and that may have been while the connection was made.
    if (signal.aborted) return undefined
    await Promise.race([client.query(`listen ${changesChannel}`).then(onHeard), lost.promise])
    asking = setInterval(() => void client.query('select 1').catch(lost.resolve), aliveEveryMs)
    asking.unref()
    return await lost.promise
  } catch (error) {
    return error
  } finally {
    clearInterval(asking)
    signal.removeEventListener('abort', stop)
    await connection?.end()
  }
}
