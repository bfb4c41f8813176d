/**
 * The standard's own device flow (RFC 8628), beside the protocol's and over the same requests, codes and pages. No
 * cookie is looked at, so no CSRF token is asked for; what a client sends is read from the body alone, because an
 * address ends up in logs.
 */
import { limitDeviceRequests, limitPollsFor, limitPollsFrom } from '../domain/device-limits.ts'
import { requestDevice } from '../domain/device-request.ts'
import { issueToken } from '../domain/device-token.ts'
import { deviceCodeGrantType, readDeviceAuthorization } from '../protocol/device-authorization.ts'
import { oauthPaths } from '../protocol/discovery.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { type ParameterSources, readParameters } from '../protocol/parameters.ts'
import { narrowedScopesField } from '../protocol/scope-parameters.ts'
import { json, oauthRefused } from './answer.ts'
import { readBasic } from './basic-authorization.ts'
import { answering, logStep, longestValue, tellCodes } from './device-step.ts'
import { type Call, originOf, type RouteOptions, type Router, routesOf, type Service } from './service.ts'
import type { Visit } from './visit.ts'

/** Adds the routes of RFC 8628. */
export function addOAuthRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)
  const options: RouteOptions = {
    who: 'unchecked',
    sealed: true,
    isOn: (settings) => settings.enable_oauth_device_flow,
    refuse: oauthRefused,
  }
  route('POST', oauthPaths.deviceAuthorization, options, answering(service, 'request', request, oauthRefused))
  route('POST', oauthPaths.token, options, answering(service, 'token', token, oauthRefused))
}

/** RFC 8628 §3.1 and §3.2. */
async function request(service: Service, call: Call): Promise<Response | Refusal> {
  const { domain } = service
  const { visit, sources } = call
  const limited = limitDeviceRequests(domain, visit.connection.remoteAddress)
  if (limited) return limited
  const read = readDeviceAuthorization(bodyAlone(visit, sources))
  if (read.outcome === 'refused') return read.refusal
  const outcome = await requestDevice(domain, { delivery: 'open', parameters: read.parameters })
  if (outcome.outcome === 'refused') return outcome.refusal
  // The link carries no user code, which must be typed all the same: whoever sends a link need not hold the device.
  return tellCodes(service, call, outcome, 'verification_uri_complete')
}

/** RFC 8628 §3.4 and §3.5. */
async function token(service: Service, call: Call): Promise<Response | Refusal> {
  const { domain } = service
  const { visit, sources } = call
  const address = visit.connection.remoteAddress
  const limited = limitPollsFrom(domain, address)
  if (limited) return limited
  const read = readParameters(bodyAlone(visit, sources), tokenSpecs)
  if (read.outcome === 'refused') return read.refusal
  const { grant_type: grantType, device_code: deviceCode, client_id: clientId } = read.values
  const missing = Object.entries({ grant_type: grantType, device_code: deviceCode, client_id: clientId })
    .filter(([, value]) => value === undefined)
    .map(([name]) => name)
  if (grantType !== undefined && grantType !== deviceCodeGrantType) {
    return refusal('grant_type_unsupported', { grant_type: grantType, expected: deviceCodeGrantType })
  }
  if (deviceCode === undefined || clientId === undefined || grantType === undefined) {
    const example = `grant_type=${deviceCodeGrantType}&device_code=DEVICE_CODE&client_id=CLIENT_ID`
    return refusal('parameters_missing', { missing: missing.join(', '), first: missing[0] ?? '', example })
  }
  const tooMany = limitPollsFor(domain, deviceCode)
  if (tooMany) return tooMany
  // Go's oauth2 package does not know at first how a site wants its clients to be named, and sends every poll twice.
  const form = visit.request.headers.has('authorization') ? 'header' : 'body'
  const outcome = await issueToken(domain, { deviceCode, clientId, form, ...originOf(visit) })
  if (outcome.outcome === 'refused') return outcome.refusal
  const { accessToken, expiresInSeconds, scopes } = outcome
  logStep(service, call, 'token', { outcome: outcome.outcome, access_token: accessToken })
  return json({
    access_token: accessToken,
    token_type: 'Bearer',
    ...(expiresInSeconds === undefined ? {} : { expires_in: expiresInSeconds }),
    // The client asked for the narrowing, so it knows not to take these for whole.
    scope: scopes.map(({ name }) => name).join(' '),
    ...narrowedScopesField(scopes),
  })
}

/** The client's id may stand in the `Authorization` header instead (RFC 6749 §2.3.1); whatever secret is beside it does not count. */
function bodyAlone({ request: { headers } }: Visit, { body }: ParameterSources): ParameterSources {
  const query = new URLSearchParams()
  const clientId = readBasic(headers.get('authorization'))?.name
  // What the body says wins.
  if (clientId !== undefined) query.set('client_id', clientId)
  return { query, body }
}

const tokenSpecs = {
  grant_type: { limit: 200 },
  device_code: { limit: longestValue },
  client_id: { limit: longestValue },
} as const
