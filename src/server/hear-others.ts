import type { Store } from '../domain/store.ts'
import { repeatedly } from './system.ts'

export interface HearOthersOptions {
  /** How often everything is forgotten while others cannot be heard, in milliseconds; 0 for not to listen at all. */
  readonly everyMs: number
  /** Called when others have changed something, and when it cannot be told: forget what came from the store. */
  readonly forget: () => void
  /** Called after `forget` when others have changed something: read again what must be in memory. */
  readonly reload: () => Promise<void>
  readonly onError: (error: unknown) => void
}

/**
 * Hears of what other processes commit to the same database, such as a key revoked by `hallpass jobs run`. What this
 * process commits itself is heard of at once, as events, and not here.
 *
 * While others cannot be heard, everything is forgotten again and again: then a request has to ask the store too, and
 * is not let in on what was true once. Answers with what stops it.
 */
export function hearOthers(store: Store, options: HearOthersOptions): () => void {
  const { everyMs, forget, reload, onError } = options
  if (everyMs === 0) return () => {}
  let lost = false
  let stopped = false

  async function heard(): Promise<void> {
    if (stopped) return
    forget()
    try {
      await reload()
      lost = false
    } catch (error) {
      miss(error)
    }
  }

  function miss(error: unknown): void {
    if (stopped) return
    forget()
    // Told once, not again and again.
    if (!lost) onError(error)
    lost = true
  }

  const watching = store.watch({ onCommit: () => void heard(), onLost: miss })
  // Something may have been committed since it was read, and before others could be heard.
  watching.then(() => heard(), miss)
  const stopForgetting = repeatedly(everyMs, () => {
    if (lost) void heard()
  })
  return () => {
    stopped = true
    stopForgetting()
    watching.then((stop) => stop()).catch(() => {})
  }
}
