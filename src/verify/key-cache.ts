import { type CacheChange, changesOf } from '../domain/changes.ts'
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

export interface KeyCacheOptions {
  /** How many keys are kept. Default 100,000. */
  readonly capacity?: () => number
  /** Whether what is kept may be believed at the moment. Default: always. */
  readonly isTrusted?: () => boolean
}

/** What the keys of one user have in common, so that all of them can be dropped without looking for them. */
interface Owner {
  isStale: boolean
  keys: number
}

interface Entry {
  readonly known: KnownKey
  readonly owner: Owner | undefined
  /** Whether the key was used since its turn to be dropped came last. */
  isUsed: boolean
}

/** How many keys that are in use are spared, at the most, to find one that is not. It bounds what one new key costs. */
const spared = 64

/**
 * Keys by their hash, so that a key seen before costs no look-up. Bounded: past the capacity keys are dropped that were
 * not used for long. It hears of every change that concerns a key, by this process's events ({@link KeyCache.apply}) and
 * as changes that others committed ({@link KeyCache.forget}); while it cannot, it answers for no key.
 */
export class KeyCache {
  readonly #capacity: () => number
  readonly #isTrusted: () => boolean
  readonly #keys: Map<string, Entry> = new Map()
  readonly #owners: Map<string, Owner> = new Map()
  #generation = 0

  constructor({ capacity = () => 100_000, isTrusted = () => true }: KeyCacheOptions = {}) {
    this.#capacity = capacity
    this.#isTrusted = isTrusted
  }

  /** Grows with every change. What was read from the store before a change must not be put in after it. */
  get generation(): number {
    return this.#generation
  }

  /** How many keys are kept at the moment. */
  get size(): number {
    return this.#keys.size
  }

  /** The key, if it is known and what is known may be believed. */
  get(keyHash: string): KnownKey | undefined {
    const entry = this.#keys.get(keyHash)
    if (entry === undefined || !this.#isTrusted()) return undefined
    if (entry.owner?.isStale) return this.drop(keyHash)
    entry.isUsed = true
    return entry.known
  }

  /** Whether there was such a key when its hash was last looked up; not whether it may be used. */
  isKnown(keyHash: string): boolean {
    return this.#keys.has(keyHash)
  }

  /** Keeps a key that was read when the generation was `readAt`. */
  put(keyHash: string, known: KnownKey, readAt: number): void {
    if (readAt !== this.#generation) return
    this.drop(keyHash)
    this.#keys.set(keyHash, { known, owner: this.#ownerOf(known), isUsed: false })
    while (this.#keys.size > this.#capacity()) this.#dropUnused()
  }

  /** Drops one key. */
  drop(keyHash: string): undefined {
    const entry = this.#keys.get(keyHash)
    if (!entry) return
    this.#keys.delete(keyHash)
    const { known, owner } = entry
    if (!owner || !known.owner) return
    owner.keys -= 1
    if (owner.keys === 0 && !owner.isStale) this.#owners.delete(known.owner.id)
  }

  /** Drops every key: something has changed, and nobody says what. */
  clear(): void {
    this.#generation += 1
    this.#keys.clear()
    this.#owners.clear()
  }

  /** Drops what an event of this process made stale. */
  apply(event: DomainEvent): void {
    this.#generation += 1
    for (const change of changesOf(event)) this.forget(change)
  }

  /** Drops what a change made stale. */
  forget({ kind, value }: CacheChange): void {
    this.#generation += 1
    if (kind === 'key') this.drop(value)
    if (kind === 'user') this.#dropOwner(value)
    if (kind === 'client') this.#dropClient(value)
  }

  #ownerOf({ owner }: KnownKey): Owner | undefined {
    if (!owner) return undefined
    let shared = this.#owners.get(owner.id)
    if (!shared) {
      shared = { isStale: false, keys: 0 }
      this.#owners.set(owner.id, shared)
    }
    shared.keys += 1
    return shared
  }

  #dropOwner(userId: string): void {
    const owner = this.#owners.get(userId)
    if (owner) owner.isStale = true
    this.#owners.delete(userId)
  }

  /** A client is renamed seldom, and mostly has one key: an index would cost more than going through all keys. */
  #dropClient(clientId: string): void {
    for (const [hash, { known }] of this.#keys) {
      if (known.kind === 'user_api_key' && known.key.client.clientId === clientId) this.drop(hash)
    }
  }

  /** In the order of their coming, those that were used since they came, or since their last turn, are spared once. */
  #dropUnused(): void {
    let tries = 0
    for (const [hash, entry] of this.#keys) {
      if (!entry.isUsed || tries === spared) {
        this.drop(hash)
        return
      }
      tries += 1
      entry.isUsed = false
      this.#keys.delete(hash)
      this.#keys.set(hash, entry)
    }
  }
}
