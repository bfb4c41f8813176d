import type { Clock } from '../domain/ports.ts'
import type { KeyUse, Store, StoreSession } from '../domain/store.ts'

/** How many keys of each kind are kept for want of a store that takes them; beyond that the first are forgotten. */
const mostKept = 250_000

export interface LastUseOptions {
  /** For how many keys one transaction writes. */
  readonly batchSize: () => number
  /** Called when so much has gathered that it should be written before its time. Default: nothing. */
  readonly onFull?: () => void
}

interface Use {
  lastUsedAt: number
  count: number
}

/**
 * When each key was last used, and how often since that was written, kept in memory and written in batches, so that
 * verifying a key writes nothing. A crash loses what was not yet written, and nothing else.
 */
export class LastUse {
  readonly #store: Store
  readonly #clock: Clock
  readonly #options: LastUseOptions
  #userApiKeys: Map<number, Use> = new Map()
  #apiKeys: Map<number, Use> = new Map()
  #flushing: Promise<void> = Promise.resolve()

  constructor(store: Store, clock: Clock, options: LastUseOptions) {
    this.#store = store
    this.#clock = clock
    this.#options = options
  }

  /** `now`: what the clock said a moment ago, for whoever has asked it. */
  userApiKeyUsed(id: number, now: number = this.#clock.now()): void {
    used(this.#userApiKeys, id, now, this.#options)
  }

  apiKeyUsed(id: number): void {
    used(this.#apiKeys, id, this.#clock.now(), this.#options)
  }

  /**
   * Writes what has gathered, in as many transactions as batches: between two everybody else has a turn. When the store
   * refuses, what is left is kept for the next time. A batch whose answer was lost is counted twice.
   */
  flush(): Promise<void> {
    const flushed = this.#flushing.then(() => this.#flushAll())
    // One after another; whoever comes next does not care how this one went.
    this.#flushing = flushed.catch(() => {})
    return flushed
  }

  async #flushAll(): Promise<void> {
    const [userApiKeys, apiKeys] = [this.#userApiKeys, this.#apiKeys]
    this.#userApiKeys = new Map()
    this.#apiKeys = new Map()
    try {
      await this.#write(userApiKeys, (session, uses) => session.userApiKeys.touch(uses))
      await this.#write(apiKeys, (session, uses) => session.apiKeys.touch(uses))
    } finally {
      this.#userApiKeys = merged(userApiKeys, this.#userApiKeys)
      this.#apiKeys = merged(apiKeys, this.#apiKeys)
    }
  }

  /** What is written is taken out of `uses`. */
  async #write(
    uses: Map<number, Use>,
    touch: (session: StoreSession, batch: readonly KeyUse[]) => Promise<void>,
  ): Promise<void> {
    while (uses.size > 0) {
      const batch: KeyUse[] = []
      for (const [id, use] of uses) {
        batch.push({ id, ...use })
        if (batch.length >= this.#options.batchSize()) break
      }
      await this.#store.transaction((session) => touch(session, batch))
      for (const { id } of batch) uses.delete(id)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

function used(uses: Map<number, Use>, id: number, now: number, { onFull }: LastUseOptions): void {
  const use = uses.get(id)
  if (use) {
    use.lastUsedAt = now
    use.count += 1
    return
  }
  keep(uses, id, { lastUsedAt: now, count: 1 })
  if (uses.size === mostKept / 2) onFull?.()
}

/** `earlier` with what came meanwhile; mostly there is nothing earlier left. */
function merged(earlier: Map<number, Use>, later: Map<number, Use>): Map<number, Use> {
  if (earlier.size === 0) return later
  for (const [id, use] of later) {
    const before = earlier.get(id)
    if (before) {
      before.lastUsedAt = Math.max(before.lastUsedAt, use.lastUsedAt)
      before.count += use.count
    } else keep(earlier, id, use)
  }
  return earlier
}

function keep(uses: Map<number, Use>, id: number, use: Use): void {
  uses.set(id, use)
  if (uses.size <= mostKept) return
  const first = uses.keys().next()
  if (!first.done) uses.delete(first.value)
}
