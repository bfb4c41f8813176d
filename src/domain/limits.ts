import type { Refusal } from '../protocol/errors.ts'
import type { Settings } from '../protocol/settings.ts'
import type { Domain } from './ports.ts'
import { limitRefusal, type RateLimit } from './rate-limit.ts'

/** The settings that can be a limit. */
export type LimitName = {
  [Name in keyof Settings]: Settings[Name] extends number ? Name : never
}[keyof Settings]

/** A setting that says how often something may happen, and in how long. */
export interface NamedWindow {
  readonly name: LimitName
  readonly windowMs: number
}

/** What limits are counted by. */
export type Limited = Pick<Domain, 'limiter' | 'settings'>

export function perMinute(name: LimitName): NamedWindow {
  return { name, windowMs: 60_000 }
}

export function perHour(name: LimitName): NamedWindow {
  return { name, windowMs: 3_600_000 }
}

export function perDay(name: LimitName): NamedWindow {
  return { name, windowMs: 86_400_000 }
}

/**
 * Counts one event against each limit in turn, of the bucket beside it; answers with the refusal of the first that is
 * full. Nothing is counted while `disable_rate_limits` is on. Reason: `rate_limited`.
 */
export function countAgainst(
  { limiter, settings }: Limited,
  counts: readonly (readonly [window: NamedWindow, bucket: string])[],
): Refusal | undefined {
  const current = settings.current()
  if (current.disable_rate_limits) return undefined
  for (const [{ name, windowMs }, bucket] of counts) {
    const limit: RateLimit = { name, max: current[name], windowMs }
    const decision = limiter.take(limit, bucket)
    if (decision.outcome === 'limited') return limitRefusal(decision)
  }
  return undefined
}
