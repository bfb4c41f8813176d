import { changeClient } from '../domain/change-client.ts'
import type { Actor } from '../domain/events.ts'
import type { Authentication, UserApiKeyIdentity } from '../domain/identity.ts'
import { hashSecret } from '../domain/key-text.ts'
import { traceOf } from '../domain/trace.ts'
import { checkOwner } from '../domain/user.ts'
import { checkActive } from '../domain/user-api-keys.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { looksLikeSealedPayload } from '../protocol/payload.ts'
import { isSelfRevocation } from '../protocol/scopes.ts'
import { findKey, loadKey } from './cold-key.ts'
import type { KnownKey } from './key-cache.ts'
import { limitUserApiKey } from './request-limits.ts'
import { authenticated, refused, type VerifiedRequest, type Verifier } from './verifier.ts'

type KnownUserApiKey = Extract<KnownKey, { kind: 'user_api_key' }>

/**
 * Decides about a user API key, in the protocol's order (§10.2): the key, its limits, its scopes, its owner. So a
 * request that the scopes refuse has been counted, and one with a key that nobody knows has not.
 */
export async function authenticateUserApiKey(
  verifier: Verifier,
  text: string,
  asked: VerifiedRequest,
): Promise<Authentication> {
  const { domain } = verifier
  const keyHash = hashSecret(text)
  const known = await findKey(verifier, keyHash, 'user_api_key', asked.address)
  if (known && 'reason' in known) return refused(known)
  if (known?.kind !== 'user_api_key') return refused(unknownUserApiKey(text, known !== undefined))
  const { key, owner } = known
  const now = domain.clock.now()
  const unfit = checkActive(key, now) ?? limitUserApiKey(domain, keyHash)
  if (unfit) return refused(unfit)
  if (!isSelfRevocation(asked.route, asked.revocationId, key.id)) {
    const decision = known.decide(asked.route)
    if (decision.outcome === 'refused') return decision
  }
  const problem = checkOwner(owner, now)
  if (problem) return refused(problem)
  const { clientId } = asked.credentials
  // A header cannot hold what surrounds some ids, such as the line feed at the end of a host's name.
  const isChanged = clientId !== undefined && clientId !== key.client.clientId.trim()
  const followed = isChanged ? await followClient(verifier, known, clientId, asked) : known
  if ('reason' in followed) return refused(followed)
  verifier.lastUse.userApiKeyUsed(key.id)
  return authenticated(identityOf(followed))
}

/** A key and its owner, whatever state they are in: from the cache, or by one read of the store. */
export async function findUserApiKey(
  verifier: Verifier,
  keyHash: string,
): Promise<KnownUserApiKey | undefined> {
  const known = await findKey(verifier, keyHash, 'user_api_key', null)
  if (known && 'reason' in known) return undefined
  return known?.kind === 'user_api_key' ? known : undefined
}

/** The key as one of the client that its app says it is for (protocol §8.5), or why it cannot be. */
async function followClient(
  verifier: Verifier,
  { key, owner }: KnownUserApiKey,
  clientId: string,
  { address, request }: VerifiedRequest,
): Promise<KnownUserApiKey | Refusal> {
  const { domain } = verifier
  const actor: Actor = { userId: owner.id, via: 'user_api_key', address, traceId: traceOf(request).id }
  const outcome = await changeClient(domain, actor, key.id, clientId)
  if (outcome.outcome === 'refused') return outcome.refusal
  const now = await loadKey(verifier, key.keyHash, 'user_api_key')
  return now?.kind === 'user_api_key' ? now : refusal('user_api_key_invalid')
}

function identityOf({ key, owner }: KnownUserApiKey): UserApiKeyIdentity {
  const { clientId, applicationName } = key.client
  return {
    via: 'user_api_key',
    user: owner,
    key: { id: key.id, clientId, applicationName, scopes: key.scopes },
  }
}

/** Says what the text in the header is, if it is not a key: most who meet this refusal sent something else. */
function unknownUserApiKey(text: string, isApiKey: boolean): Refusal {
  if (looksLikeSealedPayload(text)) return refusal('user_api_key_is_payload')
  if (text.startsWith('{')) {
    return refusal('user_api_key_malformed', { problem: 'it is the whole decrypted payload' })
  }
  if (isApiKey) return refusal('api_key_sent_as_user_api_key')
  if (!/^[0-9a-f]{32}$/.test(text)) {
    return refusal('user_api_key_malformed', {
      problem: `it is ${text.length} characters long or not hexadecimal`,
    })
  }
  return refusal('user_api_key_invalid')
}
