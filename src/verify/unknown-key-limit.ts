import { addressBucket } from '../domain/address.ts'
import { limitRefusal, type RateLimit } from '../domain/rate-limit.ts'
import type { Refusal } from '../protocol/errors.ts'
import type { Counted } from './request-limits.ts'

/**
 * Whether an address may have a key looked up that is not in memory, be there such a key or not: whoever has guessed too
 * often is refused without a look, and learns nothing by it. Nothing is counted, so that good keys which come together do
 * not hinder one another. Requests whose address is not known are not limited. Reason: `rate_limited`.
 */
export function checkUnknownKeys(counted: Counted, address: string | null): Refusal | undefined {
  if (counted.settings.current().disable_rate_limits || address === null) return undefined
  const limit = limitOf(counted.settings)
  const bucket = addressBucket(address)
  const decision = counted.limiter.take(limit, bucket)
  if (decision.outcome === 'limited') return limitRefusal(decision)
  counted.limiter.giveBack(limit, bucket)
  return undefined
}

/** Counts a key that was looked up and does not exist. */
export function countUnknownKey({ limiter, settings }: Counted, address: string | null): void {
  if (settings.current().disable_rate_limits || address === null) return
  limiter.take(limitOf(settings), addressBucket(address))
}

function limitOf(settings: Counted['settings']): RateLimit {
  const name = 'max_unknown_keys_per_ip_per_minute'
  return { name, max: settings.current()[name], windowMs: 60_000 }
}
