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
    const limiter = new RateLimiter({ now: () => 0 }, { callers: 1 })
    for (let attempt = 0; attempt < 3; attempt += 1) limiter.take(limit, 'a')
    limiter.take(limit, 'b')
    limiter.take(limit, 'c')
    assert.equal(limiter.take(limit, 'a').outcome, 'allowed')
  })
})

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
