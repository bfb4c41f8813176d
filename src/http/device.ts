/** The app's half of the device flow (protocol §5.2, §5.6): two routes, which speak JSON only. */
import { limitDeviceRequests, limitPollsFor, limitPollsFrom } from '../domain/device-limits.ts'
import { pollDevice, requestDevice } from '../domain/device-request.ts'
import { readDeviceParameters } from '../protocol/device-request.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { readParameters } from '../protocol/parameters.ts'
import { json } from './answer.ts'
import { answering, logStep, longestValue, missing, tellCodes } from './device-step.ts'
import { type Call, type Router, routesOf, type Service } from './service.ts'
import type { Visit } from './visit.ts'

/** Adds the routes that apps call. */
export function addDeviceRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)
  // No cookie is looked at here, so no CSRF token is asked for.
  route(
    'POST',
    '/user-api-key/device',
    { who: 'unchecked', sealed: true },
    answering(service, 'request', request),
  )
  route(
    'POST',
    '/user-api-key/device/poll',
    { who: 'unchecked', sealed: true },
    answering(service, 'poll', poll),
  )
}

async function request(service: Service, call: Call): Promise<Response | Refusal> {
  const { domain } = service
  const { visit, sources } = call
  const problem = jsonOnly(visit) ?? limitDeviceRequests(domain, visit.connection.remoteAddress)
  if (problem) return problem
  const read = readDeviceParameters(sources)
  if (read.outcome === 'refused') return read.refusal
  const outcome = await requestDevice(domain, { delivery: 'sealed', parameters: read.parameters })
  if (outcome.outcome === 'refused') return outcome.refusal
  return tellCodes(service, call, outcome, 'verification_uri_with_request')
}

async function poll(service: Service, call: Call): Promise<Response | Refusal> {
  const { domain } = service
  const { visit, sources } = call
  const problem = jsonOnly(visit) ?? limitPollsFrom(domain, visit.connection.remoteAddress)
  if (problem) return problem
  const read = readParameters(sources, { device_code: { limit: longestValue } })
  if (read.outcome === 'refused') return read.refusal
  const { device_code: deviceCode } = read.values
  if (deviceCode === undefined) return missing('device_code', '{"device_code":"DEVICE_CODE"}')
  const limited = limitPollsFor(domain, deviceCode)
  if (limited) return limited
  const answer = await pollDevice(domain, deviceCode)
  const { status, ...delivered } = answer
  logStep(service, call, 'poll', { outcome: status, ...delivered })
  return json(answer)
}

/** Both ways: what comes in must say that it is JSON, and what goes out must be wanted as JSON (protocol §5.2). */
function jsonOnly({ request: { headers }, route, asksForJson }: Visit): Refusal | undefined {
  const type = (headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  return asksForJson && /[/+]json$/.test(type) ? undefined : refusal('json_required', { path: route.path })
}
