import type { Store } from '../domain/store.ts'
import { repeatedly } from './system.ts'

export interface HearOthersOptions {
  /** How often the store is asked, in milliseconds; 0 for never. */
  readonly everyMs: number
  /** Called when others have changed something, and when it cannot be told: forget what came from the store. */
  readonly forget: () => void
  /** Called after `forget` when others have changed something: read again what must be in memory. */
  readonly reload: () => Promise<void>
  readonly onError: (error: unknown) => void
}

/**
 * Hears of what other processes commit to the same database, such as a key revoked by `hallpass jobs run`, by asking
 * the store again and again. What this process commits itself is heard of at once, as events, and not here.
 *
 * While the store does not answer, everything is forgotten at each turn: then a request has to ask the store too, and
 * is not let in on what was true once. Answers with what stops it.
 */
export function hearOthers(store: Store, options: HearOthersOptions): () => void {
  const { everyMs, forget, reload, onError } = options
  let asking = false
  let failing = false

  async function ask(): Promise<void> {
    // The last turn has not been answered yet.
    if (asking) return forget()
    asking = true
    try {
      if (failing || (await store.changedElsewhere())) {
        forget()
        await reload()
        failing = false
      }
    } catch (error) {
      forget()
      // Told once, not ten times a second.
      const isNew = !failing
      failing = true
      if (isNew) onError(error)
    } finally {
      asking = false
    }
  }

  return repeatedly(everyMs, () => void ask())
}
