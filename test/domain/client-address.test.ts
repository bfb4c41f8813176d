import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createClientAddress } from '../../src/domain/client-address.ts'

const proxies = ['10.0.0.0/8', '2001:db8::/32']

describe('createClientAddress', () => {
  const cases: readonly [
    name: string,
    peer: string | null,
    forwarded: string | null,
    address: string | null,
  ][] = [
    ['takes the peer without a header', '10.0.0.1', null, '10.0.0.1'],
    ['takes the peer that is no trusted proxy, whatever it says', '192.0.2.1', '198.51.100.7', '192.0.2.1'],
    ['takes what a trusted proxy says', '10.0.0.1', '198.51.100.7', '198.51.100.7'],
    [
      'takes the rightmost that is not trusted',
      '10.0.0.1',
      '1.1.1.1, 198.51.100.7, 10.2.3.4',
      '198.51.100.7',
    ],
    ['takes nothing left of the sender', '10.0.0.1', '10.9.9.9, 198.51.100.7', '198.51.100.7'],
    ['takes the leftmost when all are trusted', '10.0.0.1', '10.0.0.3,10.0.0.2', '10.0.0.3'],
    [
      'takes the last good one before a malformed entry',
      '10.0.0.1',
      '198.51.100.7, what, 10.0.0.2',
      '10.0.0.2',
    ],
    ['takes the peer when the first entry is malformed', '10.0.0.1', '198.51.100.7, unknown', '10.0.0.1'],
    ['reads an entry with a port', '10.0.0.1', '198.51.100.7:5555', '198.51.100.7'],
    ['reads IPv6 in brackets', '10.0.0.1', '[2001:db9::7]:5555, [2001:db8::2]', '2001:db9::7'],
    ['takes a port that is none for malformed', '10.0.0.1', '198.51.100.7:http', '10.0.0.1'],
    ['takes an empty entry for malformed', '10.0.0.1', '198.51.100.7,', '10.0.0.1'],
    ['takes nothing out of an empty header', '10.0.0.1', '', '10.0.0.1'],
    ['reads IPv6', '2001:db8::1', '2001:db9::7, 2001:db8::2', '2001:db9::7'],
    ['reads IPv4 in its IPv6 form', '::ffff:10.0.0.1', '::ffff:198.51.100.7', '198.51.100.7'],
    ['knows nothing of an unknown peer', null, '198.51.100.7', null],
  ]
  for (const [name, peer, forwarded, address] of cases) {
    test(name, () => {
      const headers = new Headers(forwarded === null ? {} : { 'x-forwarded-for': forwarded })
      assert.equal(createClientAddress(proxies)(peer, headers), address)
    })
  }

  test('believes nobody by default', () => {
    const headers = new Headers({ 'x-forwarded-for': '198.51.100.7' })
    assert.equal(createClientAddress([])('::ffff:127.0.0.1', headers), '127.0.0.1')
  })

  test('refuses what is no range', () => {
    assert.throws(() => createClientAddress(['proxy.example.com']), TypeError)
  })
})
