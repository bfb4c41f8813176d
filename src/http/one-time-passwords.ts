/** One-time passwords for apps: the request, its page, and the answer (protocol §6.1, §6.2). */
import { checkMayGetOneTimePassword, checkMayMint } from '../domain/authorize.ts'
import { issueOneTimePassword, reviewOneTimePassword } from '../domain/one-time-passwords.ts'
import { findParkedRequest } from '../domain/park-request.ts'
import type { User } from '../domain/user.ts'
import { oneTimePasswordPage } from '../pages/one-time-password.ts'
import { errorDocsPath } from '../pages/paths.ts'
import { authorizationRefusedPage } from '../pages/refused.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import {
  type OneTimePasswordParameters,
  readOneTimePasswordParameters,
  serializeOneTimePasswordParameters,
} from '../protocol/one-time-password-request.ts'
import { appendPayload } from '../protocol/redirect-address.ts'
import { displayHost, isLoopbackRedirect } from '../protocol/redirect-display.ts'
import { json, page, redirect, refused } from './answer.ts'
import { actorOf, type Call, type Router, routesOf, type Service, withCookies } from './service.ts'
import { parkedPaths, signInFirst, switchUserAction } from './sign-in-first.ts'

export function addOneTimePasswordRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)

  route('GET', '/user-api-key/otp', { who: 'anyone', sealed: true }, async (call) => {
    const read = readOneTimePasswordParameters(call.sources)
    return read.outcome === 'refused'
      ? refuse(service, call, read.refusal)
      : showRequest(service, call, read.parameters)
  })

  route('GET', `${parkedPaths.oneTimePassword}/:id`, { who: 'anyone', sealed: true }, async (call) => {
    const parked = await findParkedRequest(service.domain, call.segment('id'))
    if (parked.outcome === 'refused') return refuse(service, call, parked.refusal)
    const read = readOneTimePasswordParameters({ query: parked.parameters })
    return read.outcome === 'refused'
      ? refuse(service, call, read.refusal)
      : showRequest(service, call, read.parameters)
  })

  route('POST', '/user-api-key/otp', { who: 'user', sealed: true }, (call) => issue(service, call))
}

async function showRequest(
  service: Service,
  call: Call,
  parameters: OneTimePasswordParameters,
): Promise<Response> {
  const { visit, identity } = call
  const baseUrl = service.baseUrl(visit)
  const review = await reviewOneTimePassword(service.domain, parameters, identity?.user, baseUrl)
  if (review.outcome === 'refused') return refuse(service, call, review.refusal)
  if (review.outcome === 'sign_in_needed' || !identity) {
    const values = serializeOneTimePasswordParameters(parameters)
    return signInFirst(service, call, values, parkedPaths.oneTimePassword)
  }
  if (visit.asksForJson) {
    return json({
      application_name: parameters.applicationName,
      public_key: parameters.publicKey,
      auth_redirect: parameters.authRedirect,
      padding: parameters.padding ?? null,
    })
  }
  return review.notAllowed
    ? showNotAllowed(service, call, parameters, review.notAllowed)
    : showPage(service, call, parameters, identity.user)
}

function showPage(
  service: Service,
  { visit }: Call,
  parameters: OneTimePasswordParameters,
  user: User,
): Response {
  const { applicationName = '', authRedirect = '' } = parameters
  const csrf = service.visitors.csrf(visit.request)
  const html = oneTimePasswordPage({
    siteTitle: service.domain.settings.current().title,
    applicationName,
    user: { username: user.username, name: user.name },
    authRedirect,
    redirectHost: displayHost(authRedirect),
    redirectIsLoopback: isLoopbackRedirect(authRedirect),
    action: '/user-api-key/otp',
    csrfToken: csrf.token,
    parameters: Object.fromEntries(serializeOneTimePasswordParameters(parameters)),
    ...switchUserAction(service, visit.url.pathname + visit.url.search),
  })
  return withCookies(page(html, { formAction: authRedirect }), csrf.setCookie)
}

/** A button that can only fail is not worth a press, so the page says so at once. */
function showNotAllowed(
  service: Service,
  { visit }: Call,
  { applicationName = '' }: OneTimePasswordParameters,
  why: Refusal,
): Response {
  return page(
    authorizationRefusedPage({
      siteTitle: service.domain.settings.current().title,
      state: why.reason === 'group_not_allowed' ? 'no_trust_level' : 'generic_error',
      refusal: why,
      docsUrl: new URL(`${errorDocsPath}/${why.reason}`, visit.url).href,
      applicationName,
    }),
  )
}

async function issue(service: Service, call: Call): Promise<Response> {
  const { domain } = service
  const { visit, identity, sources } = call
  if (!identity) return refuse(service, call, refusal('not_signed_in'))
  const mayNot = checkMayMint(identity, domain.settings.current()) ?? checkMayGetOneTimePassword(identity)
  if (mayNot) return refuse(service, call, mayNot)
  const read = readOneTimePasswordParameters(sources)
  if (read.outcome === 'refused') return refuse(service, call, read.refusal)
  const outcome = await issueOneTimePassword(domain, actorOf(call), read.parameters, {
    user: identity.user,
    baseUrl: service.baseUrl(visit),
  })
  if (outcome.outcome === 'refused') return refuse(service, call, outcome.refusal)
  const target = appendPayload(outcome.request.authRedirect, { oneTimePassword: outcome.sealed })
  return visit.asksForJson ? json({ redirect_url: target }) : redirect(target)
}

function refuse(service: Service, { visit }: Call, why: Refusal): Response {
  return refused(visit, why, service.domain.settings.current().title)
}
