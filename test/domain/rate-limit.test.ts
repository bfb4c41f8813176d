import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type RateLimit, RateLimiter, waitingTime } from '../../src/domain/rate-limit.ts'

const limit: RateLimit = { name: 'three_a_minute', max: 3, windowMs: 60_000 }

describe('RateLimiter', () => {
  test('lets another event in only when the oldest has left the window', () => {
    let now = 0
    const limiter = new RateLimiter({ now: () => now })
    for (const time of [0, 20_000, 40_000]) {
      now = time
      assert.equal(limiter.take(limit, 'a').outcome, 'allowed')
    }
    now = 59_999
    assert.deepEqual(limiter.take(limit, 'a'), { outcome: 'limited', limit, waitSeconds: 1 })
    now = 60_000
    assert.equal(limiter.take(limit, 'a').outcome, 'allowed')
    assert.deepEqual(limiter.take(limit, 'a'), { outcome: 'limited', limit, waitSeconds: 20 })
  })

  test('counts no refused attempt', () => {
    let now = 0
    const limiter = new RateLimiter({ now: () => now })
    for (let attempt = 0; attempt < 10; attempt += 1) limiter.take(limit, 'a')
    now = 60_000
    assert.equal(limiter.take(limit, 'a').outcome, 'allowed')
  })

  test('keeps callers and limits apart', () => {
    const limiter = new RateLimiter({ now: () => 0 })
    for (let attempt = 0; attempt < 3; attempt += 1) limiter.take(limit, 'a')
    assert.equal(limiter.take(limit, 'a').outcome, 'limited')
    assert.equal(limiter.take(limit, 'b').outcome, 'allowed')
    assert.equal(limiter.take({ ...limit, name: 'another' }, 'a').outcome, 'allowed')
  })

  test('forgets the caller who was here longest ago once it remembers enough', () => {
    const limiter = new RateLimiter({ now: () => 0 }, { callers: 2 })
    const outcomes = (callers: string): string[] =>
      [...callers].map((caller) => limiter.take({ ...limit, max: 1 }, caller).outcome)
    outcomes('abcd')
    assert.deepEqual(outcomes('d'), ['limited'])
    outcomes('e')
    assert.deepEqual(outcomes('a'), ['allowed'])
  })

  test('remembers all events of one caller, however few events it remembers of many', () => {
    const limiter = new RateLimiter({ now: () => 0 }, { events: 4 })
    const many: RateLimit = { ...limit, max: 100 }
    const outcomes = Array.from({ length: 101 }, () => limiter.take(many, 'a').outcome)
    assert.deepEqual([outcomes.indexOf('limited'), outcomes.length], [100, 101])
  })

  test('keeps what one limit remembers from a flood at another', () => {
    const limiter = new RateLimiter({ now: () => 0 }, { callers: 2 })
    for (let attempt = 0; attempt < 3; attempt += 1) limiter.take(limit, 'a')
    for (let caller = 0; caller < 20; caller += 1) limiter.take({ ...limit, name: 'another' }, `${caller}`)
    assert.equal(limiter.take(limit, 'a').outcome, 'limited')
  })

  test('gives back one event of one caller', () => {
    const limiter = new RateLimiter({ now: () => 0 })
    for (let attempt = 0; attempt < 3; attempt += 1) limiter.take(limit, 'a')
    limiter.giveBack(limit, 'a')
    limiter.giveBack(limit, 'b')
    assert.deepEqual(
      ['a', 'a', 'b'].map((caller) => limiter.take(limit, caller).outcome),
      ['allowed', 'limited', 'allowed'],
    )
  })

  test('goes by the maximum of the moment when a setting has changed it', () => {
    const limiter = new RateLimiter({ now: () => 0 })
    for (let attempt = 0; attempt < 3; attempt += 1) limiter.take(limit, 'a')
    assert.equal(limiter.take({ ...limit, max: 2 }, 'a').outcome, 'limited')
    assert.equal(limiter.take({ ...limit, max: 4 }, 'a').outcome, 'allowed')
  })

  test('puts what other nodes let in where it belongs in time, and takes back what they give back', () => {
    let now = 0
    const limiter = new RateLimiter({ now: () => now })
    limiter.share({ idOf: (caller) => `id of ${caller}`, heardMs: 60_000 })
    const elsewhere = (at: number, count: number): void => {
      const callers = [['id of a', count]] as const
      limiter.countElsewhere({ at, letIn: [{ limit: limit.name, windowMs: limit.windowMs, callers }] })
    }
    now = 30_000
    limiter.take(limit, 'a')
    elsewhere(10_000, 2)
    assert.deepEqual(limiter.take(limit, 'a'), { outcome: 'limited', limit, waitSeconds: 40 })
    elsewhere(10_000, -1)
    assert.equal(limiter.take(limit, 'a').outcome, 'allowed')
    now = 70_000
    assert.equal(limiter.take(limit, 'a').outcome, 'allowed')
  })

  test('tells each caller once, with all that was let in and not given back, as many callers as are asked for', () => {
    const limiter = new RateLimiter({ now: () => 0 })
    limiter.share({ idOf: (caller) => `id of ${caller}`, heardMs: 60_000 })
    for (const caller of 'aabc') limiter.take(limit, caller)
    limiter.giveBack(limit, 'c')
    const told = (most: number): unknown => limiter.untold(most).flatMap(({ callers }) => callers)
    assert.deepEqual(told(1), [['id of a', 2]])
    assert.deepEqual(told(10), [['id of b', 1]])
    limiter.giveBack(limit, 'a')
    assert.deepEqual(told(10), [['id of a', -1]])
  })

  test('goes on where it was when the clock is put back', () => {
    let now = 3_600_000
    const limiter = new RateLimiter({ now: () => now })
    for (let attempt = 0; attempt < 3; attempt += 1) limiter.take(limit, 'a')
    now = 0
    assert.deepEqual(limiter.take(limit, 'a'), { outcome: 'limited', limit, waitSeconds: 60 })
    now = 60_000
    assert.equal(limiter.take(limit, 'a').outcome, 'allowed')
  })

  for (const seed of [1, 2, 3, 4, 5]) {
    test(`decides like a plain list of times, over 4000 random steps (seed ${seed})`, () => {
      const random = seeded(seed)
      let now = 0
      const limiter = new RateLimiter({ now: () => now })
      const model = new NaiveLimiter()
      for (let step = 0; step < 4000; step += 1) {
        // Mostly small steps of time, some that end every window, none at all now and then.
        now += [0, 1, 700, 9_000, 70_000][Math.floor(random() ** 3 * 5)] ?? 0
        const windowed: RateLimit = random() < 0.5 ? limit : { name: 'ten', max: 10, windowMs: 5_000 }
        const changed = random() < 0.1 ? { ...windowed, max: 1 + Math.floor(random() * 12) } : windowed
        const caller = 'abcdef'.charAt(Math.floor(random() * 6))
        if (random() < 0.05) {
          limiter.giveBack(changed, caller)
          model.giveBack(changed, caller, now)
        } else {
          const decision = limiter.take(changed, caller)
          const waitSeconds = decision.outcome === 'limited' ? decision.waitSeconds : 0
          assert.equal(waitSeconds, model.take(changed, caller, now), `step ${step}`)
        }
      }
    })
  }
})

/** What the limiter must come to, with no thought of time or memory. */
class NaiveLimiter {
  readonly #times: Map<string, number[]> = new Map()

  /** The seconds to wait; 0 for an event that is let in. */
  take(limit: RateLimit, caller: string, now: number): number {
    const times = this.#inWindow(limit, caller, now)
    const blocking = times[times.length - limit.max]
    if (blocking !== undefined) return Math.ceil((blocking + limit.windowMs - now) / 1000)
    times.push(now)
    return 0
  }

  giveBack(limit: RateLimit, caller: string, now: number): void {
    this.#inWindow(limit, caller, now).pop()
  }

  #inWindow(limit: RateLimit, caller: string, now: number): number[] {
    const key = `${limit.name} ${caller}`
    const times = (this.#times.get(key) ?? []).filter((time) => time > now - limit.windowMs)
    this.#times.set(key, times)
    return times
  }
}

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

describe('waitingTime', () => {
  for (const [seconds, text] of [
    [1, '1 second'],
    [59, '59 seconds'],
    [60, '1 minute'],
    [61, '2 minutes'],
    [3600, '1 hour'],
    [7201, '3 hours'],
  ] as const) {
    test(`says ${text} for ${seconds}`, () => assert.equal(waitingTime(seconds), text))
  }
})
