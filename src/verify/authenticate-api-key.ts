import type { ApiKeyIdentity, Authentication } from '../domain/identity.ts'
import { hashSecret } from '../domain/key-text.ts'
import type { Domain } from '../domain/ports.ts'
import type { User } from '../domain/user.ts'
import { refusal } from '../protocol/errors.ts'
import type { Credentials } from './credentials.ts'
import type { KnownKey } from './key-cache.ts'
import { authenticated, checkOwner, refused, type VerifiedRequest, type Verifier } from './verifier.ts'

/** Decides about the key of an `Api-Key` header (protocol §10.2). */
export async function authenticateApiKey(
  verifier: Verifier,
  text: string,
  { credentials: { actFor } }: VerifiedRequest,
): Promise<Authentication> {
  const keyHash = hashSecret(text)
  const known = verifier.cache.get(keyHash) ?? (await loadApiKey(verifier, keyHash))
  if (known?.kind !== 'api_key' || known.key.revokedAt !== null) {
    const isUserKey = await verifier.domain.store.userApiKeys.findByHash(keyHash)
    return refused(refusal(isUserKey ? 'user_api_key_sent_as_api_key' : 'api_key_invalid'))
  }
  const user = await actingUser(verifier.domain, known, actFor)
  if (user === 'unsaid') return refused(refusal('api_key_identity_missing'))
  if (!user) return refused(refusal('api_key_invalid'))
  const problem = checkOwner(user, verifier.domain.clock.now())
  if (problem) return refused(problem)
  verifier.lastUse.apiKeyUsed(known.key.id)
  const identity: ApiKeyIdentity = {
    via: 'api_key',
    user,
    apiKey: { id: known.key.id, description: known.key.description },
  }
  return authenticated(identity)
}

/** A bound key acts for its user alone; another acts for whom the request names (protocol §10.2). */
async function actingUser(
  domain: Domain,
  { key, owner }: Extract<KnownKey, { kind: 'api_key' }>,
  actFor: Credentials['actFor'],
): Promise<User | 'unsaid' | undefined> {
  if (key.userId !== null) {
    const other = actFor?.by === 'username' && actFor.value.toLowerCase() !== owner?.username.toLowerCase()
    return other ? undefined : owner
  }
  if (!actFor) return 'unsaid'
  return actFor.by === 'username'
    ? domain.directory.findUserByUsername(actFor.value)
    : domain.directory.findUserById(actFor.value)
}

async function loadApiKey(verifier: Verifier, keyHash: string): Promise<KnownKey | undefined> {
  const { domain, cache } = verifier
  const readAt = cache.generation
  const key = await domain.store.apiKeys.findByHash(keyHash)
  if (!key) return undefined
  const owner = key.userId === null ? undefined : await domain.directory.findUserById(key.userId)
  const known: KnownKey = { kind: 'api_key', key, owner }
  cache.put(keyHash, known, readAt)
  return known
}
