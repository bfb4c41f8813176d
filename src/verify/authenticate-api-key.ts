import type { ApiKeyIdentity, Authentication } from '../domain/identity.ts'
import { hashSecret } from '../domain/key-text.ts'
import type { Domain } from '../domain/ports.ts'
import { limitRefusal } from '../domain/rate-limit.ts'
import { checkOwner, type User } from '../domain/user.ts'
import { isScopesQuestion } from '../protocol/api-key-scopes.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { findKey } from './cold-key.ts'
import type { Credentials } from './credentials.ts'
import type { KnownKey } from './key-cache.ts'
import { authenticated, refused, type VerifiedRequest, type Verifier } from './verifier.ts'

type KnownApiKey = Extract<KnownKey, { kind: 'api_key' }>

/**
 * Decides about the key of an `Api-Key` header, in the protocol's order (§10.2): the key, the address it comes from,
 * its scopes, the user it acts for, whether they may, and the bucket that all API keys of the site share. What is
 * refused before the bucket does not count in it.
 */
export async function authenticateApiKey(
  verifier: Verifier,
  text: string,
  asked: VerifiedRequest,
): Promise<Authentication> {
  const { domain } = verifier
  const keyHash = hashSecret(text)
  const known = await findKey(verifier, keyHash, 'api_key', asked.address)
  if (known && 'reason' in known) return refused(known)
  if (known?.kind !== 'api_key') {
    return refused(refusal(known ? 'user_api_key_sent_as_api_key' : 'api_key_invalid'))
  }
  const { key } = known
  const unfit = checkKey(known, asked)
  if (unfit) return refused(unfit)
  const acting = await actingUser(domain, known, asked.credentials)
  if ('reason' in acting) return refused(acting)
  const problem =
    checkOwner(acting, domain.clock.now()) ?? (asked.hasOwnLimit ? undefined : limitApiKeys(domain))
  if (problem) return refused(problem)
  verifier.lastUse.apiKeyUsed(key.id)
  const { id, description, scopeMode, scopes } = key
  const identity: ApiKeyIdentity = {
    via: 'api_key',
    user: acting,
    apiKey: { id, description, scopeMode, scopes },
  }
  return authenticated(identity)
}

/** Whether the key may be used for this request, whoever it acts for. */
function checkKey({ key, permitsAddress, decide }: KnownApiKey, asked: VerifiedRequest): Refusal | undefined {
  if (key.revokedAt !== null) {
    return refusal('api_key_revoked', { id: key.id, revoked_at: new Date(key.revokedAt).toISOString() })
  }
  if (!permitsAddress(asked.address)) {
    return refusal('api_key_address_not_allowed', { address: asked.address ?? 'an unknown address' })
  }
  if (isScopesQuestion(asked.route)) return undefined
  const decision = decide(asked.route)
  return decision.outcome === 'refused' ? decision.refusal : undefined
}

/** A bound key acts for its user alone; another acts for whom the request names (protocol §10.2). */
async function actingUser(
  { directory }: Domain,
  { key, owner }: KnownApiKey,
  { actFor, isMixed }: Credentials,
): Promise<User | Refusal> {
  if (key.userId !== null) {
    if (!owner) return refusal('api_key_invalid')
    const isOther = actFor?.by === 'username' && actFor.value.toLowerCase() !== owner.username.toLowerCase()
    return isOther ? refusal('api_key_user_mismatch') : owner
  }
  if (!actFor) return refusal(isMixed ? 'api_key_form_mixed' : 'api_key_identity_missing')
  if (actFor.by === 'external_id') return refusal('api_key_external_id')
  if (actFor.by === 'id') {
    const user = await directory.findUserById(actFor.value)
    return user ?? refusal('api_key_user_unknown', { header: 'Api-User-Id' })
  }
  const user = await directory.findUserByUsername(actFor.value)
  return user ?? refusal('api_key_user_unknown', { header: 'Api-Username' })
}

/** Counts a request in the one bucket of all API keys of the site (protocol §10.3). Reason: `rate_limited`. */
function limitApiKeys({ limiter, settings }: Domain): Refusal | undefined {
  const { disable_rate_limits: isOff, max_admin_api_reqs_per_minute: max } = settings.current()
  if (isOff) return undefined
  const limit = 'max_admin_api_reqs_per_minute'
  const decision = limiter.take({ name: limit, max, windowMs: 60_000 }, 'site')
  return decision.outcome === 'allowed' ? undefined : limitRefusal(decision, 'admin_api_key_rate_limit')
}
