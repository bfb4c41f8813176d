/**
 * The app's half of the device flow (protocol §5): an app without a browser asks, shows its user a code, and polls until
 * they have decided. Requests are kept in the store, so that they outlive a restart; none of their codes is.
 */
import {
  deviceRequestLifetimeSeconds,
  isDeviceCode,
  serializeDeviceParameters,
} from '../protocol/device-request.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { grantsOf } from '../protocol/scope-parameters.ts'
import { checkAsk, type DeviceAsk } from './check-device-request.ts'
import { hashSecret, newDeviceCode, newRequestToken, newUserCode } from './key-text.ts'
import type { Domain } from './ports.ts'
import { type GrantedScope, UniqueViolation } from './store.ts'

/** The codes of a new device request: their texts, told once. */
export interface DeviceCodes {
  readonly outcome: 'requested'
  readonly deviceCode: string
  /** `XXXX-XXXX`. */
  readonly userCode: string
  readonly requestToken: string
  /** What the key will have, so that an app can see that its narrowing was understood. */
  readonly granted: readonly GrantedScope[]
}

/** The answer to a poll (protocol §5.6). */
export type PollAnswer =
  | { readonly status: 'authorization_pending' | 'access_denied' | 'expired_token' }
  | { readonly status: 'authorized'; readonly payload: string }

/** How often new codes are tried when they are taken (protocol §5.1). */
const codeAttempts = 20

/**
 * Keeps a request that has passed every check. Reasons: those of `checkAsk`, and `device_codes_exhausted`.
 * Nothing is stored when it is refused.
 */
export async function requestDevice(
  domain: Domain,
  ask: DeviceAsk,
): Promise<DeviceCodes | { readonly outcome: 'refused'; readonly refusal: Refusal }> {
  const checked = await checkAsk(domain, ask)
  if (checked.outcome === 'refused') return checked
  const { expiresInSeconds, scopes, scopeParameters } = checked.request
  const createdAt = domain.clock.now()
  for (let attempt = 0; attempt < codeAttempts; attempt += 1) {
    const deviceCode = newDeviceCode(domain.random)
    const userCode = newUserCode(domain.random)
    const requestToken = newRequestToken(domain.random)
    try {
      await domain.store.deviceRequests.insert({
        deviceCodeHash: deviceCode.hash,
        userCodeHash: userCode.hash,
        requestTokenHash: requestToken.hash,
        delivery: ask.delivery,
        parameters: serializeDeviceParameters(ask.parameters),
        keyExpiresAt: expiresInSeconds === undefined ? null : createdAt + expiresInSeconds * 1000,
        createdAt,
        expiresAt: createdAt + deviceRequestLifetimeSeconds * 1000,
      })
    } catch (error) {
      if (error instanceof UniqueViolation) continue
      throw error
    }
    return {
      outcome: 'requested',
      deviceCode: deviceCode.text,
      userCode: userCode.text,
      requestToken: requestToken.text,
      granted: grantsOf(scopes, scopeParameters),
    }
  }
  return { outcome: 'refused', refusal: refusal('device_codes_exhausted') }
}

/** Answers a poll. However many come at once, the payload is in one answer, which deletes the request. */
export async function pollDevice(domain: Domain, deviceCode: string): Promise<PollAnswer> {
  if (!isDeviceCode(deviceCode)) return { status: 'expired_token' }
  const { deviceRequests } = domain.store
  const hash = hashSecret(deviceCode)
  const now = domain.clock.now()
  const record = await deviceRequests.find(hash)
  if (record?.delivery !== 'sealed' || record.expiresAt <= now) return { status: 'expired_token' }
  if (record.status === 'denied') return { status: 'access_denied' }
  if (record.status === 'pending') return { status: 'authorization_pending' }
  const payload = (await deviceRequests.take(hash, now))?.payload ?? undefined
  return payload === undefined ? { status: 'expired_token' } : { status: 'authorized', payload }
}
