import { type CacheChange, changesOf } from '../domain/changes.ts'
import type { DomainEvent } from '../domain/events.ts'
import type { Clock } from '../domain/ports.ts'

/** How many are remembered: enough for the mistakes of many clients. Guesses never come twice. */
const capacity = 10_000

/** How long, in milliseconds. A key that another process has issued meanwhile is refused for so long at the most. */
const lifeMs = 5000

/**
 * Hashes that there was no key for, so that a client which goes on sending a wrong key costs the store nothing. They are
 * remembered shortly, and forgotten at once when this process makes such a key, or another an API key; while nobody can tell
 * what others do, none counts.
 */
export class UnknownKeys {
  readonly #clock: Clock
  readonly #isTrusted: () => boolean
  /** When each was looked up; the longest ago comes first. */
  readonly #since: Map<string, number> = new Map()

  constructor(clock: Clock, isTrusted: () => boolean) {
    this.#clock = clock
    this.#isTrusted = isTrusted
  }

  has(keyHash: string): boolean {
    const since = this.#since.get(keyHash)
    if (since === undefined) return false
    const age = this.#clock.now() - since
    // A clock that was set back says nothing about age.
    if (age >= 0 && age < lifeMs) return this.#isTrusted()
    this.#since.delete(keyHash)
    return false
  }

  add(keyHash: string): void {
    this.#since.delete(keyHash)
    this.#since.set(keyHash, this.#clock.now())
    if (this.#since.size <= capacity) return
    const oldest = this.#since.keys().next()
    if (!oldest.done) this.#since.delete(oldest.value)
  }

  apply(event: DomainEvent): void {
    if ('keyHash' in event) this.#since.delete(event.keyHash)
    for (const change of changesOf(event)) this.forget(change)
  }

  forget({ kind, value }: CacheChange): void {
    if (kind === 'key') this.#since.delete(value)
  }

  clear(): void {
    this.#since.clear()
  }
}
