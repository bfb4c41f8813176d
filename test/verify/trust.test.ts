import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Trust, unconditionalTrust } from '../../src/verify/trust.ts'

function withClocks(boundMs = 2000) {
  const clocks = { steady: 1000, wall: 1_800_000_000_000 }
  const trust = new Trust(
    () => boundMs,
    () => ({ ...clocks }),
  )
  const pass = (ms: number): void => {
    clocks.steady += ms
    clocks.wall += ms
  }
  return { trust, clocks, pass }
}

describe('Trust', () => {
  test('does not hold before anything was read', () => {
    assert.equal(withClocks().trust.holds(), false)
  })

  test('holds for as long as the bound, counted from the beginning of the reading', () => {
    const { trust, pass } = withClocks()
    const began = trust.begin()
    pass(1500)
    trust.renew(began)
    pass(499)
    assert.equal(trust.holds(), true)
    pass(1)
    assert.equal(trust.holds(), false)
  })

  test('is not shortened by an earlier reading that ends later', () => {
    const { trust, pass } = withClocks()
    const slow = trust.begin()
    pass(1000)
    trust.renew(trust.begin())
    trust.renew(slow)
    pass(1500)
    assert.equal(trust.holds(), true)
  })

  // What an attacker would gain: a revoked key that works for as long as the clock was set back.
  test('is not prolonged by a clock that is set back', () => {
    const { trust, clocks, pass } = withClocks()
    trust.renew(trust.begin())
    clocks.wall -= 3_600_000
    pass(2000)
    assert.equal(trust.holds(), false)
  })

  test('is over when the machine slept, during which the steady clock stands still', () => {
    const { trust, clocks } = withClocks()
    trust.renew(trust.begin())
    clocks.wall += 2000
    assert.equal(trust.holds(), false)
  })

  test('ceases by the real clocks, however often it was asked meanwhile', () => {
    const trust = new Trust(() => 20)
    const began = trust.begin()
    trust.renew(began)
    while (trust.holds()) assert.ok(performance.now() - began.steady < 1000, 'it holds for ever')
    assert.equal(trust.holds(), false)
  })

  test('holds for ever where nobody else uses the store', () => {
    assert.equal(unconditionalTrust().holds(), true)
  })
})
