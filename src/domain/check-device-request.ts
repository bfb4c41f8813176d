/** What makes a device request acceptable now: asked when it is made, and whenever somebody looks at it or decides on it. */
import { checkDeviceAuthorization } from '../protocol/device-authorization.ts'
import {
  checkDeviceRequest,
  type DeviceParameters,
  type DeviceRequest,
  type RequestedKey,
  readDeviceParameters,
} from '../protocol/device-request.ts'
import type { Refusal } from '../protocol/errors.ts'
import { findClient } from './authorize.ts'
import type { Domain } from './ports.ts'
import type { DeviceRequestRecord } from './store.ts'

/** How a request's key is to be delivered, and what else it asks for, as it came. */
export interface DeviceAsk {
  readonly delivery: DeviceRequestRecord['delivery']
  readonly parameters: DeviceParameters
}

/** A request that can be granted as it stands, or why it cannot. */
export type CheckedAsk =
  | { readonly outcome: 'accepted'; readonly delivery: 'sealed'; readonly request: DeviceRequest }
  | { readonly outcome: 'accepted'; readonly delivery: 'open'; readonly request: RequestedKey }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }

/** Checks a request. Reasons: those of `checkDeviceRequest`, or of `checkDeviceAuthorization`. */
export async function checkAsk(domain: Domain, { delivery, parameters }: DeviceAsk): Promise<CheckedAsk> {
  const client = await findClient(domain.store, parameters.clientId)
  const context = { client, settings: domain.settings.current(), scopes: domain.scopes }
  if (delivery === 'open') {
    const checked = checkDeviceAuthorization(parameters, context)
    return checked.outcome === 'refused' ? checked : { ...checked, delivery }
  }
  const checked = checkDeviceRequest(parameters, context)
  return checked.outcome === 'refused' ? checked : { ...checked, delivery }
}

/** Checks a kept request against the settings and the client of today. Reasons: as `checkAsk`. */
export async function checkAgain(
  domain: Domain,
  { delivery, parameters }: DeviceRequestRecord,
): Promise<CheckedAsk> {
  const read = readDeviceParameters({ query: new URLSearchParams(parameters) })
  return read.outcome === 'refused' ? read : checkAsk(domain, { delivery, parameters: read.parameters })
}
