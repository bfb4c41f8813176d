/** Signing in at another service: the way there, and the way back. */
import { addressBucket } from '../domain/address.ts'
import { commit } from '../domain/commit.ts'
import type { Actor } from '../domain/events.ts'
import { signInExternally } from '../domain/external-accounts.ts'
import { countAgainst, perMinute } from '../domain/limits.ts'
import { parkRequest, takeParkedRequest } from '../domain/park-request.ts'
import { type RedirectingSignIn, SignInFailed, SignInUnavailable } from '../identity/redirecting-sign-in.ts'
import type { BrowserSessions } from '../identity/sessions.ts'
import { externalSignInPath } from '../pages/paths.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { redirect, refused } from './answer.ts'
import { localPath } from './local-path.ts'
import { type Call, originOf, type Router, routesOf, type Service, withCookies } from './service.ts'

/** What the other service has to be told beforehand. */
const callbackPath = '/hallpass/sign-in/callback'

/** Adds the routes where the site has its users sign in at another service. */
export function addExternalSignInRoutes(
  router: Router,
  service: Service,
  external: ExternalSignInParts,
): void {
  const route = routesOf(router, service)
  route('GET', externalSignInPath, { who: 'anyone', sealed: true }, (call) => begin(service, external, call))
  route('GET', callbackPath, { who: 'unchecked', sealed: true }, (call) => finish(service, external, call))
}

/** The other service, and the sessions that begin when it has spoken. */
export interface ExternalSignInParts {
  readonly method: RedirectingSignIn
  readonly sessions: BrowserSessions
}

async function begin(
  service: Service,
  { method, sessions }: ExternalSignInParts,
  call: Call,
): Promise<Response> {
  const { domain } = service
  const { visit, identity } = call
  const target = localPath(visit.url.searchParams.get('redirect') ?? undefined) ?? '/'
  if (identity) return redirect(target)
  const address = addressBucket(visit.connection.remoteAddress)
  const limited = countAgainst(domain, [[perMinute('max_authorization_requests_per_minute'), address]])
  if (limited) return refuse(service, call, limited)
  const csrf = sessions.csrf(visit.request)
  const state = Buffer.from(domain.random.bytes(24)).toString('base64url')
  const callbackUrl = service.baseUrl(visit) + callbackPath
  const begun = await method.begin({ callbackUrl, state }).catch((error: unknown) => toRefusal(method, error))
  if ('reason' in begun) return refuse(service, call, begun)
  // The browser's own token is kept with it, so that nobody can have somebody else's browser come back with a state of theirs.
  const kept = new URLSearchParams({ ...begun.keep, browser: csrf.token, redirect: target })
  await parkRequest(domain, kept, signInId(state))
  return withCookies(redirect(begun.location), csrf.setCookie)
}

async function finish(
  service: Service,
  { method, sessions }: ExternalSignInParts,
  call: Call,
): Promise<Response> {
  const { domain } = service
  const { visit } = call
  const state = method.stateOf(visit.url.searchParams)
  const parked = state === undefined ? undefined : await takeParkedRequest(domain, signInId(state))
  if (state === undefined || !parked || !sessions.csrfMatches(visit.request, parked.get('browser') ?? '')) {
    const problem = 'this browser did not ask it to, or took too long'
    return refuse(service, call, refusal('sign_in_failed', { provider: method.label, problem }))
  }
  const url = new URL(service.baseUrl(visit) + visit.url.pathname + visit.url.search)
  const keep = Object.fromEntries(parked)
  const profile = await method
    .finish(url, { state, keep })
    .catch((error: unknown) => toRefusal(method, error))
  if ('reason' in profile) return refuse(service, call, profile)
  const origin = originOf(visit)
  const signedIn = await signInExternally(domain, { userId: null, via: 'session', ...origin }, profile)
  if (signedIn.outcome === 'refused') return refuse(service, call, signedIn.refusal)
  const { user } = signedIn
  const setCookie = await sessions.start(visit.request, user)
  const actor: Actor = { userId: user.id, via: 'session', ...origin }
  await commit(domain, actor, async () => ({
    result: undefined,
    events: [{ type: 'signed_in', userId: user.id }],
  }))
  return withCookies(redirect(localPath(parked.get('redirect') ?? undefined) ?? '/'), setCookie)
}

/** Under what a sign-in waits: not the id of a request, which the visitor's address tells. */
function signInId(state: string): string {
  return `sign-in ${state}`
}

function toRefusal({ label }: RedirectingSignIn, error: unknown): Refusal {
  if (error instanceof SignInFailed) {
    return refusal('sign_in_failed', { provider: label, problem: error.message })
  }
  if (error instanceof SignInUnavailable) {
    return refusal('sign_in_unavailable', { provider: label, problem: error.message })
  }
  throw error
}

function refuse(service: Service, { visit }: Call, why: Refusal): Response {
  return refused(visit, why, service.domain.settings.current().title)
}
