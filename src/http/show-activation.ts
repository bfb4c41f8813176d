/** What the activation page answers: as JSON for programs, as pages for browsers (protocol §5.3 to §5.5). */
import type { CodeEntered, Decided, DeviceView, Refused } from '../domain/device-approval.ts'
import { activationDonePage, activationPage, enterCodePage } from '../pages/activate.ts'
import type { Html } from '../pages/html.ts'
import { activationPath, errorDocsPath } from '../pages/paths.ts'
import { authorizationRefusedPage } from '../pages/refused.ts'
import type { Refusal } from '../protocol/errors.ts'
import { grantsOf, narrowedScopesField } from '../protocol/scope-parameters.ts'
import { isoSeconds, json, page } from './answer.ts'
import { scopeLabels, scopesForPage } from './granted-scopes.ts'
import type { Call, Service } from './service.ts'
import { switchUserAction } from './sign-in-first.ts'
import type { Visit } from './visit.ts'

/** What typing a code came to. */
export function showEntered(service: Service, call: Call, entered: Exclude<CodeEntered, Refused>): Response {
  switch (entered.outcome) {
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

/** What a decision came to; `requestToken` is that of the link it came by, if it did. */
export function showDecided(
  service: Service,
  call: Call,
  decided: Exclude<Decided, Refused>,
  requestToken?: string,
): Response {
  switch (decided.outcome) {
    case 'gone':
      return showEnterCode(service, call, 'expired_code')
    case 'wrong_code':
      return showRequest(service, call, decided.view, { requestToken, invalidCode: true })
    case 'complete':
      return showDone(service, call, { denied: false })
  }
}

type CodeProblem = 'invalid_code' | 'expired_code'

/** The field for a code, and why the one before did not do. */
export function showEnterCode(service: Service, call: Call, problem?: CodeProblem): Response {
  const { visit, identity } = call
  if (visit.asksForJson) return json({ state: 'enter_code', ...(problem && { [problem]: true }) })
  return formPage(service, call, (csrfToken) =>
    enterCodePage({
      siteTitle: title(service),
      user: { username: identity?.user.username ?? '', name: identity?.user.name ?? '' },
      csrfToken,
      action: activationPath,
      ...switchUserAction(service, ownPath(visit)),
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

/** What a request asks for, and the choice. */
export function showRequest(service: Service, call: Call, view: DeviceView, handle: Handle): Response {
  const { visit, identity } = call
  const { request, expiresAt, notAllowed } = view
  const catalogue = service.domain.scopes
  const granted = grantsOf(request.scopes, request.scopeParameters)
  const writeWarning = request.scopes.some((name) => catalogue.find(name)?.marksWrite)
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
        localized_scopes: scopeLabels(catalogue, granted),
        write_scope: writeWarning,
        unregistered_client: request.unregisteredClient,
        expires_at: expiresAt === null ? null : isoSeconds(expiresAt),
        ...narrowedScopesField(granted),
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
      scopes: scopesForPage(catalogue, granted),
      writeWarning,
      unregisteredClient: request.unregisteredClient,
      expiresAt,
      csrfToken,
      authorizeAction: '/user-api-key/device/authorize',
      denyAction: '/user-api-key/device/deny',
      handle:
        approvalToken === undefined
          ? {
              by: 'link',
              requestToken: requestToken ?? '',
              link: `${service.baseUrl(visit)}${activationPath}?request=${requestToken ?? ''}`,
              invalidCode,
            }
          : { by: 'approval', approvalToken },
    }),
  )
}

/** The end. */
export function showDone(service: Service, { visit }: Call, { denied }: { denied: boolean }): Response {
  if (visit.asksForJson) return json({ state: 'complete', denied })
  return page(activationDonePage({ siteTitle: title(service), denied }))
}

/** What somebody sees whose account may not approve apps. */
export function showNotAllowed(
  service: Service,
  visit: Visit,
  { request }: DeviceView,
  why: Refusal,
): Response {
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
  const csrf = service.visitors.csrf(visit.request)
  const response = page(make(csrf.token))
  if (csrf.setCookie) response.headers.append('set-cookie', csrf.setCookie)
  return response
}

/** This page again, without a code: that would stay in histories and logs. */
function ownPath({ url }: Visit): string {
  return activationPath + (url.searchParams.has('code') ? '' : url.search)
}

function title(service: Service): string {
  return service.domain.settings.current().title
}
