/** What both halves of the device flow's routes share. */
import { logDeviceStep } from '../domain/device-log.ts'
import type { DeviceCodes } from '../domain/device-request.ts'
import type { LogFact } from '../domain/ports.ts'
import { activationPath } from '../pages/paths.ts'
import { devicePollIntervalSeconds, deviceRequestLifetimeSeconds } from '../protocol/device-request.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { readParameters } from '../protocol/parameters.ts'
import { narrowedScopesField } from '../protocol/scope-parameters.ts'
import { json, refused } from './answer.ts'
import type { Call, Service } from './service.ts'

/** A step of the device flow: an answer, or why there is none. */
export type Step = (service: Service, call: Call) => Promise<Response | Refusal>

/** The handler of a step, which puts its refusals into words and into the log. `name` is the step's there. */
export function answering(
  service: Service,
  name: string,
  step: Step,
  refuse: typeof refused = refused,
): (call: Call) => Promise<Response> {
  return async (call) => {
    const answer = await step(service, call)
    if (!('reason' in answer)) return answer
    logStep(service, call, name, { outcome: 'refused', reason: answer.reason })
    return refuse(call.visit, answer, service.domain.settings.current().title)
  }
}

/** Writes to the log how a step went, with the parameters that it came with. A refusal is the handler's to write. */
export function logStep(
  { domain }: Service,
  { visit, identity, sources }: Call,
  step: string,
  facts: Readonly<Record<string, LogFact>>,
): void {
  const sent = Object.entries(logged).flatMap(([parameter, fact]) => {
    const read = readParameters(sources, {
      [parameter]: { limit: longestValue, digits: true, list: true, json: true },
    })
    return read.outcome === 'read' ? [[fact, read.values[parameter]]] : []
  })
  logDeviceStep(domain, step, {
    address: visit.connection.remoteAddress,
    user_id: identity?.user.id,
    ...Object.fromEntries(sent),
    ...facts,
  })
}

/** The answer to a request just made, and its line in the log. `linkName`: what the answer calls the activation link. */
export function tellCodes(
  service: Service,
  call: Call,
  { outcome, deviceCode, userCode, requestToken, granted }: DeviceCodes,
  linkName: string,
): Response {
  const codes = { device_code: deviceCode, user_code: userCode }
  logStep(service, call, 'request', { outcome, ...codes, request_token: requestToken })
  const address = service.baseUrl(call.visit) + activationPath
  return json({
    ...codes,
    verification_uri: address,
    [linkName]: `${address}?request=${requestToken}`,
    expires_in: deviceRequestLifetimeSeconds,
    interval: devicePollIntervalSeconds,
    ...narrowedScopesField(granted),
  })
}

/** The parameters of all steps, and what the log calls them. */
const logged: Readonly<Record<string, string>> = {
  client_id: 'client_id',
  application_name: 'application_name',
  scopes: 'scopes',
  scope: 'scopes',
  scope_parameters: 'scope_parameters',
  padding: 'padding',
  expires_in_seconds: 'expires_in_seconds',
  push_url: 'push_url',
  grant_type: 'grant_type',
  nonce: 'nonce',
  public_key: 'public_key',
  device_code: 'device_code',
  code: 'user_code',
  request: 'request_token',
  approval_token: 'approval_token',
}

/** The longest value of a code or a token that is read, in bytes: as long as a body may be. A wrong one is answered as such. */
export const longestValue = 65_536

/** The refusal of a step that lacks what it is about. */
export function missing(name: string, example: string): Refusal {
  return refusal('parameters_missing', { missing: name, first: name, example })
}
