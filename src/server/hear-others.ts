/** What other processes commit to the same database, and for how long what is in memory may be believed without a word. */
import type { CacheChange } from '../domain/changes.ts'
import type { Timers } from '../domain/ports.ts'
import type { CacheChangeRecord, Store } from '../domain/store.ts'
import type { Trust } from '../verify/trust.ts'

export interface HearOthersOptions {
  /** Renewed by each reading that ends well. */
  readonly trust: Trust
  /** How often what has changed is read although nobody was heard to change anything, in milliseconds. */
  readonly heartbeatMs: () => number
  readonly timers: Timers
  /** Forgets what a change has made stale, at once. */
  readonly forget: (change: CacheChange) => void
  /** Forgets everything: more has changed than can be told. */
  readonly forgetAll: () => void
  /** Reads the settings again. */
  readonly reloadSettings: () => Promise<void>
  /** Hears of what was applied, those of this process included. Default: nobody. */
  readonly onHeard?: (changes: readonly CacheChangeRecord[]) => void
  /** Hears whether memory is believed, whenever that changes; at first it is. Default: nobody. */
  readonly onTrust?: (isTrusted: boolean) => void
  /** Hears of the first failure in a row. */
  readonly onError: (error: unknown) => void
}

/** How long after the first failure in a row is read again, in milliseconds: twice as long each time, up to a heartbeat. */
const soonestMs = 50

/** What one process knows of the others. */
export interface Bus {
  /**
   * Resolves once all is known that others had committed when it was called, so that what is in memory may be believed;
   * however many ask at once, the store is asked once. While the store is known not to answer it rejects at once, so
   * that nobody waits in vain.
   */
  catchUp(): Promise<void>
  close(): Promise<void>
}

/** Which change is the latest, as the trust in all that is read from now on begins. */
export async function latestChange(store: Store, trust: Trust): Promise<number> {
  const began = trust.begin()
  const { newest } = await store.changes.kept()
  trust.renew(began)
  return newest
}

/**
 * Hears of what others change, such as a key revoked by `hallpass jobs run`: when the store tells of a commit, and at
 * each heartbeat, the changes since the last are read and applied. So one that is not told of, or twice, does no harm.
 * Changes that this process committed itself come round as well, in case their answer was lost.
 *
 * `from`: what {@link latestChange} said before anything was read that is in memory now.
 */
export async function hearOthers(store: Store, from: number, options: HearOthersOptions): Promise<Bus> {
  const { trust, timers, onError } = options
  let applied = from
  let reading: Promise<void> | undefined
  let isWanted = false
  let isClosed = false
  /** Why the last reading failed, or why nothing is heard of commits; undefined while all is well. */
  let failure: { readonly error: unknown } | undefined
  let againMs = soonestMs

  async function readAll(): Promise<void> {
    for (;;) {
      const kept = await store.changes.listAfter(applied - 1)
      const rows = kept.filter(({ sequence }) => sequence > applied)
      const last = rows.at(-1)
      if (!last) return
      // The newest change is never deleted. So one that was applied last and is gone was followed by others that are too.
      if (kept[0]?.sequence !== applied) {
        options.forgetAll()
        await options.reloadSettings()
      }
      for (const row of rows) options.forget(row)
      options.onHeard?.(rows)
      if (rows.some(({ kind }) => kind === 'settings')) await options.reloadSettings()
      applied = last.sequence
    }
  }

  /** Reads until nothing was heard during the reading. */
  async function read(): Promise<void> {
    try {
      do {
        isWanted = false
        const began = trust.begin()
        await readAll()
        trust.renew(began)
        failure = undefined
        againMs = soonestMs
        tellTrust()
      } while (isWanted && !isClosed)
    } catch (error) {
      fail(error)
      throw error
    } finally {
      reading = undefined
    }
  }

  let toldTrust = true
  function tellTrust(): void {
    const isTrusted = trust.holds()
    if (isTrusted !== toldTrust) options.onTrust?.(isTrusted)
    toldTrust = isTrusted
  }

  function fail(error: unknown): void {
    const isFirst = failure === undefined
    failure = { error }
    if (isClosed) return
    if (isFirst) onError(error)
    // Nobody is let in any more, or soon nobody will be: until the next heartbeat would be long.
    cancel()
    const heartbeatMs = options.heartbeatMs()
    cancel = timers.after(Math.min(againMs, heartbeatMs), beat)
    againMs = Math.min(againMs * 2, heartbeatMs)
  }

  function begin(): Promise<void> {
    reading ??= read()
    return reading
  }

  /** Whoever asks without waiting has heard of a failure by `onError`. */
  function hear(changes: readonly CacheChange[] = []): void {
    if (isClosed) return
    // Before anything is read, which takes a while. The reading, which misses nothing, applies them again.
    for (const change of changes) options.forget(change)
    isWanted = true
    begin().catch(() => {})
  }

  function beat(): void {
    if (isClosed) return
    tellTrust()
    if (!reading) begin().catch(() => {})
    cancel = timers.after(options.heartbeatMs(), beat)
  }
  let cancel = timers.after(options.heartbeatMs(), beat)
  const stopWatching = await store.watch({ onCommit: hear, onLost: (error) => !isClosed && onError(error) })
  // What was committed between the first look and the watching.
  hear()

  return {
    async catchUp() {
      if (failure) throw failure.error
      isWanted = true
      await begin()
    },
    async close() {
      isClosed = true
      cancel()
      await stopWatching()
      await reading?.catch(() => {})
    },
  }
}
