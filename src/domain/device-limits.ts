/** How often the device flow's steps may be taken (protocol §5.7). Each answers with the refusal, if there is one. */
import type { Refusal } from '../protocol/errors.ts'
import { addressBucket } from './address.ts'
import { hashSecret } from './key-text.ts'
import { countAgainst, type Limited, perHour, perMinute } from './limits.ts'
import type { User } from './user.ts'

/** Counts a device request from an address; null when the address is unknown. Reason: `rate_limited`. */
export function limitDeviceRequests(domain: Limited, address: string | null): Refusal | undefined {
  return countAgainst(domain, [
    [perMinute('max_device_requests_per_minute'), `address ${addressBucket(address)}`],
  ])
}

/** Counts a poll from an address. Reason: `rate_limited`. */
export function limitPollsFrom(domain: Limited, address: string | null): Refusal | undefined {
  return countAgainst(domain, [
    [perMinute('max_device_polls_per_minute'), `address ${addressBucket(address)}`],
  ])
}

/** Counts a poll for a device code. Reason: `rate_limited`. */
export function limitPollsFor(domain: Limited, deviceCode: string): Refusal | undefined {
  return countAgainst(domain, [[perMinute('max_device_polls_per_minute'), `code ${hashSecret(deviceCode)}`]])
}

/** Counts a typed user code; undefined stands for all that have not the form of one. Reason: `rate_limited`. */
export function limitCodeAttempts(
  domain: Limited,
  address: string | null,
  user: User,
  code: string | undefined,
): Refusal | undefined {
  const limit = perMinute('max_device_code_attempts_per_minute')
  return countAgainst(domain, [
    [perHour('max_device_code_attempts_per_hour'), `address ${addressBucket(address)}`],
    [limit, `user ${user.id}`],
    [limit, `code ${code ?? ''}`],
  ])
}

/** Counts a look at a request link; undefined stands for all tokens that have not the form of one. Reason: `rate_limited`. */
export function limitLookups(
  domain: Limited,
  address: string | null,
  user: User,
  token: string | undefined,
): Refusal | undefined {
  const limit = perMinute('max_device_link_lookups_per_minute')
  return countAgainst(domain, [
    [perHour('max_device_link_lookups_per_hour'), `address ${addressBucket(address)}`],
    [limit, `user ${user.id}`],
    [limit, `token ${token ?? ''}`],
  ])
}
