import type { DomainEvent } from '../domain/events.ts'
import type { ApiKeyRecord, UserApiKeyRecord } from '../domain/store.ts'
import type { User } from '../domain/user.ts'
import type { ApiKeyScopeDecision } from '../protocol/api-key-scopes.ts'
import type { RequestedRoute } from '../protocol/route-matcher.ts'
import type { ScopeDecision } from '../protocol/scopes.ts'

/** A key seen before: facts about it and its owner, never a decision. */
export type KnownKey = {
  /** When the directory was asked for the owner, in milliseconds since the epoch. */
  readonly ownerReadAt: number
} & (
  | {
      readonly kind: 'user_api_key'
      readonly key: UserApiKeyRecord
      readonly owner: User
      /** The key's scopes, ready to decide about a request. */
      readonly decide: (request: RequestedRoute) => ScopeDecision
    }
  | {
      readonly kind: 'api_key'
      readonly key: ApiKeyRecord
      /** The user it is bound to; undefined when it acts for any. */
      readonly owner: User | undefined
      /** What the key may do, ready to decide about a request. */
      readonly decide: (request: RequestedRoute) => ApiKeyScopeDecision
      /** Whether the key may be used from an address; null for one that is not known. */
      readonly permitsAddress: (address: string | null) => boolean
    }
)

/**
 * Keys by their hash, so that a key seen before costs no look-up. Bounded: past `capacity` the key that was used
 * longest ago is dropped. It hears of every change that concerns a key through {@link KeyCache.apply}.
 */
export class KeyCache {
  readonly #capacity: number
  readonly #keys: Map<string, KnownKey> = new Map()
  #generation = 0

  /** `capacity`: how many keys are kept. Default 100,000. */
  constructor(capacity = 100_000) {
    this.#capacity = capacity
  }

  /** Grows with every change. What was read from the store before a change must not be put in after it. */
  get generation(): number {
    return this.#generation
  }

  /** How many keys are kept at the moment. */
  get size(): number {
    return this.#keys.size
  }

  get(keyHash: string): KnownKey | undefined {
    const known = this.#keys.get(keyHash)
    if (known) {
      // To the end of the Map's order, which thereby is the order of last use.
      this.#keys.delete(keyHash)
      this.#keys.set(keyHash, known)
    }
    return known
  }

  /** Keeps a key that was read when the generation was `readAt`. */
  put(keyHash: string, known: KnownKey, readAt: number): void {
    if (readAt !== this.#generation) return
    this.#keys.set(keyHash, known)
    if (this.#keys.size > this.#capacity) {
      const oldest = this.#keys.keys().next()
      if (!oldest.done) this.#keys.delete(oldest.value)
    }
  }

  /** Drops one key. */
  drop(keyHash: string): undefined {
    this.#keys.delete(keyHash)
  }

  /** Drops every key: something has changed, and nobody says what. */
  clear(): void {
    this.#generation += 1
    this.#keys.clear()
  }

  /** Drops what an event made stale. */
  apply(event: DomainEvent): void {
    this.#generation += 1
    if ('keyHash' in event) this.#keys.delete(event.keyHash)
    if (event.type === 'user_changed') {
      for (const [hash, known] of this.#keys) {
        if (known.owner?.id === event.userId) this.#keys.delete(hash)
      }
    }
    if (event.type === 'client_renamed') {
      for (const [hash, known] of this.#keys) {
        if (known.kind === 'user_api_key' && known.key.client.clientId === event.clientId)
          this.#keys.delete(hash)
      }
    }
  }
}
