/** The limits that every request is held against (protocol §10.2, §10.3). Each answers with the refusal, if there is one. */
import { addressBucket } from '../domain/address.ts'
import type { LimitName } from '../domain/limits.ts'
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
 * minute. Reasons: `rate_limited`, `limits_unavailable`.
 */
export function limitUserApiKey({ limiter, settings }: Counted, keyHash: string): Refusal | undefined {
  const current = settings.current()
  if (current.disable_rate_limits) return undefined
  const { keyMinute, keyDay } = limitsOf(current)
  const now = limiter.now()
  const inMinute = limiter.take(keyMinute, keyHash, now)
  if (inMinute.outcome === 'limited') return limitRefusal(inMinute, 'user_api_key_limiter_60_secs')
  const inDay = limiter.take(keyDay, keyHash, now)
  return inDay.outcome === 'limited' ? limitRefusal(inDay, 'user_api_key_limiter_1_day') : undefined
}

/**
 * Counts a request of an address, whoever it says it is. Requests whose address is not known are not counted: all
 * of them together would share one limit. Reasons: `rate_limited`, `limits_unavailable`.
 */
export function limitAddress({ limiter, settings }: Counted, address: string | null): Refusal | undefined {
  const current = settings.current()
  if (current.disable_rate_limits || address === null) return undefined
  const { addressShortly, addressMinute } = limitsOf(current)
  const bucket = addressBucket(address)
  const now = limiter.now()
  const shortly = limiter.take(addressShortly, bucket, now)
  if (shortly.outcome === 'limited') return limitRefusal(shortly, 'ip_10_secs_limit')
  const inMinute = limiter.take(addressMinute, bucket, now)
  return inMinute.outcome === 'limited' ? limitRefusal(inMinute, 'ip_60_secs_limit') : undefined
}

/** Takes back what {@link limitAddress} counted: a request with an API key counts for the site alone. */
export function giveBackAddress({ limiter, settings }: Counted, address: string | null): void {
  const current = settings.current()
  if (current.disable_rate_limits || address === null) return
  const { addressShortly, addressMinute } = limitsOf(current)
  const bucket = addressBucket(address)
  limiter.giveBack(addressShortly, bucket)
  limiter.giveBack(addressMinute, bucket)
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
  if (decision.outcome === 'allowed') return undefined
  return decision.unshared ? limitRefusal(decision) : refusal('session_cookie_invalid')
}

/** The limits of every request, as the settings have them. */
interface RequestLimits {
  readonly keyMinute: RateLimit
  readonly keyDay: RateLimit
  readonly addressShortly: RateLimit
  readonly addressMinute: RateLimit
}

const known = new WeakMap<Settings, RequestLimits>()

/** Made once for each state of the settings: every request asks for them. */
function limitsOf(settings: Settings): RequestLimits {
  const before = known.get(settings)
  if (before) return before
  const limit = (name: LimitName, windowMs: number): RateLimit => ({ name, max: settings[name], windowMs })
  const limits: RequestLimits = {
    keyMinute: limit('max_user_api_reqs_per_minute', minuteMs),
    keyDay: limit('max_user_api_reqs_per_day', dayMs),
    addressShortly: limit('max_reqs_per_ip_per_10_seconds', 10_000),
    addressMinute: limit('max_reqs_per_ip_per_minute', minuteMs),
  }
  known.set(settings, limits)
  return limits
}
