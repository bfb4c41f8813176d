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
  /** The generation when it was read. */
  readonly readAt: number
  /** Whether the key was used since its turn to be dropped came last. */
  isUsed: boolean
}

/** How many keys that are in use are spared, at the most, to find one that is not. It bounds what one new key costs. */
const spared = 64

/** How many hashes of keys that are not kept any more are remembered; at 150 bytes each. */
const mostSeen = 10_000

/** How many changed clients are remembered before all keys are gone through, which takes long where there are many. */
const mostChangedClients = 1000

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
  /** Clients that were changed, and the generation of that: their keys are dropped when they are next asked for. */
  readonly #changedClients: Map<string, number> = new Map()
  /** Hashes that there is a key for, though it is not kept: those dropped last, and those just issued. */
  readonly #seen: Set<string> = new Set()
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
    if (entry.owner?.isStale || (this.#changedClients.size > 0 && this.#isOfChangedClient(entry))) {
      return this.drop(keyHash)
    }
    entry.isUsed = true
    return entry.known
  }

  /** Whether there was such a key when this process last knew of it; not whether it may be used. */
  isKnown(keyHash: string): boolean {
    return this.#keys.has(keyHash) || this.#seen.has(keyHash)
  }

  /** There is no such key any more. */
  isGone(keyHash: string): void {
    this.#seen.delete(keyHash)
  }

  /** Keeps a key that was read when the generation was `readAt`. */
  put(keyHash: string, known: KnownKey, readAt: number): void {
    if (readAt !== this.#generation) return
    this.drop(keyHash)
    this.#seen.delete(keyHash)
    this.#keys.set(keyHash, { known, owner: this.#ownerOf(known), readAt, isUsed: false })
    while (this.#keys.size > this.#capacity()) this.#dropUnused()
  }

  /** Drops one key. */
  drop(keyHash: string): undefined {
    const entry = this.#keys.get(keyHash)
    if (!entry) return
    this.#keys.delete(keyHash)
    this.#see(keyHash)
    const { known, owner } = entry
    if (!owner || !known.owner) return
    owner.keys -= 1
    if (owner.keys === 0 && !owner.isStale) this.#owners.delete(known.owner.id)
  }

  /** Drops every key: something has changed, and nobody says what. */
  clear(): void {
    this.#generation += 1
    for (const keyHash of this.#keys.keys()) this.#see(keyHash)
    this.#keys.clear()
    this.#owners.clear()
    this.#changedClients.clear()
  }

  /** Drops what an event of this process made stale. */
  apply(event: DomainEvent): void {
    this.#generation += 1
    for (const change of changesOf(event)) this.forget(change)
    if ('keyHash' in event) this.#see(event.keyHash)
  }

  /** Drops what a change made stale. */
  forget({ kind, value }: CacheChange): void {
    this.#generation += 1
    if (kind === 'key') this.drop(value)
    if (kind === 'user') this.#dropOwner(value)
    if (kind === 'client') this.#changeClient(value)
  }

  #see(keyHash: string): void {
    this.#seen.add(keyHash)
    if (this.#seen.size <= mostSeen) return
    const first = this.#seen.values().next()
    if (!first.done) this.#seen.delete(first.value)
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

  /** A client is changed seldom, and mostly has one key: an index of all would cost every key something. */
  #changeClient(clientId: string): void {
    this.#changedClients.set(clientId, this.#generation)
    if (this.#changedClients.size <= mostChangedClients) return
    for (const [hash, entry] of this.#keys) if (this.#isOfChangedClient(entry)) this.drop(hash)
    this.#changedClients.clear()
  }

  #isOfChangedClient({ known, readAt }: Entry): boolean {
    if (known.kind !== 'user_api_key') return false
    const changedAt = this.#changedClients.get(known.key.client.clientId)
    return changedAt !== undefined && readAt < changedAt
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
