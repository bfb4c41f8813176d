/** The browser flow: probing, consent, approval (protocol §3). */
import { approveAuthorization, checkMayMint, type Review, reviewAuthorization } from '../domain/authorize.ts'
import { findParkedRequest } from '../domain/park-request.ts'
import type { User } from '../domain/user.ts'
import { consentPage } from '../pages/consent.ts'
import { errorDocsPath } from '../pages/paths.ts'
import { authorizationRefusedPage } from '../pages/refused.ts'
import { resultPage } from '../pages/result.ts'
import {
  type AuthorizationParameters,
  readAuthorizationParameters,
  serializeAuthorizationParameters,
} from '../protocol/authorization-request.ts'
import { type Refusal, refusal, refusalBody } from '../protocol/errors.ts'
import type { ParameterSources } from '../protocol/parameters.ts'
import { API_VERSION } from '../protocol/payload.ts'
import { appendPayload } from '../protocol/redirect-address.ts'
import { displayHost, isLoopbackRedirect } from '../protocol/redirect-display.ts'
import { grantsOf, narrowedScopesField } from '../protocol/scope-parameters.ts'
import { isoSeconds, json, page, redirect, refused } from './answer.ts'
import { scopeLabels, scopesForPage } from './granted-scopes.ts'
import { actorOf, type Call, type Router, routesOf, type Service, withCookies } from './service.ts'
import { parkedPaths, signInFirst, switchUserAction } from './sign-in-first.ts'

export function addAuthorizationRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)

  route('GET', '/user-api-key/new', { who: 'anyone', sealed: true }, async (call) => {
    return call.visit.route.method === 'HEAD' ? probe() : readRequest(service, call, call.sources)
  })

  route('GET', `${parkedPaths.authorization}/:id`, { who: 'anyone', sealed: true }, async (call) => {
    const parked = await findParkedRequest(service.domain, call.segment('id'))
    return parked.outcome === 'refused'
      ? refuse(service, call, parked.refusal)
      : readRequest(service, call, { query: parked.parameters })
  })

  route('POST', '/user-api-key', { who: 'user', sealed: true }, (call) => approve(service, call))
}

/** Clients look here before anything else, for what this server can do (protocol §3.1, §19). */
function probe(): Response {
  const headers = {
    'auth-api-version': String(API_VERSION),
    'auth-api-device-code': 'true',
    'hallpass-additions': '1',
  }
  return new Response(null, { headers })
}

async function readRequest(service: Service, call: Call, sources: ParameterSources): Promise<Response> {
  const read = readAuthorizationParameters(sources)
  return read.outcome === 'refused'
    ? refuse(service, call, read.refusal)
    : showRequest(service, call, read.parameters)
}

async function showRequest(
  service: Service,
  call: Call,
  parameters: AuthorizationParameters,
): Promise<Response> {
  const { visit, identity } = call
  const review = await reviewAuthorization(service.domain, parameters, identity?.user, service.baseUrl(visit))
  switch (review.outcome) {
    case 'refused':
      return showRefused(service, call, review.refusal, parameters)
    case 'sign_in_needed':
      return parkAndSignIn(service, call, parameters)
    case 'not_allowed':
      return showNotAllowed(service, call, review)
    case 'ready':
      return identity
        ? showConsent(service, call, parameters, review, identity.user)
        : parkAndSignIn(service, call, parameters)
  }
}

function parkAndSignIn(service: Service, call: Call, parameters: AuthorizationParameters): Promise<Response> {
  const values = serializeAuthorizationParameters(parameters)
  return signInFirst(service, call, values, parkedPaths.authorization)
}

/** Missing parameters and a wrong padding are a 400; all else is folded into one state of the page (protocol §3.2). */
function showRefused(
  service: Service,
  call: Call,
  why: Refusal,
  { applicationName }: AuthorizationParameters,
): Response {
  const { visit } = call
  const { title } = service.domain.settings.current()
  const docsUrl = new URL(errorDocsPath, visit.url).href
  if (why.reason === 'parameters_missing' || why.reason === 'padding_invalid')
    return refused(visit, why, title)
  if (visit.asksForJson) return json({ state: 'generic_error', ...refusalBody(why, docsUrl) })
  const html = authorizationRefusedPage({
    siteTitle: title,
    state: 'generic_error',
    refusal: why,
    docsUrl: `${docsUrl}/${why.reason}`,
    ...(applicationName === undefined ? {} : { applicationName }),
  })
  return page(html)
}

function showNotAllowed(
  service: Service,
  { visit, identity }: Call,
  { refusal: why, request }: Extract<Review, { outcome: 'not_allowed' }>,
): Response {
  const docsUrl = new URL(errorDocsPath, visit.url).href
  if (visit.asksForJson) {
    return json({
      state: 'no_trust_level',
      application_name: request.applicationName,
      current_user: { username: identity?.user.username, avatar_template: '' },
      ...refusalBody(why, docsUrl),
    })
  }
  return page(
    authorizationRefusedPage({
      siteTitle: service.domain.settings.current().title,
      state: 'no_trust_level',
      refusal: why,
      docsUrl: `${docsUrl}/${why.reason}`,
      applicationName: request.applicationName,
    }),
  )
}

function showConsent(
  service: Service,
  { visit }: Call,
  parameters: AuthorizationParameters,
  review: Extract<Review, { outcome: 'ready' }>,
  user: User,
): Response {
  const { domain } = service
  const { request, replaces, expiresAt } = review
  const granted = grantsOf(request.scopes, request.scopeParameters)
  const redirectHost = displayHost(request.authRedirect)
  const writeWarning = request.scopes.some((name) => domain.scopes.find(name)?.marksWrite)
  if (visit.asksForJson) {
    return json({
      state: 'ready',
      application_name: request.applicationName,
      public_key: parameters.publicKey ?? null,
      nonce: request.nonce,
      client_id: request.clientId,
      auth_redirect: parameters.authRedirect ?? null,
      redirect_uri: redirectHost,
      push_url: parameters.pushUrl ?? null,
      localized_scopes: scopeLabels(domain.scopes, granted),
      scopes: parameters.scopes,
      write_scope: writeWarning,
      padding: parameters.padding ?? null,
      expires_in_seconds: parameters.expiresInSeconds ?? null,
      expires_at: expiresAt === null ? null : isoSeconds(expiresAt),
      current_user: { username: user.username, avatar_template: '' },
      ...narrowedScopesField(granted),
    })
  }
  const csrf = service.visitors.csrf(visit.request)
  const html = consentPage({
    siteTitle: domain.settings.current().title,
    applicationName: request.applicationName,
    clientId: request.clientId,
    user: { username: user.username, name: user.name },
    scopes: scopesForPage(domain.scopes, granted),
    writeWarning,
    expiresAt,
    redirectHost,
    redirectIsLoopback: request.authRedirect !== undefined && isLoopbackRedirect(request.authRedirect),
    ...formOf(parameters),
    ...switchUserAction(service, visit.url.pathname + visit.url.search),
    csrfToken: csrf.token,
    alreadyHas: replaces ? { createdAt: replaces.createdAt, lastUsedAt: replaces.lastUsedAt } : null,
  })
  const options = request.authRedirect === undefined ? {} : { formAction: request.authRedirect }
  return withCookies(page(html, options), csrf.setCookie)
}

async function approve(service: Service, call: Call): Promise<Response> {
  const { domain } = service
  const { visit, identity } = call
  const settings = domain.settings.current()
  const read = readAuthorizationParameters(call.sources)
  if (read.outcome === 'refused') return refuse(service, call, read.refusal)
  if (!identity) return refuse(service, call, refusal('not_signed_in'))
  const problem = checkMayMint(identity, settings)
  if (problem) return refuse(service, call, problem)
  const outcome = await approveAuthorization(
    domain,
    actorOf(call),
    read.parameters,
    identity,
    service.baseUrl(visit),
  )
  if (outcome.outcome === 'refused') return refuse(service, call, outcome.refusal)
  const { request, payload, oneTimePassword } = outcome
  const password = oneTimePassword === undefined ? {} : { oneTimePassword }
  if (request.authRedirect !== undefined) {
    const target = appendPayload(request.authRedirect, { payload, ...password })
    return visit.asksForJson ? json({ redirect_url: target }) : redirect(target)
  }
  if (visit.asksForJson) {
    const instructions = `Copy the payload and paste it into ${request.applicationName}.`
    return json({ payload, instructions, ...password })
  }
  return page(
    resultPage({
      siteTitle: settings.title,
      applicationName: request.applicationName,
      payload: payload.replaceAll('\n', ''),
      scopes: scopesForPage(domain.scopes, grantsOf(request.scopes, request.scopeParameters)),
    }),
  )
}

/**
 * Where the consent form posts to, and its hidden fields. A browser turns every line break in a field into CR LF, and a
 * client id that ends in a line feed would come back as that of another client: such values travel in the address. To a
 * PEM it makes no difference.
 */
function formOf(parameters: AuthorizationParameters): { action: string; parameters: Record<string, string> } {
  const all = [...serializeAuthorizationParameters(parameters)]
  const inAddress = all.filter(([name, value]) => name !== 'public_key' && /[\r\n]/.test(value))
  const query = new URLSearchParams(inAddress).toString()
  return {
    action: query === '' ? '/user-api-key' : `/user-api-key?${query}`,
    parameters: Object.fromEntries(all.filter((entry) => !inAddress.includes(entry))),
  }
}

function refuse(service: Service, call: Call, why: Refusal): Response {
  return refused(call.visit, why, service.domain.settings.current().title)
}
