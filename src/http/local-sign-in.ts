/** Signing in to a local account, and out. Where users are the application's own, these paths are too. */
import { commit } from '../domain/commit.ts'
import type { Actor } from '../domain/events.ts'
import type { User } from '../domain/user.ts'
import type { RedirectingSignIn } from '../identity/redirecting-sign-in.ts'
import type { BrowserSessions } from '../identity/sessions.ts'
import { checkPassword } from '../identity/sign-in.ts'
import { errorDocsPath, externalSignInPath, signInPath } from '../pages/paths.ts'
import { signInPage } from '../pages/sign-in.ts'
import { type Refusal, refusal, refusalBody } from '../protocol/errors.ts'
import { readParameters } from '../protocol/parameters.ts'
import { json, page, redirect, refused, success } from './answer.ts'
import { currentUserJson } from './current-user.ts'
import { localPath } from './local-path.ts'
import {
  type Call,
  carriesCsrfToken,
  originOf,
  type Router,
  routesOf,
  type Service,
  withCookies,
} from './service.ts'
import { waitingApplication } from './sign-in-first.ts'

const signInFields = {
  username: { limit: 300 },
  login: { limit: 300 },
  password: { limit: 1000 },
  redirect: { limit: 8000 },
} as const

/** What signing in works with. `externalSignIn`: another way in, which the page leads to. */
interface LocalSignIn {
  readonly sessions: BrowserSessions
  readonly externalSignIn: RedirectingSignIn | undefined
}

export function addLocalSignInRoutes(router: Router, service: Service, signIn: LocalSignIn): void {
  const { sessions } = signIn
  const route = routesOf(router, service)

  route('POST', '/session', { who: 'unchecked' }, async (call) => {
    const attempt = await attemptSignIn(service, sessions, call)
    if (attempt.outcome === 'signed_in') {
      const user = await currentUserJson(service, attempt.user)
      return withCookies(json({ user }), attempt.setCookie)
    }
    const why = attempt.refusal
    if (why.reason !== 'credentials_invalid') return refused(call.visit, why, title(service))
    const body = refusalBody(why, new URL(errorDocsPath, call.visit.url).href)
    // Clients look for the singular `error` in a 200.
    return json({ error: body.errors[0], ...body }, why.status)
  })

  route('DELETE', '/session/:username', { who: 'user' }, async ({ visit }) => {
    return withCookies(success(), await sessions.end(visit.request))
  })

  route('GET', signInPath, { who: 'anyone' }, async (call) => {
    const { visit, identity } = call
    const target = localPath(visit.url.searchParams.get('redirect') ?? undefined) ?? '/'
    if (identity) return redirect(target)
    return showSignIn(service, signIn, call, target, undefined)
  })

  route('POST', signInPath, { who: 'unchecked' }, async (call) => {
    const read = readParameters(call.sources, signInFields)
    if (read.outcome === 'refused') return refused(call.visit, read.refusal, title(service))
    const target = localPath(read.values.redirect) ?? '/'
    // Nothing changes for somebody who is signed in already, so no token is asked for: some clients post this form
    // after POST /session, only to be sent on.
    if (await sessions.currentUser(call.visit.request)) return redirect(target)
    const attempt = await attemptSignIn(service, sessions, call)
    if (attempt.outcome === 'signed_in') return withCookies(redirect(target), attempt.setCookie)
    return showSignIn(
      service,
      signIn,
      call,
      target,
      attempt.refusal,
      read.values.username ?? read.values.login,
    )
  })

  route('POST', '/hallpass/sign-out', { who: 'user' }, async (call) => {
    const read = readParameters(call.sources, { redirect: { limit: 8000 } })
    const target = read.outcome === 'read' ? localPath(read.values.redirect) : undefined
    return withCookies(redirect(target ?? '/'), await sessions.end(call.visit.request))
  })
}

type Attempt =
  | { readonly outcome: 'signed_in'; readonly user: User; readonly setCookie: string }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }

async function attemptSignIn(service: Service, sessions: BrowserSessions, call: Call): Promise<Attempt> {
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
  const setCookie = await sessions.start(request, outcome.user)
  const actor: Actor = { userId: outcome.user.id, via: 'session', ...originOf(call.visit) }
  await commit(domain, actor, async () => ({
    result: undefined,
    events: [{ type: 'signed_in', userId: outcome.user.id }],
  }))
  return { outcome: 'signed_in', user: outcome.user, setCookie }
}

async function showSignIn(
  service: Service,
  { externalSignIn }: LocalSignIn,
  { visit }: Call,
  target: string,
  why: Refusal | undefined,
  login?: string,
): Promise<Response> {
  const csrf = service.visitors.csrf(visit.request)
  const applicationName = await waitingApplication(service, target)
  const html = signInPage({
    siteTitle: title(service),
    csrfToken: csrf.token,
    action: signInPath,
    redirect: target,
    ...(login === undefined ? {} : { login }),
    ...(why === undefined ? {} : { refusal: why }),
    ...(applicationName === undefined ? {} : { applicationName }),
    ...(externalSignIn && {
      external: {
        label: externalSignIn.label,
        href: `${externalSignInPath}?redirect=${encodeURIComponent(target)}`,
      },
    }),
  })
  const status = why === undefined || why.status === 200 ? 200 : why.status
  const response = page(html, { status })
  const waitSeconds = why?.details.wait_seconds
  if (waitSeconds !== undefined) response.headers.set('retry-after', String(waitSeconds))
  return withCookies(response, csrf.setCookie)
}

function title(service: Service): string {
  return service.domain.settings.current().title
}
