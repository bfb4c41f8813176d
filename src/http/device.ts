/** The device flow (protocol §5): two routes for apps, which speak JSON only, and the pages where users type a code. */
import { checkMayMint } from '../domain/authorize.ts'
import {
  authorizeDeviceByLink,
  authorizeDeviceByToken,
  type CodeEntered,
  type Decided,
  type DeviceView,
  denyDevice,
  enterDeviceCode,
  pollDevice,
  previewDeviceRequest,
  requestDevice,
} from '../domain/device.ts'
import { limitDeviceRequests, limitPollsFor, limitPollsFrom } from '../domain/device-limits.ts'
import type { Identity } from '../domain/identity.ts'
import { hashSecret } from '../domain/key-text.ts'
import { readSessionCookie } from '../identity/cookies.ts'
import { activationDonePage, activationPage, enterCodePage } from '../pages/activate.ts'
import type { Html } from '../pages/html.ts'
import { activationPath, errorDocsPath, signInPath } from '../pages/paths.ts'
import { authorizationRefusedPage } from '../pages/refused.ts'
import {
  devicePollIntervalSeconds,
  deviceRequestLifetimeSeconds,
  isRequestToken,
  readDeviceParameters,
} from '../protocol/device-request.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { readParameters } from '../protocol/parameters.ts'
import { isoSeconds, json, page, redirect, refused, sealedFromCaches } from './answer.ts'
import { actorOf, type Call, csrfTokenOf, type Router, routesOf, type Service } from './service.ts'
import type { Visit } from './visit.ts'

export function addDeviceRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)
  // No cookie is looked at here, so no CSRF token is asked for.
  route('POST', '/user-api-key/device', { who: 'unchecked' }, sealed(service, request))
  route('POST', '/user-api-key/device/poll', { who: 'unchecked' }, sealed(service, poll))
  route('GET', activationPath, { who: 'anyone' }, sealed(service, openPage))
  route('POST', activationPath, { who: 'anyone' }, sealed(service, enterCode))
  route('POST', '/user-api-key/device/authorize', { who: 'user' }, sealed(service, authorize))
  route('POST', '/user-api-key/device/deny', { who: 'user' }, sealed(service, deny))
}

type Step = (service: Service, call: Call) => Promise<Response | Refusal>

function sealed(service: Service, step: Step): (call: Call) => Promise<Response> {
  return async (call) => {
    const answer = await step(service, call)
    return sealedFromCaches('reason' in answer ? refuse(service, call.visit, answer) : answer)
  }
}

async function request(service: Service, { visit, sources }: Call): Promise<Response | Refusal> {
  const { domain } = service
  const problem = jsonOnly(visit) ?? limitDeviceRequests(domain, visit.connection.remoteAddress)
  if (problem) return problem
  const read = readDeviceParameters(sources)
  if (read.outcome === 'refused') return read.refusal
  const outcome = await requestDevice(domain, read.parameters)
  if (outcome.outcome === 'refused') return outcome.refusal
  const address = service.baseUrl(visit) + activationPath
  return json({
    device_code: outcome.deviceCode,
    user_code: outcome.userCode,
    verification_uri: address,
    verification_uri_with_request: `${address}?request=${outcome.requestToken}`,
    expires_in: deviceRequestLifetimeSeconds,
    interval: devicePollIntervalSeconds,
  })
}

async function poll(service: Service, { visit, sources }: Call): Promise<Response | Refusal> {
  const { domain } = service
  const problem = jsonOnly(visit) ?? limitPollsFrom(domain, visit.connection.remoteAddress)
  if (problem) return problem
  const read = readParameters(sources, { device_code: { limit: fieldLimit } })
  if (read.outcome === 'refused') return read.refusal
  const { device_code: deviceCode } = read.values
  if (deviceCode === undefined) return missing('device_code', '{"device_code":"DEVICE_CODE"}')
  const limited = limitPollsFor(domain, deviceCode)
  return limited ?? json(await pollDevice(domain, deviceCode))
}

async function openPage(service: Service, call: Call): Promise<Response | Refusal> {
  const { visit, identity } = call
  const fields = readFields(call)
  if ('reason' in fields) return fields
  if (!identity) return signIn(fields)
  // A code in an address would stay in histories and logs.
  if (fields.code !== undefined) return redirect(activationPath)
  if (fields.request === undefined) return showEnterCode(service, call)
  const preview = await previewDeviceRequest(service.domain, actorOf(call), fields.request, identity.user)
  if (preview.outcome === 'refused') return preview.refusal
  if (preview.outcome === 'gone') return showEnterCode(service, call, 'expired_code')
  const { view } = preview
  if (view.notAllowed && !visit.asksForJson) return showNotAllowed(service, visit, view, view.notAllowed)
  return showRequest(service, call, view, { requestToken: fields.request })
}

async function enterCode(service: Service, call: Call): Promise<Response | Refusal> {
  const { visit, identity } = call
  const fields = readFields(call)
  if ('reason' in fields) return fields
  if (!identity) return hasCsrf(service, call) ? signIn(fields) : refusal('csrf_invalid')
  const { user } = identity
  const who = { user, sessionHash: sessionHashOf(visit, identity) }
  const entered = await enterDeviceCode(service.domain, actorOf(call), fields.code ?? '', who)
  return showEntered(service, call, entered)
}

function showEntered(service: Service, call: Call, entered: CodeEntered): Response | Refusal {
  switch (entered.outcome) {
    case 'refused':
      return entered.refusal
    case 'invalid':
      return showEnterCode(service, call, 'invalid_code')
    case 'gone':
      return showEnterCode(service, call, 'expired_code')
    case 'found':
      return entered.view.notAllowed && !call.visit.asksForJson
        ? showNotAllowed(service, call.visit, entered.view, entered.view.notAllowed)
        : showRequest(service, call, entered.view, {})
    case 'bound':
      return showRequest(service, call, entered.view, { approvalToken: entered.approvalToken })
  }
}

async function authorize(service: Service, call: Call): Promise<Response | Refusal> {
  const { domain } = service
  const { visit, identity } = call
  if (!identity) return refusal('not_signed_in')
  const problem = checkMayMint(identity, domain.settings.current())
  if (problem) return problem
  const fields = readFields(call)
  if ('reason' in fields) return fields
  const { user } = identity
  const actor = actorOf(call)
  if (fields.request !== undefined) {
    const link = { requestToken: fields.request, code: fields.code ?? '' }
    const decided = await authorizeDeviceByLink(domain, actor, link, user)
    return showDecided(service, call, decided, fields.request)
  }
  if (fields.approvalToken === undefined) return missing('approval_token', 'approval_token=APPROVAL_TOKEN')
  const who = { user, sessionHash: sessionHashOf(visit, identity) }
  return showDecided(service, call, await authorizeDeviceByToken(domain, actor, fields.approvalToken, who))
}

async function deny(service: Service, call: Call): Promise<Response | Refusal> {
  const { visit, identity } = call
  if (!identity) return refusal('not_signed_in')
  const fields = readFields(call)
  if ('reason' in fields) return fields
  // Whoever has only the link has not shown that the request is theirs to deny.
  if (fields.request !== undefined) return showEnterCode(service, call, 'expired_code')
  if (fields.approvalToken === undefined) return missing('approval_token', 'approval_token=APPROVAL_TOKEN')
  const who = { user: identity.user, sessionHash: sessionHashOf(visit, identity) }
  const decided = await denyDevice(service.domain, actorOf(call), fields.approvalToken, who)
  return decided.outcome === 'gone'
    ? showEnterCode(service, call, 'expired_code')
    : showDone(service, call, { denied: true })
}

function showDecided(
  service: Service,
  call: Call,
  decided: Decided,
  requestToken?: string,
): Response | Refusal {
  switch (decided.outcome) {
    case 'refused':
      return decided.refusal
    case 'gone':
      return showEnterCode(service, call, 'expired_code')
    case 'wrong_code':
      return showRequest(service, call, decided.view, { requestToken, invalidCode: true })
    case 'complete':
      return showDone(service, call, { denied: false })
  }
}

type CodeProblem = 'invalid_code' | 'expired_code'

function showEnterCode(service: Service, call: Call, problem?: CodeProblem): Response {
  const { visit, identity } = call
  if (visit.asksForJson) return json({ state: 'enter_code', ...(problem && { [problem]: true }) })
  return formPage(service, call, (csrfToken) =>
    enterCodePage({
      siteTitle: title(service),
      user: { username: identity?.user.username ?? '', name: identity?.user.name ?? '' },
      csrfToken,
      action: activationPath,
      switchUserAction: switchUserAction(visit),
      ...(problem && { problem }),
    }),
  )
}

interface Handle {
  /** Undefined where the code was typed without a link. */
  readonly requestToken?: string | undefined
  /** Undefined until the code was typed. */
  readonly approvalToken?: string
  /** Whether a wrong code was typed just now. */
  readonly invalidCode?: boolean
}

function showRequest(service: Service, call: Call, view: DeviceView, handle: Handle): Response {
  const { visit, identity } = call
  const { request, expiresAt, notAllowed } = view
  const scopes = request.scopes.flatMap((name) => service.domain.scopes.find(name) ?? [])
  const writeWarning = scopes.some((scope) => scope.marksWrite)
  const { requestToken, approvalToken, invalidCode = false } = handle
  if (visit.asksForJson) {
    return json({
      state: 'authorize',
      request_token: requestToken ?? null,
      approval_token: approvalToken ?? null,
      no_trust_level: notAllowed !== undefined,
      invalid_code: invalidCode,
      device_auth: {
        application_name: request.applicationName,
        localized_scopes: scopes.map((scope) => scope.label),
        write_scope: writeWarning,
        unregistered_client: request.unregisteredClient,
        expires_at: expiresAt === null ? null : isoSeconds(expiresAt),
      },
      current_user: { username: identity?.user.username, avatar_template: '' },
    })
  }
  return formPage(service, call, (csrfToken) =>
    activationPage({
      siteTitle: title(service),
      applicationName: request.applicationName,
      clientId: request.clientId,
      user: { username: identity?.user.username ?? '', name: identity?.user.name ?? '' },
      scopes: scopes.map(({ name, label, description }) => ({ name, label, description })),
      writeWarning,
      unregisteredClient: request.unregisteredClient,
      expiresAt,
      csrfToken,
      authorizeAction: '/user-api-key/device/authorize',
      denyAction: '/user-api-key/device/deny',
      handle:
        approvalToken === undefined
          ? { by: 'link', requestToken: requestToken ?? '', invalidCode }
          : { by: 'approval', approvalToken },
    }),
  )
}

function showDone(service: Service, { visit }: Call, { denied }: { denied: boolean }): Response {
  if (visit.asksForJson) return json({ state: 'complete', denied })
  return page(activationDonePage({ siteTitle: title(service), denied }))
}

function showNotAllowed(service: Service, visit: Visit, { request }: DeviceView, why: Refusal): Response {
  return page(
    authorizationRefusedPage({
      siteTitle: title(service),
      state: 'no_trust_level',
      refusal: why,
      docsUrl: new URL(`${errorDocsPath}/${why.reason}`, visit.url).href,
      applicationName: request.applicationName,
    }),
  )
}

function formPage(service: Service, { visit }: Call, make: (csrfToken: string) => Html): Response {
  const csrf = service.sessions.csrf(visit.request)
  const response = page(make(csrf.token))
  if (csrf.setCookie) response.headers.append('set-cookie', csrf.setCookie)
  return response
}

/** Comes back here with the request token, if it has the form of one, and never with a code. */
function signIn({ request: token }: Fields): Response {
  const query = token !== undefined && isRequestToken(token) ? `?request=${token}` : ''
  return redirect(`${signInPath}?redirect=${encodeURIComponent(activationPath + query)}`)
}

function switchUserAction({ url }: Visit): string {
  const target = activationPath + (url.searchParams.has('code') ? '' : url.search)
  return `/hallpass/sign-out?redirect=${encodeURIComponent(`${signInPath}?redirect=${encodeURIComponent(target)}`)}`
}

/** Whatever cannot be a code or a token is answered as a wrong one, so these are as long as a body may be. */
const fieldLimit = 65_536

interface Fields {
  readonly request: string | undefined
  readonly code: string | undefined
  readonly approvalToken: string | undefined
}

function readFields({ sources }: Call): Fields | Refusal {
  const limit = { limit: fieldLimit }
  const read = readParameters(sources, { request: limit, code: limit, approval_token: limit })
  if (read.outcome === 'refused') return read.refusal
  const { request: token, code, approval_token: approvalToken } = read.values
  return { request: token, code, approvalToken }
}

/** Both ways: what comes in must say that it is JSON, and what goes out must be wanted as JSON (protocol §5.2). */
function jsonOnly({ request: { headers }, route, asksForJson }: Visit): Refusal | undefined {
  const type = (headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  return asksForJson && /[/+]json$/.test(type) ? undefined : refusal('json_required', { path: route.path })
}

function hasCsrf(service: Service, { visit, sources }: Call): boolean {
  const token = csrfTokenOf(visit, sources)
  return token !== undefined && service.verifier.signIn.csrfMatches(visit.request, token)
}

/** What an approval token is tied to: the browser's session, or the key of a program that acts for its user. */
function sessionHashOf(visit: Visit, identity: Identity): string {
  if (identity.via === 'user_api_key') return hashSecret(`user_api_key ${identity.key.id}`)
  if (identity.via === 'api_key') return hashSecret(`api_key ${identity.apiKey.id}`)
  return hashSecret(`session ${readSessionCookie(visit.request) ?? ''}`)
}

function missing(name: string, example: string): Refusal {
  return refusal('parameters_missing', { missing: name, first: name, example })
}

function refuse(service: Service, visit: Visit, why: Refusal): Response {
  return refused(visit, why, title(service))
}

function title(service: Service): string {
  return service.domain.settings.current().title
}
