/** Who sent a request, and whether their key allows it (protocol §10.2): cookie, then API key, then user API key. */
import type { Authentication, UserApiKeyIdentity } from '../domain/identity.ts'
import { hashSecret } from '../domain/key-text.ts'
import { checkActive } from '../domain/user-api-keys.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { looksLikeSealedPayload } from '../protocol/payload.ts'
import { compileScopes, isSelfRevocation } from '../protocol/scopes.ts'
import { authenticateApiKey } from './authenticate-api-key.ts'
import type { KnownKey } from './key-cache.ts'
import { authenticated, checkOwner, refused, type VerifiedRequest, type Verifier } from './verifier.ts'

/**
 * Decides who sent a request. A later credential overrides an earlier one; a bad key of either kind fails the request,
 * whatever the cookie says and however public the route is.
 */
export async function authenticate(verifier: Verifier, asked: VerifiedRequest): Promise<Authentication> {
  const { credentials } = asked
  if (credentials.userApiKey !== undefined) {
    // Both kinds are checked when both are sent: a request with one good and one bad key is a mistake to be told of.
    if (credentials.apiKey !== undefined) {
      const first = await authenticateApiKey(verifier, credentials.apiKey, asked)
      if (first.outcome === 'refused') return first
    }
    return authenticateUserApiKey(verifier, credentials.userApiKey, asked)
  }
  if (credentials.apiKey !== undefined) return authenticateApiKey(verifier, credentials.apiKey, asked)
  return authenticateSession(verifier, asked)
}

async function authenticateSession(verifier: Verifier, asked: VerifiedRequest): Promise<Authentication> {
  const user = await verifier.signIn.currentUser(asked.request)
  if (!user) return { outcome: 'anonymous' }
  const { method } = asked.route
  const safe = method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
  if (!safe && !(asked.csrfToken && verifier.signIn.csrfMatches(asked.request, asked.csrfToken))) {
    return refused(refusal('csrf_invalid'))
  }
  return authenticated({ via: 'session', user })
}

async function authenticateUserApiKey(
  verifier: Verifier,
  text: string,
  asked: VerifiedRequest,
): Promise<Authentication> {
  const keyHash = hashSecret(text)
  const known = verifier.cache.get(keyHash) ?? (await loadUserApiKey(verifier, keyHash))
  if (known?.kind !== 'user_api_key') return refused(await unknownUserApiKey(verifier, text, keyHash))
  const { key, owner } = known
  const now = verifier.domain.clock.now()
  const inactive = checkActive(key, now)
  if (inactive) return refused(inactive)
  if (!isSelfRevocation(asked.route, asked.revocationId, key.id)) {
    const decision = known.decide(asked.route)
    if (decision.outcome === 'refused') return decision
  }
  const problem = checkOwner(owner, now)
  if (problem) return refused(problem)
  verifier.lastUse.userApiKeyUsed(key.id)
  const identity: UserApiKeyIdentity = {
    via: 'user_api_key',
    user: owner,
    key: {
      id: key.id,
      clientId: key.client.clientId,
      applicationName: key.client.applicationName,
      scopes: key.scopes,
    },
  }
  return authenticated(identity)
}

async function loadUserApiKey(verifier: Verifier, keyHash: string): Promise<KnownKey | undefined> {
  const { domain, cache } = verifier
  const readAt = cache.generation
  const key = await domain.store.userApiKeys.findByHash(keyHash)
  const owner = key && (await domain.directory.findUserById(key.userId))
  if (!key || !owner) return undefined
  const known: KnownKey = {
    kind: 'user_api_key',
    key,
    owner,
    decide: compileScopes(domain.scopes, key.scopes),
  }
  cache.put(keyHash, known, readAt)
  return known
}

/** Says what the text in the header is, if it is not a key: most who meet this refusal sent something else. */
async function unknownUserApiKey(verifier: Verifier, text: string, keyHash: string): Promise<Refusal> {
  if (looksLikeSealedPayload(text)) return refusal('user_api_key_is_payload')
  if (text.startsWith('{')) {
    return refusal('user_api_key_malformed', { problem: 'it is the whole decrypted payload' })
  }
  if (await verifier.domain.store.apiKeys.findByHash(keyHash)) return refusal('api_key_sent_as_user_api_key')
  if (!/^[0-9a-f]{32}$/.test(text)) {
    return refusal('user_api_key_malformed', {
      problem: `it is ${text.length} characters long or not hexadecimal`,
    })
  }
  return refusal('user_api_key_invalid')
}
