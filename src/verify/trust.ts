/** A moment, by two clocks. */
export interface Moment {
  /** Milliseconds of a clock that nobody sets. It may stand still while the machine sleeps. */
  readonly steady: number
  /** Milliseconds since the epoch. It goes on while the machine sleeps, and may be set. */
  readonly wall: number
}

const systemNow = (): Moment => ({ steady: performance.now(), wall: Date.now() })

/**
 * Whether what is in memory may be believed: while what others have changed was read less than so many milliseconds ago.
 *
 * What was read is as old as the beginning of the reading. The time is told by two clocks, and the one that shows more
 * counts: setting the clock back, or letting the process or the machine stand still, prolongs nothing.
 */
export class Trust {
  readonly #boundMs: () => number
  readonly #now: () => Moment
  #since: Moment | undefined
  /** The millisecond of the wall clock in which it was last asked whether it holds, and was told that it does. */
  #heldAt = Number.NaN

  constructor(boundMs: () => number, now: () => Moment = systemNow) {
    this.#boundMs = boundMs
    this.#now = now
  }

  /** The moment at which a reading begins, for {@link Trust.renew} once it has ended well. */
  begin(): Moment {
    return this.#now()
  }

  /** Takes it that all which had changed at the moment `began` is known. */
  renew(began: Moment): void {
    if (this.#since === undefined || began.steady > this.#since.steady) this.#since = began
  }

  /** How long ago what others have changed was read, in milliseconds; undefined before the first time. */
  ageMs(): number | undefined {
    if (this.#since === undefined) return undefined
    const { steady, wall } = this.#now()
    return Math.max(steady - this.#since.steady, wall - this.#since.wall)
  }

  holds(): boolean {
    if (this.#since === undefined) return false
    // Every request asks, and many come in a millisecond: one of them reads both clocks, for the whole of it.
    const isReal = this.#now === systemNow
    if (isReal && Date.now() === this.#heldAt) return true
    const { steady, wall } = this.#now()
    const before = this.#boundMs() - (isReal ? 1 : 0)
    const holds = steady - this.#since.steady < before && wall - this.#since.wall < before
    this.#heldAt = holds ? wall : Number.NaN
    return holds
  }

  /** Whether what was read from that moment on is young enough to be believed. */
  isRecent(began: Moment): boolean {
    const { steady, wall } = this.#now()
    const bound = this.#boundMs()
    return steady - began.steady < bound && wall - began.wall < bound
  }
}

/** For a process that has the store to itself: nobody else can change anything. */
export function unconditionalTrust(): Trust {
  const trust = new Trust(() => Number.POSITIVE_INFINITY)
  trust.renew(trust.begin())
  return trust
}
