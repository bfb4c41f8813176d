/** How often something may happen. */
export interface RateLimit {
  /** The limit's name, as the refusal gives it. */
  readonly name: string
  /** How many events fit in a window. */
  readonly max: number
  /** The window's length, in milliseconds. */
  readonly windowMs: number
}

/** What the limiter decided. */
export type RateDecision =
  | { readonly outcome: 'allowed' }
  | { readonly outcome: 'limited'; readonly limit: RateLimit; readonly waitSeconds: number }

/**
 * Sliding windows in memory (protocol §10.3): the oldest event must leave the window before another is let in, and a
 * refused attempt is not counted. Memory is bounded: a bucket holds at most `max` times, and past `maximumBuckets` the
 * bucket that was used longest ago is dropped.
 */
export class RateLimiter {
  readonly #clock: { now(): number }
  readonly #maximumBuckets: number
  readonly #buckets: Map<string, number[]> = new Map()

  /** `maximumBuckets`: how many callers are remembered at once. Default 100,000. */
  constructor(clock: { now(): number }, maximumBuckets = 100_000) {
    this.#clock = clock
    this.#maximumBuckets = maximumBuckets
  }

  /** Counts one event of `key` against `limit`, unless the window is full. */
  take(limit: RateLimit, key: string): RateDecision {
    const now = this.#clock.now()
    const bucketKey = `${limit.name}\0${key}`
    const times = (this.#buckets.get(bucketKey) ?? []).filter((time) => time > now - limit.windowMs)
    const oldest = times[times.length - limit.max]
    if (oldest !== undefined) {
      this.#remember(bucketKey, times)
      return { outcome: 'limited', limit, waitSeconds: Math.ceil((oldest + limit.windowMs - now) / 1000) }
    }
    times.push(now)
    this.#remember(bucketKey, times)
    return { outcome: 'allowed' }
  }

  #remember(bucketKey: string, times: number[]): void {
    // Deleting first moves the bucket to the end of the Map's order, which thereby is the order of last use.
    this.#buckets.delete(bucketKey)
    this.#buckets.set(bucketKey, times)
    if (this.#buckets.size > this.#maximumBuckets) {
      const oldest = this.#buckets.keys().next()
      if (!oldest.done) this.#buckets.delete(oldest.value)
    }
  }
}

/** A waiting time for people to read: `1 minute`, `25 seconds`, `3 hours`. */
export function waitingTime(seconds: number): string {
  const [count, unit] =
    seconds < 60
      ? [seconds, 'second']
      : seconds < 3600
        ? [Math.ceil(seconds / 60), 'minute']
        : [Math.ceil(seconds / 3600), 'hour']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
