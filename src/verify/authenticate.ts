/** Who sent a request, and whether their key allows it (protocol §10.2): cookie, then API key, then user API key. */
import type { ApiKeyIdentity, Authentication, Identity, UserApiKeyIdentity } from '../domain/identity.ts'
import { hashSecret } from '../domain/key-text.ts'
import type { Domain, SignIn } from '../domain/ports.ts'
import { isSuspended, type User } from '../domain/user.ts'
import { checkActive } from '../domain/user-api-keys.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { looksLikeSealedPayload } from '../protocol/payload.ts'
import type { RequestedRoute } from '../protocol/route-matcher.ts'
import { compileScopes, isSelfRevocation } from '../protocol/scopes.ts'
import type { Credentials } from './credentials.ts'
import type { KeyCache, KnownKey } from './key-cache.ts'
import type { LastUse } from './last-use.ts'

/** What verification works with. */
export interface Verifier {
  readonly domain: Domain
  readonly signIn: SignIn
  readonly cache: KeyCache
  readonly lastUse: LastUse
}

/** A request as verification sees it. */
export interface VerifiedRequest {
  readonly request: Request
  readonly route: RequestedRoute
  readonly credentials: Credentials
  /** The CSRF token that the request carries, in its header or its form. */
  readonly csrfToken: string | undefined
  /** The parameter `id` of a revocation; undefined when there is none, or the body was not read. */
  readonly revocationId: string | undefined
}

/**
 * Decides who sent a request. A later credential overrides an earlier one; a bad key of either kind fails the request,
 * whatever the cookie says and however public the route is.
 */
export async function authenticate(verifier: Verifier, asked: VerifiedRequest): Promise<Authentication> {
  const { credentials } = asked
  if (credentials.userApiKey !== undefined) {
    // Both kinds are checked when both are sent: a request with one good and one bad key is a mistake to be told of.
    if (credentials.apiKey !== undefined) {
      const first = await authenticateApiKey(verifier, credentials.apiKey, credentials)
      if (first.outcome === 'refused') return first
    }
    return authenticateUserApiKey(verifier, credentials.userApiKey, asked)
  }
  if (credentials.apiKey !== undefined) return authenticateApiKey(verifier, credentials.apiKey, credentials)
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

async function authenticateApiKey(
  verifier: Verifier,
  text: string,
  { actFor }: Credentials,
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

function checkOwner(owner: User, now: number): Refusal | undefined {
  if (isSuspended(owner, now)) return refusal('owner_suspended')
  return owner.active ? undefined : refusal('owner_inactive')
}

function authenticated(identity: Identity): Authentication {
  return { outcome: 'authenticated', identity }
}

function refused(why: Refusal): { readonly outcome: 'refused'; readonly refusal: Refusal } {
  return { outcome: 'refused', refusal: why }
}
