/** Owners that the application around Hallpass knows: they count for a while, and are then asked for again. */
import type { KnownKey } from './key-cache.ts'
import type { Verifier } from './verifier.ts'

/** The key that is known by a hash, where its owner was asked for lately enough; undefined where somebody must be asked. Whoever decides by it tells the observer. */
export function warmKey(verifier: Verifier, keyHash: string): KnownKey | undefined {
  const known = verifier.cache.get(keyHash)
  return known && hasFreshOwner(verifier, known) ? known : undefined
}

/**
 * The key that is known by a hash, with an owner who was asked for lately enough. Undefined for one that is not known, and
 * for one whose owner is gone: it has to be looked up as if it had never been seen. A directory that rejects is passed on:
 * what the owner once was is no answer.
 */
export async function knownKey(verifier: Verifier, keyHash: string): Promise<KnownKey | undefined> {
  const { cache } = verifier
  const known = cache.get(keyHash)
  const { observer } = verifier.domain
  if (known && observer.isOn) observer.cacheAsked('hit')
  const userId = known?.key.userId
  if (!known || userId === null || userId === undefined || hasFreshOwner(verifier, known)) return known
  const readAt = cache.generation
  const ownerReadAt = verifier.domain.clock.now()
  const owner = await verifier.domain.directory.findUserById(userId)
  // What happened meanwhile may have been this key's end.
  if (!owner || cache.generation !== readAt) return cache.drop(keyHash)
  const fresh = { ...known, owner, ownerReadAt }
  cache.put(keyHash, fresh, readAt)
  return fresh
}

function hasFreshOwner({ ownersLastMs, domain }: Verifier, { ownerReadAt, key }: KnownKey): boolean {
  if (!ownersLastMs || key.userId === null) return true
  const age = domain.clock.now() - ownerReadAt
  // A clock that was set back says nothing about age.
  return age >= 0 && age < ownersLastMs()
}
