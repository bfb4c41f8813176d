/** The times of one caller's events, oldest first, in a ring that doubles when it is full. */
export class EventTimes {
  /** What others know the caller by; undefined while limits are not shared. */
  id: string | undefined
  /** Events let in here, less those given back, that the others have not been told of. */
  untold = 0
  /** Whether those who tell the others have it on their list. */
  isListed = false
  /** Whether it was asked what others let in before anybody here could hear of it. */
  isRecalled = false
  /**
   * Begins with no whole number, so that the engine keeps it as an array of doubles, 8 bytes each. A typed array is
   * slower to make than all else here, and most callers come once.
   */
  #ring: number[] = [0.5]
  #first = 0
  #count = 0

  /** How many events there is room for. */
  get room(): number {
    return this.#ring.length
  }

  /** How many milliseconds before `now` the `nth` event came, counted back from the newest, which is the first. */
  ageFromNewest(nth: number, now: number): number | undefined {
    return nth > this.#count ? undefined : this.#age(this.#count - nth, now)
  }

  /** Forgets the events that are `ms` old and older. */
  dropOlder(ms: number, now: number): void {
    while (this.#count > 0 && this.#age(0, now) >= ms) {
      this.#first = (this.#first + 1) & (this.#ring.length - 1)
      this.#count -= 1
    }
  }

  dropNewest(count: number): void {
    this.#count = Math.max(0, this.#count - count)
  }

  /** Adds an event that is not older than any other; answers with how much room was added for it. */
  add(time: number): number {
    const grown = this.#count === this.#ring.length ? this.#grow(1) : 0
    this.#ring[(this.#first + this.#count) & (this.#ring.length - 1)] = time
    this.#count += 1
    return grown
  }

  /** Adds `count` events of one time, which may be older than others; answers with how much room was added. */
  insert(time: number, count: number, now: number): number {
    const grown = this.#count + count > this.#ring.length ? this.#grow(count) : 0
    const age = now - time
    const mask = this.#ring.length - 1
    let at = this.#count
    for (; at > 0 && this.#age(at - 1, now) < age; at -= 1) {
      this.#ring[(this.#first + at - 1 + count) & mask] = this.#ring[(this.#first + at - 1) & mask] ?? 0
    }
    for (let nth = 0; nth < count; nth += 1) this.#ring[(this.#first + at + nth) & mask] = time
    this.#count += count
    return grown
  }

  /** How many events came from `from` on and before `to`. */
  countBetween(from: number, to: number, now: number): number {
    let found = 0
    for (let nth = 0; nth < this.#count; nth += 1) {
      const time = now - this.#age(nth, now)
      if (time >= from && time < to) found += 1
    }
    return found
  }

  /** Calls `work` with the age of each event, the oldest first. */
  eachAge(now: number, work: (age: number) => void): void {
    for (let nth = 0; nth < this.#count; nth += 1) work(this.#age(nth, now))
  }

  #age(nth: number, now: number): number {
    return now - (this.#ring[(this.#first + nth) & (this.#ring.length - 1)] ?? 0)
  }

  #grow(more: number): number {
    const before = this.#ring
    let room = before.length
    // Always a power of two, so that places are found with a mask.
    while (room < this.#count + more) room *= 2
    const ring = new Array<number>(room).fill(0.5)
    for (let nth = 0; nth < this.#count; nth += 1) {
      ring[nth] = before[(this.#first + nth) & (before.length - 1)] ?? 0
    }
    this.#ring = ring
    this.#first = 0
    return room - before.length
  }
}
