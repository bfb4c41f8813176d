/** What makes a device request acceptable now: asked when it is made, and whenever somebody looks at it or decides on it. */
import {
  checkDeviceRequest,
  type DeviceParameters,
  readDeviceParameters,
} from '../protocol/device-request.ts'
import { findClient } from './authorize.ts'
import type { Domain } from './ports.ts'
import type { DeviceRequestRecord } from './store.ts'

/** Checks the parameters of a request. Reasons: those of `checkDeviceRequest`. */
export async function checkParameters(
  domain: Domain,
  parameters: DeviceParameters,
): Promise<ReturnType<typeof checkDeviceRequest>> {
  const client = await findClient(domain.store, parameters.clientId)
  return checkDeviceRequest(parameters, {
    client,
    settings: domain.settings.current(),
    scopes: domain.scopes,
  })
}

/** Checks a kept request against the settings and the client of today. Reasons: those of `checkDeviceRequest`. */
export async function checkAgain(
  domain: Domain,
  record: DeviceRequestRecord,
): Promise<ReturnType<typeof checkDeviceRequest>> {
  const read = readDeviceParameters({ query: new URLSearchParams(record.parameters) })
  return read.outcome === 'refused' ? read : checkParameters(domain, read.parameters)
}
