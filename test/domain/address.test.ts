import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { addressBucket, addressMatcher, plainAddress } from '../../src/domain/address.ts'

describe('addressMatcher', () => {
  const cases: readonly [ranges: readonly string[], address: string | null, within: boolean][] = [
    [['192.0.2.7'], '192.0.2.7', true],
    [['192.0.2.7'], '192.0.2.8', false],
    [['192.0.2.0/24'], '192.0.2.255', true],
    [['192.0.2.0/24'], '192.0.3.0', false],
    [['192.0.2.0/24'], '::ffff:192.0.2.7', true],
    [['10.0.0.0/8', '2001:db8::/32'], '2001:db8::1', true],
    [['10.0.0.0/8', '2001:db8::/32'], '2001:db9::1', false],
    [['2001:db8::1'], '2001:0db8:0:0:0:0:0:1', true],
    [['fe80::/10'], 'fe80::1%eth0', true],
    [['0.0.0.0/0'], '203.0.113.9', true],
    [['0.0.0.0/0'], '2001:db8::1', false],
    [['::/0'], null, false],
    [['0.0.0.0/0', '::/0'], 'localhost', false],
    [[], '192.0.2.7', false],
  ]
  for (const [ranges, address, within] of cases) {
    test(`${address} is ${within ? '' : 'not '}within ${ranges.join(', ') || 'no range'}`, () => {
      assert.equal(addressMatcher(ranges)(address), within)
    })
  }

  test('refuses a range that is none', () => {
    for (const range of ['example.com', '', '192.0.2.0/', '192.0.2.0/8/8', '192.0.2.0/0x8', '192.0.2.0/-1']) {
      assert.throws(() => addressMatcher([range]), TypeError, range)
    }
    assert.throws(() => addressMatcher(['192.0.2.0/33']), RangeError)
  })
})

describe('plainAddress', () => {
  test('gives an IPv4 address in IPv6 form as IPv4, and drops a zone', () => {
    assert.equal(plainAddress('::FFFF:127.0.0.1'), '127.0.0.1')
    assert.equal(plainAddress('fe80::1%eth0'), 'fe80::1')
    assert.equal(plainAddress('2001:db8::1'), '2001:db8::1')
  })
})

describe('addressBucket', () => {
  const cases: readonly [address: string | null, bucket: string][] = [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:0:1::7', '2001:db8:0:1::/64'],
    ['2001:0DB8:0:1:ffff:ffff:ffff:ffff', '2001:db8:0:1::/64'],
    ['2001:db8:0:2::7', '2001:db8:0:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['unix:', 'unix:'],
    [null, 'unknown'],
  ]
  for (const [address, bucket] of cases) {
    test(`of ${address} is ${bucket}`, () => assert.equal(addressBucket(address), bucket))
  }
})
