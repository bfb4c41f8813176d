import type { Clock } from '../domain/ports.ts'
import type { Store } from '../domain/store.ts'

/**
 * When each key was last used, kept in memory and written in batches, so that verifying a key writes nothing. A crash
 * loses what was not yet written, and nothing else.
 */
export class LastUse {
  readonly #store: Store
  readonly #clock: Clock
  #userApiKeys: Map<number, number> = new Map()
  #apiKeys: Map<number, number> = new Map()

  constructor(store: Store, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  userApiKeyUsed(id: number): void {
    this.#userApiKeys.set(id, this.#clock.now())
  }

  apiKeyUsed(id: number): void {
    this.#apiKeys.set(id, this.#clock.now())
  }

  /** Writes what has gathered. When the store refuses, it is kept for the next time. */
  async flush(): Promise<void> {
    if (this.#userApiKeys.size === 0 && this.#apiKeys.size === 0) return
    const [userApiKeys, apiKeys] = [this.#userApiKeys, this.#apiKeys]
    this.#userApiKeys = new Map()
    this.#apiKeys = new Map()
    try {
      await this.#store.transaction(async (session) => {
        await session.userApiKeys.touch(uses(userApiKeys))
        await session.apiKeys.touch(uses(apiKeys))
      })
    } catch (error) {
      this.#userApiKeys = new Map([...userApiKeys, ...this.#userApiKeys])
      this.#apiKeys = new Map([...apiKeys, ...this.#apiKeys])
      throw error
    }
  }
}

function uses(map: ReadonlyMap<number, number>): { id: number; lastUsedAt: number }[] {
  return [...map].map(([id, lastUsedAt]) => ({ id, lastUsedAt }))
}
