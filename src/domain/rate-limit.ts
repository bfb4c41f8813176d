import { type Refusal, refusal } from '../protocol/errors.ts'
import { EventTimes } from './event-times.ts'
import type { LetIn, LimitBatch, RecalledPart, RecallQuestion } from './limit-exchange.ts'

/** How often something may happen. */
export interface RateLimit {
  /** The limit's name, as the refusal gives it. A name always goes with the same window. */
  readonly name: string
  /** How many events fit in a window. */
  readonly max: number
  /** The window's length, in milliseconds. */
  readonly windowMs: number
}

/**
 * What the limiter decided. `waitSeconds`: when the next event will be let in; at least 1. `unshared`: not because the
 * window is full, but because what other nodes let in is not known and must be.
 */
export type RateDecision =
  | { readonly outcome: 'allowed' }
  | {
      readonly outcome: 'limited'
      readonly limit: RateLimit
      readonly waitSeconds: number
      readonly unshared?: true
    }

export interface RateLimiterOptions {
  /** How many callers each limit remembers for certain. Default 100,000; at most twice as many are in memory. */
  readonly callers?: number
  /** How many events each limit remembers for certain. Default 2,000,000; room for twice as many is in memory. */
  readonly events?: number
  /** Hears of each event that is not let in: the name of its limit. Default: nobody. */
  readonly onLimited?: (limit: string) => void
}

/** How a limiter counts together with those of other nodes. */
export interface SharingOptions {
  /** What all nodes know a caller by. */
  readonly idOf: (caller: string) => string
  /** Windows longer than this, in milliseconds, are not whole for a caller who is new here: `newcomers` has them. */
  readonly heardMs: number
}

/** How many callers of one limit wait to be told of, or asked about. Whoever comes again once there is room is then told of whole. */
const longestList = 10_000

/** More than one node lets in during an exchange; what claims to be more is not believed. */
const mostAtOnce = 100_000

/** Into how many parts the window of a caller is laid for a node that is new. */
const partsOfWindow = 60

/**
 * Sliding windows in memory (protocol §10.3): the oldest event must leave the window before another is let in, and a
 * refused attempt is not counted.
 *
 * Memory is bounded, for each limit apart, so that a flood at one does not make another forget. An event takes 8
 * bytes and a caller about 250, or 350 where limits are shared: with the defaults a limit holds 100 MB at the very
 * worst. A key that uses up 2880 requests a day takes 32 KB of it. Past the bounds those callers are forgotten who were
 * here longest ago; within them every decision is exact.
 *
 * Several nodes count together by telling one another what they let in (`share`, `untold`, `countElsewhere`). No
 * decision waits for that.
 */
export class RateLimiter {
  readonly #clock: { now(): number }
  readonly #callers: number
  readonly #events: number
  readonly #onLimited: ((limit: string) => void) | undefined
  readonly #windows: Map<string, Window> = new Map()
  #sharing: SharingOptions | undefined
  /** How far the clock has been put back since the start, in milliseconds: time goes on from where it was. */
  #putBack = 0
  #latest = Number.NEGATIVE_INFINITY
  /** While true nothing is let in. For nodes that must not count alone. */
  isClosed = false

  constructor(clock: { now(): number }, options: RateLimiterOptions = {}) {
    this.#clock = clock
    this.#callers = options.callers ?? 100_000
    this.#events = options.events ?? 2_000_000
    this.#onLimited = options.onLimited
  }

  /** The time that windows go by: the clock's, but never back. In milliseconds since the Unix epoch. */
  now(): number {
    const now = this.#clock.now() + this.#putBack
    if (now >= this.#latest) {
      this.#latest = now
      return now
    }
    this.#putBack += this.#latest - now
    return this.#latest
  }

  /**
   * Counts one event of `caller` against `limit`, unless the window is full. `now`: what `now()` answered a moment ago,
   * for whoever takes several at once.
   */
  take(limit: RateLimit, caller: string, now: number = this.now()): RateDecision {
    if (this.isClosed) return { outcome: 'limited', limit, waitSeconds: 1, unshared: true }
    const window = this.#windowOf(limit.name, limit.windowMs, now)
    const times = window.recent.get(caller) ?? this.#admit(window, caller, now)
    times.dropOlder(limit.windowMs, now)
    const age = times.ageFromNewest(limit.max, now)
    if (age !== undefined) {
      this.#onLimited?.(limit.name)
      return { outcome: 'limited', limit, waitSeconds: Math.ceil((limit.windowMs - age) / 1000) }
    }
    window.room += times.add(now)
    if (this.#sharing) tell(window, times, 1)
    return allowed
  }

  /** Takes back the last event of `caller` that `limit` counted, if it is still in the window. */
  giveBack(limit: RateLimit, caller: string): void {
    const window = this.#windows.get(limit.name)
    const times = window?.recent.get(caller) ?? window?.earlier.get(caller)
    if (!window || !times) return
    const now = this.now()
    times.dropOlder(limit.windowMs, now)
    if (times.ageFromNewest(1, now) === undefined) return
    times.dropNewest(1)
    if (this.#sharing) tell(window, times, -1)
  }

  /** Counts together with other nodes from now on. Call it before anything is counted. */
  share(sharing: SharingOptions): void {
    this.#sharing = sharing
  }

  /** What was let in here since this was last asked, of `most` callers at the most; the rest comes next time. */
  untold(most: number): readonly LetIn[] {
    const waiting = [...this.#windows.values()].filter(({ untold }) => untold.length > 0)
    // Each limit has its share, so that a flood at one does not keep the others from being told of.
    const share = Math.max(1, Math.floor(most / Math.max(1, waiting.length)))
    return waiting.flatMap(({ name: limit, windowMs, untold }) => {
      const callers = untold.splice(0, share).flatMap((times) => {
        const { id, untold: count } = times
        times.isListed = false
        times.untold = 0
        return id === undefined || count === 0 ? [] : [[id, count] as const]
      })
      return callers.length > 0 ? [{ limit, windowMs, callers }] : []
    })
  }

  /** Counts what another node let in. */
  countElsewhere({ at, letIn }: LimitBatch): void {
    const now = this.now()
    const time = Math.min(at, now)
    for (const { limit, windowMs, callers } of letIn) {
      if (now - time >= windowMs) continue
      const window = this.#windowOf(limit, windowMs, now)
      for (const [id, count] of callers) {
        const times = this.#byId(window, id)
        times.dropOlder(window.windowMs, now)
        if (count < 0) times.dropNewest(-count)
        else window.room += times.insert(time, Math.min(count, mostAtOnce), now)
      }
    }
  }

  /** Callers whose windows may lack what others let in before this node could hear of it; each is named once. */
  newcomers(): readonly RecallQuestion[] {
    return [...this.#windows.values()].flatMap(({ name: limit, windowMs, newcomers }) => {
      const ids = newcomers.splice(0).flatMap(({ id }) => id ?? [])
      return ids.length > 0 ? [{ limit, windowMs, ids }] : []
    })
  }

  /**
   * Counts what all nodes let in during a part of a window, less what is counted of it here. When in that part an event
   * came is not known: it counts as one of its end.
   */
  countRecalled({ limit, windowMs, id, from, to, count }: RecalledPart): void {
    const now = this.now()
    const time = Math.min(to - 1, now)
    if (now - time >= windowMs) return
    const window = this.#windowOf(limit, windowMs, now)
    const times = this.#byId(window, id)
    const missing = Math.min(count, mostAtOnce) - times.countBetween(from, to, now)
    if (missing > 0) window.room += times.insert(time, missing, now)
  }

  /** All that is counted, for a node that is new; each event at the end of the sixtieth of its window that it lies in. */
  snapshot(): readonly LimitBatch[] {
    const now = this.now()
    const batches = new Map<number, Map<Window, Map<string, number>>>()
    for (const window of this.#windows.values()) {
      const partMs = Math.max(1, Math.floor(window.windowMs / partsOfWindow))
      for (const [id, times] of [...window.earlierById, ...window.recentById]) {
        times.dropOlder(window.windowMs, now)
        times.eachAge(now, (age) => {
          const at = Math.min(now, Math.ceil((now - age) / partMs) * partMs)
          const batch = getOrMake(batches, at, () => new Map<Window, Map<string, number>>())
          const callers = getOrMake(batch, window, () => new Map<string, number>())
          callers.set(id, (callers.get(id) ?? 0) + 1)
        })
      }
    }
    return [...batches].map(([at, batch]) => ({
      at,
      letIn: [...batch].map(([{ name: limit, windowMs }, callers]) => ({
        limit,
        windowMs,
        callers: [...callers],
      })),
    }))
  }

  /**
   * Callers are kept in two generations. Whoever comes is moved to the recent one; when that is full, or a window's
   * length has passed, it becomes the earlier one, and what the earlier one still held is forgotten. After a window's
   * length that loses nothing, because nobody in it came within the window.
   */
  #windowOf(name: string, windowMs: number, now: number): Window {
    const window = this.#windows.get(name)
    if (!window) return this.#newWindow(name, windowMs, now)
    if (
      now - window.since >= windowMs ||
      // One caller alone may be allowed more than is otherwise remembered.
      (window.room >= this.#events && (window.recent.size > 1 || window.recentById.size > 1))
    ) {
      turnGeneration(window, now)
    }
    return window
  }

  #newWindow(name: string, windowMs: number, since: number): Window {
    const maps = { recent: new Map(), earlier: new Map(), recentById: new Map(), earlierById: new Map() }
    const window: Window = { name, windowMs, ...maps, room: 0, since, untold: [], newcomers: [] }
    this.#windows.set(name, window)
    return window
  }

  /** Puts a caller who is not in the recent generation there, with what is remembered of them. */
  #admit(window: Window, caller: string, now: number): EventTimes {
    if (window.recent.size >= this.#callers) turnGeneration(window, now)
    if (!this.#sharing) {
      const times = window.earlier.get(caller) ?? new EventTimes()
      window.earlier.delete(caller)
      window.recent.set(caller, times)
      window.room += times.room
      return times
    }
    const times = this.#byId(window, this.#sharing.idOf(caller))
    window.earlier.delete(caller)
    window.recent.set(caller, times)
    if (
      !times.isRecalled &&
      window.windowMs > this.#sharing.heardMs &&
      window.newcomers.length < longestList
    ) {
      times.isRecalled = true
      window.newcomers.push(times)
    }
    return times
  }

  /** The same by the id that other nodes know a caller by. */
  #byId(window: Window, id: string): EventTimes {
    const known = window.recentById.get(id)
    if (known) return known
    if (window.recentById.size >= this.#callers) turnGeneration(window, this.#latest)
    const times = window.earlierById.get(id) ?? new EventTimes()
    times.id = id
    window.earlierById.delete(id)
    window.recentById.set(id, times)
    window.room += times.room
    return times
  }
}

/** The refusal for a full window. `code`: what the header `Discourse-Rate-Limit-Error-Code` says, where there is one. */
export function limitRefusal(
  { limit, waitSeconds, unshared }: Extract<RateDecision, { outcome: 'limited' }>,
  code?: string,
): Refusal {
  // A node finds Redis again within two seconds of its return.
  if (unshared) return refusal('limits_unavailable', { wait_seconds: 2 })
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
  readonly name: string
  readonly windowMs: number
  recent: Map<string, EventTimes>
  earlier: Map<string, EventTimes>
  /** The same callers, and those whom other nodes let in, by the id that all nodes know them by. */
  recentById: Map<string, EventTimes>
  earlierById: Map<string, EventTimes>
  /** How many events the recent generation has room for. */
  room: number
  /** When the recent generation began. */
  since: number
  /** Callers of whom the others must be told. */
  readonly untold: EventTimes[]
  /** Callers whom the others must be asked about. */
  readonly newcomers: EventTimes[]
}

function turnGeneration(window: Window, now: number): void {
  window.earlier = window.recent
  window.recent = new Map()
  window.earlierById = window.recentById
  window.recentById = new Map()
  window.room = 0
  window.since = now
}

function tell({ untold }: Window, times: EventTimes, count: number): void {
  times.untold += count
  if (times.isListed || untold.length >= longestList) return
  times.isListed = true
  untold.push(times)
}

function getOrMake<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
