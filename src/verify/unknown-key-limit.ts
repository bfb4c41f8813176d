import { addressBucket } from '../domain/address.ts'
import { limitRefusal, type RateLimit } from '../domain/rate-limit.ts'
import type { Refusal } from '../protocol/errors.ts'
import type { Counted } from './request-limits.ts'

/**
 * Counts a look at the store for a key that nobody knows yet, before it is known whether there is one: whoever has guessed
 * too often is refused without a look, and learns nothing by it. Requests whose address is not known are not counted.
 * Reason: `rate_limited`.
 */
export function countUnknownKey({ limiter, settings }: Counted, address: string | null): Refusal | undefined {
  if (settings.current().disable_rate_limits || address === null) return undefined
  const decision = limiter.take(limitOf(settings), addressBucket(address))
  return decision.outcome === 'limited' ? limitRefusal(decision) : undefined
}

/** Takes back what {@link countUnknownKey} counted: there is such a key. */
export function giveBackUnknownKey({ limiter, settings }: Counted, address: string | null): void {
  if (settings.current().disable_rate_limits || address === null) return
  limiter.giveBack(limitOf(settings), addressBucket(address))
}

function limitOf(settings: Counted['settings']): RateLimit {
  const name = 'max_unknown_keys_per_ip_per_minute'
  return { name, max: settings.current()[name], windowMs: 60_000 }
}
