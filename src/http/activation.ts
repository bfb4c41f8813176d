/** The user's half of the device flow (protocol §5.3 to §5.5): the code is typed, the request is looked at and decided on. */
import { checkMayMint } from '../domain/authorize.ts'
import {
  authorizeDeviceByLink,
  authorizeDeviceByToken,
  denyDevice,
  enterDeviceCode,
  previewDeviceRequest,
} from '../domain/device-approval.ts'
import type { Identity } from '../domain/identity.ts'
import { hashSecret } from '../domain/key-text.ts'
import { activationPath } from '../pages/paths.ts'
import { isRequestToken } from '../protocol/device-request.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { readParameters } from '../protocol/parameters.ts'
import { redirect } from './answer.ts'
import { answering, logStep, longestValue, missing } from './device-step.ts'
import { actorOf, type Call, carriesCsrfToken, type Router, routesOf, type Service } from './service.ts'
import {
  showDecided,
  showDone,
  showEnterCode,
  showEntered,
  showNotAllowed,
  showRequest,
} from './show-activation.ts'
import { sendToSignIn } from './sign-in-first.ts'
import type { Visit } from './visit.ts'

/** Adds the routes that users come to. */
export function addActivationRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)
  route('GET', activationPath, { who: 'anyone', sealed: true }, answering(service, 'preview', openPage))
  route('POST', activationPath, { who: 'anyone', sealed: true }, answering(service, 'enter_code', enterCode))
  route(
    'POST',
    '/user-api-key/device/authorize',
    { who: 'user', sealed: true },
    answering(service, 'authorize', authorize),
  )
  route('POST', '/user-api-key/device/deny', { who: 'user', sealed: true }, answering(service, 'deny', deny))
}

async function openPage(service: Service, call: Call): Promise<Response | Refusal> {
  const { visit, identity } = call
  const fields = readFields(call)
  if ('reason' in fields) return fields
  if (!identity) return signIn(service, visit, fields)
  // A code in an address would stay in histories and logs.
  if (fields.code !== undefined) return redirect(activationPath)
  if (fields.request === undefined) return showEnterCode(service, call)
  const preview = await previewDeviceRequest(service.domain, actorOf(call), fields.request, identity.user)
  if (preview.outcome === 'refused') return preview.refusal
  logStep(service, call, 'preview', { outcome: preview.outcome })
  if (preview.outcome === 'gone') return showEnterCode(service, call, 'expired_code')
  const { view } = preview
  if (view.notAllowed && !visit.asksForJson) return showNotAllowed(service, visit, view, view.notAllowed)
  return showRequest(service, call, view, { requestToken: fields.request })
}

async function enterCode(service: Service, call: Call): Promise<Response | Refusal> {
  const { visit, identity } = call
  const fields = readFields(call)
  if ('reason' in fields) return fields
  if (!identity)
    return carriesCsrfToken(service, call) ? signIn(service, visit, fields) : refusal('csrf_invalid')
  const { user } = identity
  const who = { user, sessionHash: sessionHashOf(service, visit, identity) }
  const entered = await enterDeviceCode(service.domain, actorOf(call), fields.code ?? '', who)
  if (entered.outcome === 'refused') return entered.refusal
  const given = entered.outcome === 'bound' ? { approval_token: entered.approvalToken } : {}
  logStep(service, call, 'enter_code', { outcome: entered.outcome, ...given })
  return showEntered(service, call, entered)
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
  if (fields.request === undefined && fields.approvalToken === undefined) {
    return missing('approval_token', 'approval_token=APPROVAL_TOKEN')
  }
  const decided =
    fields.request === undefined
      ? await authorizeDeviceByToken(domain, actor, fields.approvalToken ?? '', {
          user,
          sessionHash: sessionHashOf(service, visit, identity),
        })
      : await authorizeDeviceByLink(
          domain,
          actor,
          { requestToken: fields.request, code: fields.code ?? '' },
          user,
        )
  if (decided.outcome === 'refused') return decided.refusal
  logStep(service, call, 'authorize', { outcome: decided.outcome })
  return showDecided(service, call, decided, fields.request)
}

async function deny(service: Service, call: Call): Promise<Response | Refusal> {
  const { visit, identity } = call
  if (!identity) return refusal('not_signed_in')
  const fields = readFields(call)
  if ('reason' in fields) return fields
  // Whoever has only the link has not shown that the request is theirs to deny.
  if (fields.request !== undefined) return showEnterCode(service, call, 'expired_code')
  if (fields.approvalToken === undefined) return missing('approval_token', 'approval_token=APPROVAL_TOKEN')
  const who = { user: identity.user, sessionHash: sessionHashOf(service, visit, identity) }
  const decided = await denyDevice(service.domain, actorOf(call), fields.approvalToken, who)
  logStep(service, call, 'deny', { outcome: decided.outcome })
  return decided.outcome === 'gone'
    ? showEnterCode(service, call, 'expired_code')
    : showDone(service, call, { denied: true })
}

/** Comes back here with the request token, if it has the form of one, and never with a code. */
function signIn(service: Service, visit: Visit, { request: token }: Fields): Promise<Response> {
  const query = token !== undefined && isRequestToken(token) ? `?request=${token}` : ''
  return sendToSignIn(service, visit, activationPath + query)
}

interface Fields {
  readonly request: string | undefined
  readonly code: string | undefined
  readonly approvalToken: string | undefined
}

function readFields({ sources }: Call): Fields | Refusal {
  const limit = { limit: longestValue }
  const read = readParameters(sources, { request: limit, code: limit, approval_token: limit })
  if (read.outcome === 'refused') return read.refusal
  const { request: token, code, approval_token: approvalToken } = read.values
  return { request: token, code, approvalToken }
}

/** What an approval token is tied to: the browser's session, or the key of a program that acts for its user. */
function sessionHashOf({ visitors }: Service, visit: Visit, identity: Identity): string {
  if (identity.via === 'user_api_key') return hashSecret(`user_api_key ${identity.key.id}`)
  if (identity.via === 'api_key') return hashSecret(`api_key ${identity.apiKey.id}`)
  return hashSecret(`session ${visitors.browserId(visit.request)}`)
}
