/** The browser flow: probing, consent, approval (protocol §3). */
import { approveAuthorization, checkMayMint, type Review, reviewAuthorization } from '../domain/authorize.ts'
import { findParkedRequest, parkRequest } from '../domain/park-request.ts'
import { limitRefusal } from '../domain/rate-limit.ts'
import type { User } from '../domain/user.ts'
import { consentPage } from '../pages/consent.ts'
import { errorDocsPath, signInPath } from '../pages/paths.ts'
import { authorizationRefusedPage } from '../pages/refused.ts'
import { resultPage } from '../pages/result.ts'
import { matchAuthRedirect } from '../protocol/auth-redirect.ts'
import {
  type AuthorizationParameters,
  type AuthorizationRequest,
  displayHost,
  readAuthorizationParameters,
  serializeAuthorizationParameters,
} from '../protocol/authorization-request.ts'
import { type Refusal, refusal, refusalBody } from '../protocol/errors.ts'
import { API_VERSION } from '../protocol/payload.ts'
import { appendPayload } from '../protocol/redirect-address.ts'
import { isoSeconds, json, page, redirect, refused, sealedFromCaches } from './answer.ts'
import { actorOf, type Call, type Router, routesOf, type Service } from './service.ts'
import type { Visit } from './visit.ts'

export function addAuthorizationRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)

  route('GET', '/user-api-key/new', { who: 'anyone' }, async (call) => {
    if (call.visit.route.method === 'HEAD') return probe()
    const read = readAuthorizationParameters(call.sources)
    if (read.outcome === 'refused') return sealedFromCaches(refuse(service, call, read.refusal))
    return sealedFromCaches(await showRequest(service, call, read.parameters))
  })

  route('GET', '/hallpass/authorize/:id', { who: 'anyone' }, async (call) => {
    const read = await findParkedRequest(service.domain, call.segment('id'))
    if (read.outcome === 'refused') return sealedFromCaches(refuse(service, call, read.refusal))
    return sealedFromCaches(await showRequest(service, call, read.parameters))
  })

  route('POST', '/user-api-key', { who: 'user' }, async (call) => {
    return sealedFromCaches(await approve(service, call))
  })
}

/** Clients look here before anything else, for what this server can do (protocol §3.1, §19). */
function probe(): Response {
  const headers = {
    'auth-api-version': String(API_VERSION),
    'auth-api-device-code': 'true',
    'hallpass-additions': '1',
  }
  return sealedFromCaches(new Response(null, { headers }))
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
      return sendToSignIn(service, call, parameters)
    case 'not_allowed':
      return showNotAllowed(service, call, review)
    case 'ready':
      return identity
        ? showConsent(service, call, parameters, review, identity.user)
        : sendToSignIn(service, call, parameters)
  }
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
  const isMissing = why.reason === 'parameters_missing'
  if (isMissing ? !visit.asksForPage : why.reason === 'padding_invalid') return refused(visit, why, title)
  if (visit.asksForJson) return json({ state: 'generic_error', ...refusalBody(why, docsUrl) })
  const status = isMissing ? 400 : 200
  const html = authorizationRefusedPage({
    siteTitle: title,
    state: 'generic_error',
    refusal: why,
    docsUrl: `${docsUrl}/${why.reason}`,
    ...(applicationName === undefined ? {} : { applicationName }),
  })
  return page(html, { status })
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

async function sendToSignIn(
  service: Service,
  call: Call,
  parameters: AuthorizationParameters,
): Promise<Response> {
  const { domain } = service
  const settings = domain.settings.current()
  if (!settings.disable_rate_limits) {
    const decision = domain.limiter.take(
      {
        name: 'max_authorization_requests_per_minute',
        max: settings.max_authorization_requests_per_minute,
        windowMs: 60_000,
      },
      `${call.visit.connection.remoteAddress}`,
    )
    if (decision.outcome === 'limited') return refuse(service, call, limitRefusal(decision))
  }
  const id = await parkRequest(domain, parameters)
  return redirect(`${signInPath}?redirect=${encodeURIComponent(`/hallpass/authorize/${id}`)}`)
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
  const scopes = request.scopes.flatMap((name) => domain.scopes.find(name) ?? [])
  const redirectHost = displayHost(request.authRedirect)
  const writeWarning = scopes.some((scope) => scope.marksWrite)
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
      localized_scopes: scopes.map((scope) => scope.label),
      scopes: parameters.scopes,
      write_scope: writeWarning,
      padding: parameters.padding ?? null,
      expires_in_seconds: parameters.expiresInSeconds ?? null,
      expires_at: expiresAt === null ? null : isoSeconds(expiresAt),
      current_user: { username: user.username, avatar_template: '' },
    })
  }
  const csrf = service.sessions.csrf(visit.request)
  const html = consentPage({
    siteTitle: domain.settings.current().title,
    applicationName: request.applicationName,
    clientId: request.clientId,
    user: { username: user.username, name: user.name },
    scopes: scopes.map(({ name, label, description }) => ({ name, label, description })),
    writeWarning,
    expiresAt,
    redirectHost,
    redirectIsLoopback: isLoopback(request),
    ...formOf(parameters),
    switchUserAction: switchUserAction(visit),
    csrfToken: csrf.token,
    alreadyHas: replaces ? { createdAt: replaces.createdAt, lastUsedAt: replaces.lastUsedAt } : null,
  })
  const response = page(html, request.authRedirect === undefined ? {} : { formAction: request.authRedirect })
  if (csrf.setCookie) response.headers.append('set-cookie', csrf.setCookie)
  return response
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
    identity.user,
    service.baseUrl(visit),
  )
  if (outcome.outcome === 'refused') return refuse(service, call, outcome.refusal)
  const { request, payload } = outcome
  if (request.authRedirect !== undefined) {
    const target = appendPayload(request.authRedirect, { payload })
    return visit.asksForJson ? json({ redirect_url: target }) : redirect(target)
  }
  if (visit.asksForJson) {
    const instructions = `Copy the payload and paste it into ${request.applicationName}.`
    return json({ payload, instructions })
  }
  return page(
    resultPage({
      siteTitle: settings.title,
      applicationName: request.applicationName,
      payload: payload.replaceAll('\n', ''),
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

/** Signs out, and comes back here by way of the sign-in page. */
function switchUserAction({ url }: Visit): string {
  const signIn = `${signInPath}?redirect=${encodeURIComponent(url.pathname + url.search)}`
  return `/hallpass/sign-out?redirect=${encodeURIComponent(signIn)}`
}

function refuse(service: Service, call: Call, why: Refusal): Response {
  return refused(call.visit, why, service.domain.settings.current().title)
}

function isLoopback({ authRedirect }: AuthorizationRequest): boolean {
  return authRedirect !== undefined && matchAuthRedirect(authRedirect, ['loopback']).outcome === 'allowed'
}
