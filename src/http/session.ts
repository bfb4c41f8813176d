/** Signing in and out, and who is signed in. */

import { commit } from '../domain/commit.ts'
import type { Actor } from '../domain/events.ts'
import type { User } from '../domain/user.ts'
import { checkPassword } from '../identity/sign-in.ts'
import { errorDocsPath, signInPath } from '../pages/paths.ts'
import { signInPage } from '../pages/sign-in.ts'
import { type Refusal, refusal, refusalBody } from '../protocol/errors.ts'
import { readParameters } from '../protocol/parameters.ts'
import { json, page, redirect, refused, success } from './answer.ts'
import { localPath } from './local-path.ts'
import { type Call, carriesCsrfToken, type Router, routesOf, type Service, withCookies } from './service.ts'
import { waitingApplication } from './sign-in-first.ts'
import { wireUserId } from './user-json.ts'

const signInFields = {
  username: { limit: 300 },
  login: { limit: 300 },
  password: { limit: 1000 },
  redirect: { limit: 8000 },
} as const

export function addSessionRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)

  route('GET', '/session/csrf', { who: 'unchecked' }, async ({ visit }) => {
    const csrf = service.sessions.csrf(visit.request)
    return withCookies(json({ csrf: csrf.token }), csrf.setCookie)
  })

  route('POST', '/session', { who: 'unchecked' }, async (call) => {
    const attempt = await attemptSignIn(service, call)
    if (attempt.outcome === 'signed_in') {
      const user = await currentUser(service, attempt.user)
      return withCookies(json({ user }), attempt.setCookie)
    }
    const why = attempt.refusal
    if (why.reason !== 'credentials_invalid') return refused(call.visit, why, title(service))
    const body = refusalBody(why, new URL(errorDocsPath, call.visit.url).href)
    // Clients look for the singular `error` in a 200.
    return json({ error: body.errors[0], ...body }, why.status)
  })

  route('DELETE', '/session/:username', { who: 'user' }, async ({ visit }) => {
    return withCookies(success(), await service.sessions.end(visit.request))
  })

  route('GET', '/session/current', { who: 'anyone' }, async ({ visit, identity }) => {
    if (!identity) return refused(visit, refusal('nobody_signed_in'), title(service))
    return json({ current_user: await currentUser(service, identity.user) })
  })

  route('GET', signInPath, { who: 'anyone' }, async (call) => {
    const { visit, identity } = call
    const target = localPath(visit.url.searchParams.get('redirect') ?? undefined) ?? '/'
    if (identity) return redirect(target)
    return showSignIn(service, call, target, undefined)
  })

  route('POST', signInPath, { who: 'unchecked' }, async (call) => {
    const read = readParameters(call.sources, signInFields)
    if (read.outcome === 'refused') return refused(call.visit, read.refusal, title(service))
    const target = localPath(read.values.redirect) ?? '/'
    // Nothing changes for somebody who is signed in already, so no token is asked for: some clients post this form
    // after POST /session, only to be sent on.
    if (await service.sessions.currentUser(call.visit.request)) return redirect(target)
    const attempt = await attemptSignIn(service, call)
    if (attempt.outcome === 'signed_in') return withCookies(redirect(target), attempt.setCookie)
    return showSignIn(service, call, target, attempt.refusal, read.values.username ?? read.values.login)
  })

  route('POST', '/hallpass/sign-out', { who: 'user' }, async (call) => {
    const read = readParameters(call.sources, { redirect: { limit: 8000 } })
    const target = read.outcome === 'read' ? localPath(read.values.redirect) : undefined
    return withCookies(redirect(target ?? '/'), await service.sessions.end(call.visit.request))
  })
}

type Attempt =
  | { readonly outcome: 'signed_in'; readonly user: User; readonly setCookie: string }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }

async function attemptSignIn(service: Service, call: Call): Promise<Attempt> {
  const { domain } = service
  const { request, connection } = call.visit
  const read = readParameters(call.sources, signInFields)
  if (read.outcome === 'refused') return read
  const { login = read.values.username, password } = read.values
  // Without the token, another site could sign a visitor in as somebody else and collect what they then do.
  if (!carriesCsrfToken(service, call)) return { outcome: 'refused', refusal: refusal('csrf_invalid') }
  if (!login || !password) return { outcome: 'refused', refusal: refusal('credentials_invalid') }
  const address = connection.remoteAddress
  const outcome = await checkPassword(domain, { login, password, address })
  if (outcome.outcome === 'refused') return outcome
  const setCookie = await service.sessions.start(request, outcome.user)
  const actor: Actor = { userId: outcome.user.id, via: 'session', address }
  await commit(domain, actor, async () => ({
    result: undefined,
    events: [{ type: 'signed_in', userId: outcome.user.id }],
  }))
  return { outcome: 'signed_in', user: outcome.user, setCookie }
}

async function showSignIn(
  service: Service,
  { visit }: Call,
  target: string,
  why: Refusal | undefined,
  login?: string,
): Promise<Response> {
  const csrf = service.sessions.csrf(visit.request)
  const applicationName = await waitingApplication(service, target)
  const html = signInPage({
    siteTitle: title(service),
    csrfToken: csrf.token,
    action: signInPath,
    redirect: target,
    ...(login === undefined ? {} : { login }),
    ...(why === undefined ? {} : { refusal: why }),
    ...(applicationName === undefined ? {} : { applicationName }),
  })
  const status = why === undefined || why.status === 200 ? 200 : why.status
  const response = page(html, { status })
  const waitSeconds = why?.details.wait_seconds
  if (waitSeconds !== undefined) response.headers.set('retry-after', String(waitSeconds))
  return withCookies(response, csrf.setCookie)
}

async function currentUser(service: Service, user: User): Promise<Record<string, unknown>> {
  return {
    id: wireUserId(user.id),
    username: user.username,
    name: user.name,
    avatar_template: '',
    admin: user.admin,
    moderator: user.moderator,
    trust_level: user.trustLevel,
    unread_notifications: 0,
    ...(await service.currentUserFields(user)),
  }
}

function title(service: Service): string {
  return service.domain.settings.current().title
}
