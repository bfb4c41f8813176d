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
import type { Credentials } from './credentials.ts'
import type { KnownKey } from './key-cache.ts'
import { warmKey } from './owner.ts'
import { limitUserApiKey } from './request-limits.ts'
import { authenticated, type KeyRequest, type Refused, refused, type Verifier } from './verifier.ts'

/** A user API key that was seen before. */
export type KnownUserApiKey = Extract<KnownKey, { kind: 'user_api_key' }>

/**
 * Decides about a user API key, in the protocol's order (§10.2): the key, its limits, its scopes, its owner. So a
 * request that the scopes refuse has been counted, and one with a key that nobody knows has not.
 */
export function authenticateUserApiKey(
  verifier: Verifier,
  text: string,
  asked: KeyRequest,
): Authentication | Promise<Authentication> {
  const keyHash = hashSecret(text)
  const known = warmKey(verifier, keyHash)
  if (known?.kind !== 'user_api_key') return authenticateCold(verifier, text, keyHash, asked)
  const { observer } = verifier.domain
  if (observer.isOn) observer.cacheAsked('hit')
  return decideAbout(verifier, known, asked)
}

async function authenticateCold(
  verifier: Verifier,
  text: string,
  keyHash: string,
  asked: KeyRequest,
): Promise<Authentication> {
  const known = await findKey(verifier, keyHash, 'user_api_key', asked.address)
  if (known && 'reason' in known) return refused(known)
  return known?.kind === 'user_api_key'
    ? decideAbout(verifier, known, asked)
    : refused(unknownUserApiKey(text, known !== undefined))
}

/**
 * The key that a request brings, where nothing needs to be looked up or changed to decide about it: it is known, comes
 * alone, and its client is the one that it was for. Undefined for any other request; nothing is counted.
 */
export function warmUserApiKey(
  verifier: Verifier,
  { userApiKey, apiKey, clientId }: Credentials,
): KnownUserApiKey | undefined {
  if (userApiKey === undefined || apiKey !== undefined) return undefined
  const known = warmKey(verifier, hashSecret(userApiKey))
  return known?.kind === 'user_api_key' && !isOfOther(known, clientId) ? known : undefined
}

/** Decides about a key that {@link warmUserApiKey} found, as {@link authenticateUserApiKey} does. */
export function decideNow(verifier: Verifier, known: KnownUserApiKey, asked: KeyRequest): Authentication {
  const { observer } = verifier.domain
  const now = verifier.domain.clock.now()
  if (!observer.isOn) return checkKnown(verifier, known, asked, now) ?? admit(verifier, known, now)
  const startedAt = performance.now()
  observer.cacheAsked('hit')
  const answer = checkKnown(verifier, known, asked, now) ?? admit(verifier, known, now)
  const result = answer.outcome === 'refused' ? answer.refusal.reason : answer.outcome
  if (asked.request && answer.outcome === 'authenticated')
    traceOf(asked.request).key = { kind: 'user_api_key', id: known.key.id }
  observer.verified('user_api_key', result, performance.now() - startedAt)
  return answer
}

function decideAbout(
  verifier: Verifier,
  known: KnownUserApiKey,
  asked: KeyRequest,
): Authentication | Promise<Authentication> {
  const now = verifier.domain.clock.now()
  const unfit = checkKnown(verifier, known, asked, now)
  if (unfit) return unfit
  const { clientId } = asked.credentials
  return clientId !== undefined && isOfOther(known, clientId)
    ? followClient(verifier, known, clientId, asked)
    : admit(verifier, known, now)
}

/** Why the request is not let in; undefined when it is, as one of the client that its key is for. */
function checkKnown(
  { domain }: Verifier,
  { key, owner, decide }: KnownUserApiKey,
  { route, revocationId }: KeyRequest,
  now: number,
): Refused | undefined {
  const unfit = checkActive(key, now) ?? limitUserApiKey(domain, key.keyHash)
  if (unfit) return refused(unfit)
  if (!isSelfRevocation(route, revocationId, key.id)) {
    const decision = decide(route)
    if (decision.outcome === 'refused') return decision
  }
  const problem = checkOwner(owner, now)
  return problem && refused(problem)
}

/** A header cannot hold what surrounds some ids, such as the line feed at the end of a host's name. */
function isOfOther({ key }: KnownUserApiKey, clientId: string | undefined): boolean {
  const own = key.client.clientId
  return clientId !== undefined && clientId !== own && clientId !== own.trim()
}

function admit(verifier: Verifier, known: KnownUserApiKey, now: number): Authentication {
  verifier.lastUse.userApiKeyUsed(known.key.id, now)
  let admission = admissions.get(known)
  if (!admission) {
    admission = authenticated(identityOf(known))
    admissions.set(known, admission)
  }
  return admission
}

/** One identity for each key in memory, so that what is said of it need not be put into words anew for each request. */
const admissions = new WeakMap<KnownUserApiKey, Authentication>()

/** A key and its owner, whatever state they are in: from the cache, or by one read of the store. */
export async function findUserApiKey(
  verifier: Verifier,
  keyHash: string,
): Promise<KnownUserApiKey | undefined> {
  const known = await findKey(verifier, keyHash, 'user_api_key', null)
  if (known && 'reason' in known) return undefined
  return known?.kind === 'user_api_key' ? known : undefined
}

/** Lets the key in as one of the client that its app says it is for (protocol §8.5), or says why it cannot be. */
async function followClient(
  verifier: Verifier,
  { key, owner }: KnownUserApiKey,
  clientId: string,
  { address, request }: KeyRequest,
): Promise<Authentication> {
  const { domain } = verifier
  const trace = request && { traceId: traceOf(request).id }
  const actor: Actor = { userId: owner.id, via: 'user_api_key', address, ...trace }
  const outcome = await changeClient(domain, actor, key.id, clientId)
  if (outcome.outcome === 'refused') return outcome
  const followed = await loadKey(verifier, key.keyHash, 'user_api_key')
  return followed?.kind === 'user_api_key'
    ? admit(verifier, followed, domain.clock.now())
    : refused(refusal('user_api_key_invalid'))
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
