/**
 * Signing in with a one-time password (protocol §6.3). A GET never signs anybody in, and a POST needs the browser's own
 * CSRF token: otherwise a link could make a visitor somebody else, who then collects what they do.
 */
import {
  findOneTimePassword,
  limitOneTimePasswords,
  takeOneTimePassword,
} from '../domain/one-time-passwords.ts'
import type { User } from '../domain/user.ts'
import type { StartSession } from '../identity/visitors.ts'
import { errorPage } from '../pages/error.ts'
import { oneTimeSignInPage } from '../pages/one-time-sign-in.ts'
import { errorDocsPath } from '../pages/paths.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { json, page, redirect, refused } from './answer.ts'
import {
  actorOf,
  type Call,
  carriesCsrfToken,
  type Router,
  routesOf,
  type Service,
  withCookies,
} from './service.ts'

export function addOneTimeSignInRoutes(router: Router, service: Service, startSession: StartSession): void {
  const route = routesOf(router, service)
  const path = '/session/otp/:token'
  route('GET', path, { who: 'anyone', sealed: true }, (call) => ask(service, call, call.segment('token')))
  route('POST', path, { who: 'anyone', sealed: true }, (call) =>
    signIn(service, startSession, call, call.segment('token')),
  )
}

async function ask(service: Service, call: Call, token: string): Promise<Response> {
  const { domain } = service
  const { visit, identity } = call
  const limited = limitOneTimePasswords(domain, visit.connection.remoteAddress)
  if (limited) return fail(service, call, limited)
  const found = await findOneTimePassword(domain, token)
  if (found.outcome === 'refused') return fail(service, call, found.refusal)
  const { user } = found
  const signedIn = identity?.via === 'session' ? identity.user : undefined
  if (signedIn?.id === user.id) return throwAway(service, call, token)
  if (visit.asksForJson) {
    return json({ username: user.username, current_user: signedIn ? { username: signedIn.username } : null })
  }
  return showPage(service, call, user, signedIn)
}

async function signIn(
  service: Service,
  startSession: StartSession,
  call: Call,
  token: string,
): Promise<Response> {
  const { domain } = service
  const { visit, identity } = call
  // Whoever sends a key is no browser that was led here.
  if (!identity && !carriesCsrfToken(service, call)) return fail(service, call, refusal('csrf_invalid'))
  const limited = limitOneTimePasswords(domain, visit.connection.remoteAddress)
  if (limited) return fail(service, call, limited)
  const found = await findOneTimePassword(domain, token)
  if (found.outcome === 'refused') return fail(service, call, found.refusal)
  if (identity?.via === 'session' && identity.user.id === found.user.id)
    return throwAway(service, call, token)
  const taken = await takeOneTimePassword(domain, actor(call), token, { signsIn: true })
  if (taken.outcome === 'refused') return fail(service, call, taken.refusal)
  const response = redirect('/')
  for (const [name, value] of await startSession(visit.request, taken.user))
    response.headers.append(name, value)
  return response
}

/** Its user is signed in already: nothing is left to do but to make sure that nobody else uses it. */
async function throwAway(service: Service, call: Call, token: string): Promise<Response> {
  await takeOneTimePassword(service.domain, actor(call), token, { signsIn: false })
  return redirect('/')
}

function showPage(service: Service, { visit }: Call, user: User, signedIn: User | undefined): Response {
  const csrf = service.visitors.csrf(visit.request)
  const html = oneTimeSignInPage({
    siteTitle: service.domain.settings.current().title,
    user: { username: user.username, name: user.name },
    ...(signedIn && { signedInAs: signedIn.username }),
    action: visit.url.pathname,
    csrfToken: csrf.token,
  })
  return withCookies(page(html), csrf.setCookie)
}

/** A one-time password that does not work is a page with status 200, for whoever does not ask for JSON (protocol §6.3). */
function fail(service: Service, { visit }: Call, why: Refusal): Response {
  const siteTitle = service.domain.settings.current().title
  if (visit.asksForJson || why.reason !== 'one_time_password_invalid') return refused(visit, why, siteTitle)
  const docsUrl = new URL(`${errorDocsPath}/${why.reason}`, visit.url).href
  return page(errorPage({ siteTitle, refusal: why, docsUrl }))
}

/** What is done with a one-time password is done by a browser, whoever was signed in there before. */
function actor(call: Call): ReturnType<typeof actorOf> {
  return call.identity ? actorOf(call) : { ...actorOf(call), via: 'session' }
}
