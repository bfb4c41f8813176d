/** A key that is not in memory, or not to be believed: what it costs, and how many may ask at once. */
import { addressMatcher } from '../domain/address.ts'
import {
  type ApiKeyRecord,
  StoreUnavailable,
  type UserApiKeyRecord,
  type WithAccount,
} from '../domain/store.ts'
import { type User, userOfAccount } from '../domain/user.ts'
import type { Refusal } from '../protocol/errors.ts'
import type { KnownKey } from './key-cache.ts'
import { knownKey } from './owner.ts'
import type { Moment, Trust } from './trust.ts'
import { UnknownKeyLimit } from './unknown-key-limit.ts'
import type { Verifier } from './verifier.ts'

type Kind = KnownKey['kind']

/** Readings that are under way, so that requests which come together share one. */
const underWay = new WeakMap<Verifier, Map<string, Reading>>()

const limits = new WeakMap<Verifier, UnknownKeyLimit>()

interface Reading {
  /** The cache's generation when it began: whoever comes after a change must not be told what was before. */
  readonly readAt: number
  readonly answer: Promise<KnownKey | undefined>
}

/**
 * The key with this hash, of either kind, and its owner, whatever state they are in; undefined where there is none. Out of
 * the memory, or by one read of the store, two where an application has users of its own. `kind` is the one that it was sent
 * as: that is looked for first.
 *
 * `address`: where it came from, to count keys there that nobody knows; null for not at all. Reason: `rate_limited`, for
 * keys that are not in memory, be there such a key or not.
 *
 * @throws StoreUnavailable where nothing can be told for certain
 */
export async function findKey(
  verifier: Verifier,
  keyHash: string,
  kind: Kind,
  address: string | null,
): Promise<KnownKey | Refusal | undefined> {
  const { cache, trust, unknownKeys, domain } = verifier
  const warm = await knownKey(verifier, keyHash)
  if (warm) return warm
  const { observer } = domain
  if (!trust.holds()) {
    if (observer.isOn) observer.cacheAsked('untrusted')
    await verifier.catchUp()
    const again = await knownKey(verifier, keyHash)
    if (again) return again
  }
  if (unknownKeys.has(keyHash)) {
    if (observer.isOn) observer.cacheAsked('known_absent')
    return undefined
  }
  // A key that was good is looked up whoever else comes from its address, and of many requests one looks.
  const isCounted = !cache.isKnown(keyHash) && !underWay.get(verifier)?.has(keyHash)
  const taken = isCounted ? limitOf(verifier).take(domain, address) : undefined
  if (taken instanceof Promise) {
    await taken
    return findKey(verifier, keyHash, kind, address)
  }
  if (observer.isOn) observer.cacheAsked('miss')
  if (taken === undefined) return loadKey(verifier, keyHash, kind)
  if ('reason' in taken) return taken
  try {
    const known = await loadKey(verifier, keyHash, kind)
    taken.over(known !== undefined)
    return known
  } catch (error) {
    taken.failed(error)
    throw error
  }
}

function limitOf(verifier: Verifier): UnknownKeyLimit {
  const limit = limits.get(verifier) ?? new UnknownKeyLimit()
  limits.set(verifier, limit)
  return limit
}

/** The same, always from the store, and for no limit. */
export function loadKey(verifier: Verifier, keyHash: string, kind: Kind): Promise<KnownKey | undefined> {
  const readings = underWay.get(verifier) ?? new Map<string, Reading>()
  underWay.set(verifier, readings)
  const readAt = verifier.cache.generation
  const present = readings.get(keyHash)
  if (present?.readAt === readAt) return present.answer
  const answer = read(verifier, keyHash, kind, readAt).finally(() => {
    if (readings.get(keyHash)?.answer === answer) readings.delete(keyHash)
  })
  readings.set(keyHash, { readAt, answer })
  return answer
}

async function read(
  verifier: Verifier,
  keyHash: string,
  kind: Kind,
  readAt: number,
): Promise<KnownKey | undefined> {
  const { cache, unknownKeys } = verifier
  const known =
    kind === 'api_key'
      ? ((await readApiKey(verifier, keyHash)) ?? (await readUserApiKey(verifier, keyHash)))
      : ((await readUserApiKey(verifier, keyHash)) ?? (await readApiKey(verifier, keyHash)))
  // By the record's own hash: the text that came with the request need not be kept for it.
  if (known) cache.put(known.key.keyHash, known, readAt)
  else {
    cache.isGone(keyHash)
    if (cache.generation === readAt) unknownKeys.add(keyHash)
  }
  return known
}

async function readUserApiKey(verifier: Verifier, keyHash: string): Promise<KnownKey | undefined> {
  const { userApiKeys } = verifier.domain.store
  const found = await readWithOwner(verifier, {
    alone: () => userApiKeys.findByHash(keyHash),
    withAccount: () => userApiKeys.findByHashWithAccount(keyHash),
  })
  if (!found?.owner) return undefined
  const { owner, ownerReadAt } = found
  const { scopes, decide } = verifier.scopeTables.userApiKey(found.key.scopes)
  return { kind: 'user_api_key', key: { ...found.key, scopes }, owner, ownerReadAt, decide }
}

async function readApiKey(verifier: Verifier, keyHash: string): Promise<KnownKey | undefined> {
  const { apiKeys } = verifier.domain.store
  const found = await readWithOwner(verifier, {
    alone: () => apiKeys.findByHash(keyHash),
    withAccount: () => apiKeys.findByHashWithAccount(keyHash),
  })
  if (!found) return undefined
  const { owner, ownerReadAt } = found
  const { scopes, decide } = verifier.scopeTables.apiKey(found.key)
  const { allowedIps } = found.key
  const permitsAddress = allowedIps.length === 0 ? fromEverywhere : addressMatcher(allowedIps)
  return { kind: 'api_key', key: { ...found.key, scopes }, owner, ownerReadAt, decide, permitsAddress }
}

const fromEverywhere = (): boolean => true

interface Question<Key> {
  readonly alone: () => Promise<Key | undefined>
  /** One read for the key and the local account of its owner. */
  readonly withAccount: () => Promise<WithAccount<Key> | undefined>
}

/** What is told was so within the time that memory, too, may be believed for. */
async function readWithOwner<Key extends ApiKeyRecord | UserApiKeyRecord>(
  { domain, trust, ownersAreAccounts }: Verifier,
  { alone, withAccount }: Question<Key>,
): Promise<
  { readonly key: Key; readonly owner: User | undefined; readonly ownerReadAt: number } | undefined
> {
  const ownerReadAt = domain.clock.now()
  if (ownersAreAccounts) {
    const { answer: found } = await askInTime(trust, withAccount)
    const account = found?.account
    return found && { key: found.key, owner: account && userOfAccount(account), ownerReadAt }
  }
  const { answer: key, began } = await askInTime(trust, alone)
  if (!key) return undefined
  if (key.userId === null) return { key, owner: undefined, ownerReadAt }
  const askedAt = domain.clock.now()
  const owner = await domain.directory.findUserById(key.userId)
  if (trust.isRecent(began)) return { key, owner, ownerReadAt: askedAt }
  // The application took so long that the key may have been revoked meanwhile.
  const { answer: now } = await askInTime(trust, alone)
  return now && { key: now, owner, ownerReadAt: askedAt }
}

/**
 * The store's answer, and when it was asked. What comes too late to be believed is asked once more: it may be this process
 * that stood still.
 */
async function askInTime<Answer>(
  trust: Trust,
  ask: () => Promise<Answer>,
): Promise<{ readonly answer: Answer; readonly began: Moment }> {
  for (let time = 0; time < 2; time += 1) {
    const began = trust.begin()
    const answer = await ask()
    if (trust.isRecent(began)) return { answer, began }
  }
  throw new StoreUnavailable('the database’s answer about a key came too late to be believed')
}
