/**
 * Who sent a request, and whether their key allows it (protocol §10.2): a session's cookie, then an API key, then a user
 * API key, of which a later one overrides an earlier. Start reading here; each kind of key has a file of its own.
 */
import type { Authentication, Identity } from '../domain/identity.ts'
import type { CredentialKind } from '../domain/observation.ts'
import { type Trace, traceOf } from '../domain/trace.ts'
import { refusal } from '../protocol/errors.ts'
import { authenticateApiKey } from './authenticate-api-key.ts'
import { authenticateUserApiKey } from './authenticate-user-api-key.ts'
import { giveBackAddress, limitBadSessions } from './request-limits.ts'
import { authenticated, refused, type VerifiedRequest, type Verifier } from './verifier.ts'

/**
 * Decides who sent a request. A bad key of either kind fails it, whatever the cookie says and however public the route
 * is. Whoever calls has counted the request against its address; for an API key that is taken back.
 */
export function authenticate(verifier: Verifier, asked: VerifiedRequest): Promise<Authentication> {
  return verifier.domain.observer.isOn ? observed(verifier, asked, decide) : decide(verifier, asked)
}

/** The same, without a look at cookies. */
export function authenticateKeys(verifier: Verifier, asked: VerifiedRequest): Promise<Authentication> {
  return verifier.domain.observer.isOn
    ? observed(verifier, asked, decideByKeys)
    : decideByKeys(verifier, asked)
}

type Decide = (verifier: Verifier, asked: VerifiedRequest) => Promise<Authentication>

async function observed(verifier: Verifier, asked: VerifiedRequest, decide: Decide): Promise<Authentication> {
  const startedAt = performance.now()
  const answer = await decide(verifier, asked)
  const result = answer.outcome === 'refused' ? answer.refusal.reason : answer.outcome
  if (answer.outcome === 'authenticated') traceOf(asked.request).key = keyOf(answer.identity)
  verifier.domain.observer.verified(credentialOf(asked, answer), result, performance.now() - startedAt)
  return answer
}

function keyOf(identity: Identity): Trace['key'] {
  if (identity.via === 'session') return undefined
  return { kind: identity.via, id: identity.via === 'api_key' ? identity.apiKey.id : identity.key.id }
}

/** What it was known by; for a refusal, the key that was refused, or the session where no key was sent. */
function credentialOf({ credentials }: VerifiedRequest, answer: Authentication): CredentialKind {
  if (answer.outcome === 'authenticated') return answer.identity.via
  if (answer.outcome === 'anonymous') return 'none'
  if (credentials.userApiKey !== undefined) return 'user_api_key'
  return credentials.apiKey === undefined ? 'session' : 'api_key'
}

async function decide(verifier: Verifier, asked: VerifiedRequest): Promise<Authentication> {
  const byKey = await decideByKeys(verifier, asked)
  // A key that is good overrides a cookie, and one that is bad fails the request: either way the cookie decides nothing,
  // and looking its session up would cost a read that a key known before does without.
  return byKey.outcome === 'anonymous' ? authenticateSession(verifier, asked) : byKey
}

async function decideByKeys(verifier: Verifier, asked: VerifiedRequest): Promise<Authentication> {
  const { userApiKey, apiKey } = asked.credentials
  if (apiKey !== undefined) {
    // Both kinds are checked when both are sent: a request with one good and one bad key is a mistake to be told of.
    const byApiKey = await authenticateApiKey(verifier, apiKey, asked)
    if (byApiKey.outcome === 'refused') return byApiKey
    if (userApiKey === undefined) {
      giveBackAddress(verifier.domain, asked.address)
      return byApiKey
    }
  }
  if (userApiKey !== undefined) return authenticateUserApiKey(verifier, userApiKey, asked)
  return anonymous
}

async function authenticateSession(verifier: Verifier, asked: VerifiedRequest): Promise<Authentication> {
  const { request, route, csrfToken, sameOrigin } = asked
  const user = await verifier.signIn.currentUser(request)
  if (!user) {
    const problem = verifier.signIn.hasSession(request)
      ? limitBadSessions(verifier.domain, asked.address)
      : undefined
    return problem ? refused(problem) : anonymous
  }
  const safe = route.method === 'GET' || route.method === 'HEAD' || route.method === 'OPTIONS'
  if (!safe && !sameOrigin && !(csrfToken && verifier.signIn.csrfMatches(request, csrfToken))) {
    return refused(refusal('csrf_invalid'))
  }
  return authenticated({ via: 'session', user })
}

const anonymous: Authentication = { outcome: 'anonymous' }
