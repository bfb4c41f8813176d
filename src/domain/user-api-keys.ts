import { type Refusal, refusal } from '../protocol/errors.ts'
import { commit } from './commit.ts'
import type { Actor } from './events.ts'
import type { Identity } from './identity.ts'
import { hashSecret } from './key-text.ts'
import type { Domain } from './ports.ts'
import type { UserApiKeyRecord } from './store.ts'
import { keyFacts } from './store-key.ts'

/** The outcome of revoking or restoring a key. */
export type Changed =
  | { readonly outcome: 'changed' }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }

/** A key as its holder sends it, at `now`: usable, or why not (protocol §8.1). */
export function checkActive(
  key: Pick<UserApiKeyRecord, 'revokedAt' | 'expiresAt'>,
  now: number,
): Refusal | undefined {
  if (key.revokedAt !== null) {
    return refusal('user_api_key_revoked', { revoked_at: new Date(key.revokedAt).toISOString() })
  }
  if (key.expiresAt !== null && key.expiresAt <= now) {
    return refusal('user_api_key_expired', { expired_at: new Date(key.expiresAt).toISOString() })
  }
  return undefined
}

/**
 * Revokes a user's key (protocol §8.2); it is refused from the next request on. Revoking a revoked key changes
 * nothing. Reasons: `not_found`, `not_permitted` unless `by` owns the key, or is an administrator without
 * a user API key.
 */
export function revokeUserApiKey(domain: Domain, actor: Actor, id: number, by: Identity): Promise<Changed> {
  return setRevoked(domain, actor, id, by, domain.clock.now())
}

/**
 * Revokes the user API key whose text is `text`: whoever holds a key may give it back (RFC 7009). Nothing happens for a
 * text that is no key, or one that is revoked. `origin`: where it came from, for the audit log.
 */
export async function revokeHeldUserApiKey(
  domain: Domain,
  text: string,
  origin: Pick<Actor, 'address' | 'traceId'>,
): Promise<void> {
  const found = await domain.store.userApiKeys.findByHash(hashSecret(text))
  if (!found || found.revokedAt !== null) return
  const actor: Actor = { userId: found.userId, via: 'user_api_key', ...origin }
  await commit(domain, actor, async (session) => {
    const key = await session.userApiKeys.findById(found.id)
    if (!key || key.revokedAt !== null) return { result: undefined, events: [] }
    await session.userApiKeys.setRevokedAt(key.id, domain.clock.now())
    return { result: undefined, events: [{ type: 'user_api_key_revoked', ...keyFacts(key) }] }
  })
}

/** Takes a revocation back (protocol §8.3). An expiry stays as it is. Reasons as for revoking. */
export function restoreUserApiKey(domain: Domain, actor: Actor, id: number, by: Identity): Promise<Changed> {
  return setRevoked(domain, actor, id, by, null)
}

async function setRevoked(
  domain: Domain,
  actor: Actor,
  id: number,
  by: Identity,
  revokedAt: number | null,
): Promise<Changed> {
  return commit<Changed>(domain, actor, async (session) => {
    const key = await session.userApiKeys.findById(id)
    const problem = checkMayChange(key, id, by)
    if (!key || problem) return { result: problem ?? { outcome: 'changed' }, events: [] }
    if ((key.revokedAt === null) === (revokedAt === null))
      return { result: { outcome: 'changed' }, events: [] }
    await session.userApiKeys.setRevokedAt(id, revokedAt)
    const type = revokedAt === null ? 'user_api_key_restored' : 'user_api_key_revoked'
    return { result: { outcome: 'changed' }, events: [{ type, ...keyFacts(key) }] }
  })
}

function checkMayChange(key: UserApiKeyRecord | undefined, id: number, by: Identity): Changed | undefined {
  if (!key) return { outcome: 'refused', refusal: refusal('not_found', { what: `user API key ${id}` }) }
  // Somebody else's key is administration, which decision 5 keeps from user API keys: an administrator's app could
  // give other apps back what their users took from them.
  const administers = by.user.admin && by.via !== 'user_api_key'
  if (key.userId === by.user.id || administers) return undefined
  return {
    outcome: 'refused',
    refusal: refusal('not_permitted', {
      problem: `user API key ${id} belongs to somebody else`,
      remedy: 'revoke your own keys, or ask an administrator',
    }),
  }
}
