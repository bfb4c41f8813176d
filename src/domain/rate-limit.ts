import { type Refusal, refusal } from '../protocol/errors.ts'

/** How often something may happen. */
export interface RateLimit {
  /** The limit's name, as the refusal gives it. A name always goes with the same window. */
  readonly name: string
  /** How many events fit in a window. */
  readonly max: number
  /** The window's length, in milliseconds. */
  readonly windowMs: number
}

/** What the limiter decided. `waitSeconds`: when the next event will be let in; at least 1. */
export type RateDecision =
  | { readonly outcome: 'allowed' }
  | { readonly outcome: 'limited'; readonly limit: RateLimit; readonly waitSeconds: number }

export interface RateLimiterOptions {
  /** How many callers each limit remembers for certain. Default 100,000; at most twice as many are in memory. */
  readonly callers?: number
  /** How many events each limit remembers for certain. Default 2,000,000; room for twice as many is in memory. */
  readonly events?: number
  /** Hears of each event that is not let in: the name of its limit. Default: nobody. */
  readonly onLimited?: (limit: string) => void
}

/**
 * Sliding windows in memory (protocol §10.3): the oldest event must leave the window before another is let in, and a
 * refused attempt is not counted.
 *
 * Memory is bounded, for each limit apart, so that a flood at one does not make another forget. An event takes 8
 * bytes and a caller about 250: with the defaults a limit holds 80 MB at the very worst. A key that uses up 2880
 * requests a day takes 32 KB of it. Past the bounds those callers are forgotten who were here longest ago; within them
 * every decision is exact.
 */
export class RateLimiter {
  readonly #clock: { now(): number }
  readonly #callers: number
  readonly #events: number
  readonly #onLimited: ((limit: string) => void) | undefined
  readonly #windows: Map<string, Window> = new Map()

  constructor(clock: { now(): number }, options: RateLimiterOptions = {}) {
    this.#clock = clock
    this.#callers = options.callers ?? 100_000
    this.#events = options.events ?? 2_000_000
    this.#onLimited = options.onLimited
  }

  /** Counts one event of `caller` against `limit`, unless the window is full. */
  take(limit: RateLimit, caller: string): RateDecision {
    const now = this.#clock.now()
    const window = this.#windowOf(limit, caller, now)
    const times = window.recent.get(caller) ?? readmit(window, caller)
    times.dropUntil(now - limit.windowMs)
    const blocking = times.fromNewest(limit.max)
    if (blocking !== undefined) {
      this.#onLimited?.(limit.name)
      return { outcome: 'limited', limit, waitSeconds: Math.ceil((blocking + limit.windowMs - now) / 1000) }
    }
    window.room += times.add(now)
    return allowed
  }

  /** Takes back the last event of `caller` that `limit` counted, if it is still in the window. */
  giveBack(limit: RateLimit, caller: string): void {
    const window = this.#windows.get(limit.name)
    const times = window?.recent.get(caller) ?? window?.earlier.get(caller)
    times?.dropNewest()
  }

  /**
   * Callers are kept in two generations. Whoever comes is moved to the recent one; when that is full, or a window's
   * length has passed, it becomes the earlier one, and what the earlier one still held is forgotten. After a window's
   * length that loses nothing, because nobody in it came within the window.
   */
  #windowOf({ name, windowMs }: RateLimit, caller: string, now: number): Window {
    let window = this.#windows.get(name)
    if (!window) {
      window = { recent: new Map(), earlier: new Map(), room: 0, since: now }
      this.#windows.set(name, window)
    }
    const { recent } = window
    const isFull =
      (recent.size >= this.#callers && !recent.has(caller)) ||
      // One caller alone may be allowed more than is otherwise remembered.
      (window.room >= this.#events && recent.size > 1)
    if (isFull || now - window.since >= windowMs) {
      window.earlier = recent
      window.recent = new Map()
      window.room = 0
      window.since = now
    }
    return window
  }
}

/** The refusal for a full window. `code`: what the header `Discourse-Rate-Limit-Error-Code` says, where there is one. */
export function limitRefusal(
  { limit, waitSeconds }: Extract<RateDecision, { outcome: 'limited' }>,
  code?: string,
): Refusal {
  const plain = { limit: limit.name, wait_seconds: waitSeconds, time_left: waitingTime(waitSeconds) }
  const details = code === undefined ? plain : { ...plain, code }
  return refusal('rate_limited', details)
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

const allowed: RateDecision = { outcome: 'allowed' }

/** What is remembered for one limit. */
interface Window {
  recent: Map<string, Times>
  earlier: Map<string, Times>
  /** How many events the recent generation has room for. */
  room: number
  /** When the recent generation began. */
  since: number
}

/** Puts a caller into the recent generation, with what the earlier one remembers. */
function readmit(window: Window, caller: string): Times {
  const times = window.earlier.get(caller) ?? new Times()
  window.earlier.delete(caller)
  window.recent.set(caller, times)
  window.room += times.room
  return times
}

/** The times of one caller's events, oldest first, in a ring that doubles when it is full. */
class Times {
  #ring: number[] = [0]
  #first = 0
  #count = 0

  get room(): number {
    return this.#ring.length
  }

  /** The time of the `nth` event counted back from the newest, which is the first; undefined when there are fewer. */
  fromNewest(nth: number): number | undefined {
    return nth > this.#count ? undefined : this.#ring[this.#at(this.#count - nth)]
  }

  /** Forgets the events at `time` and before it. */
  dropUntil(time: number): void {
    while (this.#count > 0 && (this.#ring[this.#first] ?? 0) <= time) {
      this.#first = this.#at(1)
      this.#count -= 1
    }
  }

  dropNewest(): void {
    if (this.#count > 0) this.#count -= 1
  }

  /** Adds an event; answers with how much room was added for it. */
  add(time: number): number {
    const grown = this.#count === this.#ring.length ? this.#grow() : 0
    this.#ring[this.#at(this.#count)] = time
    this.#count += 1
    return grown
  }

  #grow(): number {
    const before = this.#ring.length
    const inOrder = [...this.#ring.slice(this.#first), ...this.#ring.slice(0, this.#first)]
    this.#ring = inOrder.concat(new Array<number>(before).fill(0))
    this.#first = 0
    return before
  }

  #at(offset: number): number {
    return (this.#first + offset) % this.#ring.length
  }
}
