/** How often the device flow's steps may be taken (protocol §5.7). Each answers with the refusal, if there is one. */
import type { Refusal } from '../protocol/errors.ts'
import type { Settings } from '../protocol/settings.ts'
import { hashSecret } from './key-text.ts'
import type { Domain } from './ports.ts'
import { limitRefusal, type RateLimit } from './rate-limit.ts'
import type { User } from './user.ts'

/** What limits are counted by. */
export type Limited = Pick<Domain, 'limiter' | 'settings'>

type LimitName = Extract<keyof Settings, `max_device_${string}`>

const minuteMs = 60_000
const hourMs = 3_600_000

/** Counts a device request from an address; null when the address is unknown. Reason: `rate_limited`. */
export function limitDeviceRequests(domain: Limited, address: string | null): Refusal | undefined {
  return take(domain, [[perMinute('max_device_requests_per_minute'), `address ${address}`]])
}

/** Counts a poll from an address. Reason: `rate_limited`. */
export function limitPollsFrom(domain: Limited, address: string | null): Refusal | undefined {
  return take(domain, [[perMinute('max_device_polls_per_minute'), `address ${address}`]])
}

/** Counts a poll for a device code. Reason: `rate_limited`. */
export function limitPollsFor(domain: Limited, deviceCode: string): Refusal | undefined {
  return take(domain, [[perMinute('max_device_polls_per_minute'), `code ${hashSecret(deviceCode)}`]])
}

/** Counts a typed user code; undefined stands for all that have not the form of one. Reason: `rate_limited`. */
export function limitCodeAttempts(
  domain: Limited,
  address: string | null,
  user: User,
  code: string | undefined,
): Refusal | undefined {
  const limit = perMinute('max_device_code_attempts_per_minute')
  return take(domain, [
    [perHour('max_device_code_attempts_per_hour'), `address ${address}`],
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
  return take(domain, [
    [perHour('max_device_link_lookups_per_hour'), `address ${address}`],
    [limit, `user ${user.id}`],
    [limit, `token ${token ?? ''}`],
  ])
}

interface NamedWindow {
  readonly name: LimitName
  readonly windowMs: number
}

function perMinute(name: LimitName): NamedWindow {
  return { name, windowMs: minuteMs }
}

function perHour(name: LimitName): NamedWindow {
  return { name, windowMs: hourMs }
}

function take(
  { limiter, settings }: Limited,
  counts: readonly (readonly [NamedWindow, string])[],
): Refusal | undefined {
  const current = settings.current()
  if (current.disable_rate_limits) return undefined
  for (const [{ name, windowMs }, key] of counts) {
    const limit: RateLimit = { name, max: current[name], windowMs }
    const decision = limiter.take(limit, key)
    if (decision.outcome === 'limited') return limitRefusal(decision)
  }
  return undefined
}
