import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { limitPollsFor, limitPollsFrom } from '../../src/domain/device-limits.ts'
import type { Limited } from '../../src/domain/limits.ts'
import { RateLimiter } from '../../src/domain/rate-limit.ts'
import { defaultSettings } from '../../src/protocol/setting-values.ts'

function limited(change: Partial<ReturnType<typeof defaultSettings>> = {}): Limited {
  const settings = { ...defaultSettings(), ...change }
  const reader = { current: () => settings, isPinned: () => false }
  return { limiter: new RateLimiter({ now: () => 0 }), settings: reader }
}

describe('limits of polling', () => {
  test('count a device code whatever the address, and an address whatever the code', () => {
    const domain = limited()
    for (let time = 0; time < 60; time += 1) {
      assert.equal(limitPollsFor(domain, 'a'.repeat(64)), undefined)
      assert.equal(limitPollsFrom(domain, '192.0.2.1'), undefined)
    }
    assert.equal(limitPollsFor(domain, 'a'.repeat(64))?.reason, 'rate_limited')
    assert.equal(limitPollsFrom(domain, '192.0.2.1')?.reason, 'rate_limited')
    assert.equal(limitPollsFor(domain, 'b'.repeat(64)), undefined)
    assert.equal(limitPollsFrom(domain, '192.0.2.2'), undefined)
  })

  test('are those of the settings, and none when limits are switched off', () => {
    const few = limited({ max_device_polls_per_minute: 1 })
    limitPollsFrom(few, null)
    assert.equal(limitPollsFrom(few, null)?.details.limit, 'max_device_polls_per_minute')
    const none = limited({ max_device_polls_per_minute: 1, disable_rate_limits: true })
    limitPollsFrom(none, null)
    assert.equal(limitPollsFrom(none, null), undefined)
  })
})
