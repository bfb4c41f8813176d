/** The limits that every request is held against (protocol §10.2, §10.3). Each answers with the refusal, if there is one. */
import { addressBucket } from '../domain/address.ts'
import type { Domain } from '../domain/ports.ts'
import { limitRefusal, type RateLimit } from '../domain/rate-limit.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import type { Settings } from '../protocol/settings.ts'

/** What limits are counted by. */
export type Counted = Pick<Domain, 'limiter' | 'settings'>

const minuteMs = 60_000
const dayMs = 86_400_000

/**
 * Counts a request of a key, in its minute and then in its day. A request that the day refuses stays counted in the
 * minute. Reason: `rate_limited`.
 */
export function limitUserApiKey(counted: Counted, keyHash: string): Refusal | undefined {
  const settings = counted.settings.current()
  if (settings.disable_rate_limits) return undefined
  return (
    take(counted, perMinute(settings), keyHash, 'user_api_key_limiter_60_secs') ??
    take(counted, perDay(settings), keyHash, 'user_api_key_limiter_1_day')
  )
}

/**
 * Counts a request of an address, whoever it says it is. Requests whose address is not known are not counted: all
 * of them together would share one limit. Reason: `rate_limited`.
 */
export function limitAddress(counted: Counted, address: string | null): Refusal | undefined {
  const settings = counted.settings.current()
  if (settings.disable_rate_limits || address === null) return undefined
  const bucket = addressBucket(address)
  return (
    take(counted, perAddressShortly(settings), bucket, 'ip_10_secs_limit') ??
    take(counted, perAddressMinute(settings), bucket, 'ip_60_secs_limit')
  )
}

/** Takes back what {@link limitAddress} counted: a request with an API key counts for the site alone. */
export function giveBackAddress(counted: Counted, address: string | null): void {
  const settings = counted.settings.current()
  if (settings.disable_rate_limits || address === null) return
  const bucket = addressBucket(address)
  counted.limiter.giveBack(perAddressShortly(settings), bucket)
  counted.limiter.giveBack(perAddressMinute(settings), bucket)
}

/**
 * Counts a session cookie that leads to nobody: whoever tries many is guessing. Reason: `session_cookie_invalid`,
 * whose answer deletes the cookie.
 */
export function limitBadSessions(
  { limiter, settings }: Counted,
  address: string | null,
): Refusal | undefined {
  const { disable_rate_limits: isOff, max_bad_session_cookies_per_minute: max } = settings.current()
  if (isOff) return undefined
  const limit = { name: 'max_bad_session_cookies_per_minute', max, windowMs: minuteMs }
  const decision = limiter.take(limit, addressBucket(address))
  return decision.outcome === 'limited' ? refusal('session_cookie_invalid') : undefined
}

function take({ limiter }: Counted, limit: RateLimit, caller: string, code: string): Refusal | undefined {
  const decision = limiter.take(limit, caller)
  return decision.outcome === 'limited' ? limitRefusal(decision, code) : undefined
}

function perMinute({ max_user_api_reqs_per_minute: max }: Settings): RateLimit {
  return { name: 'max_user_api_reqs_per_minute', max, windowMs: minuteMs }
}

function perDay({ max_user_api_reqs_per_day: max }: Settings): RateLimit {
  return { name: 'max_user_api_reqs_per_day', max, windowMs: dayMs }
}

function perAddressShortly({ max_reqs_per_ip_per_10_seconds: max }: Settings): RateLimit {
  return { name: 'max_reqs_per_ip_per_10_seconds', max, windowMs: 10_000 }
}

function perAddressMinute({ max_reqs_per_ip_per_minute: max }: Settings): RateLimit {
  return { name: 'max_reqs_per_ip_per_minute', max, windowMs: minuteMs }
}
