import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isPublicAddress } from '../../src/domain/public-address.ts'

// What an attacker would gain: an app that names an address of the server's own network as its push_url would have the
// server talk to what no stranger can reach.
const special: readonly (readonly [what: string, ...addresses: string[]])[] = [
  ['this network', '0.0.0.0', '0.0.0.1', '0.255.255.255'],
  ['loopback', '127.0.0.1', '127.0.0.53', '127.255.255.255', '::1'],
  ['private', '10.0.0.0', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', '192.168.255.255'],
  ['carrier-grade NAT', '100.64.0.0', '100.127.255.255'],
  ['link-local', '169.254.0.1', '169.254.255.255', 'fe80::1', 'fe80::1%eth0', 'febf::1'],
  [
    'metadata services',
    '169.254.169.254',
    'fd00:ec2::254',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
  ],
  ['protocol assignments', '192.0.0.1', '192.0.0.255', '2001::1', '2001:1ff:ffff::1'],
  ['documentation', '192.0.2.1', '198.51.100.7', '203.0.113.255', '2001:db8::1', '3fff::1', '3fff:fff::1'],
  ['6to4 relays', '192.88.99.1'],
  ['benchmarking', '198.18.0.1', '198.19.255.255', '2001:2::1'],
  ['multicast', '224.0.0.1', '239.255.255.255', 'ff02::1', 'ff0e::1'],
  ['reserved and broadcast', '240.0.0.1', '255.255.255.255'],
  ['unspecified', '::', '0:0:0:0:0:0:0:0'],
  ['unique-local', 'fc00::1', 'fd12:3456::1', 'fdff:ffff:ffff::1'],
  ['site-local, which is gone', 'fec0::1'],
  ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
  ['discard-only', '100::1'],
  ['IPv4-mapped', '::ffff:127.0.0.1', '::ffff:7f00:1', '::FFFF:10.0.0.1', '0:0:0:0:0:ffff:a9fe:a9fe'],
  ['IPv4-compatible', '::127.0.0.1', '::10.0.0.1', '::8.8.8.8'],
  ['IPv4-translated', '::ffff:0:127.0.0.1'],
  ['NAT64', '64:ff9b::127.0.0.1', '64:ff9b::a9fe:a9fe', '64:ff9b::10.0.0.1'],
  ['NAT64 of one’s own', '64:ff9b:1::8.8.8.8', '64:ff9b:1::1'],
  ['6to4', '2002:7f00:1::1', '2002:a00:1::', '2002:c0a8:101::1', '2002:a9fe:a9fe::1'],
  ['never given out', '4000::1', '1::1', '5f00::1'],
  [
    'no address',
    '',
    'localhost',
    '127.1',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '1.2.3.4/8',
    '::g',
    '1::2::3',
    ':',
  ],
]

describe('isPublicAddress', () => {
  for (const [what, ...addresses] of special) {
    test(`is false for what is ${what}`, () => {
      for (const address of addresses) assert.equal(isPublicAddress(address), false, address)
    })
  }

  test('is true for the neighbours of every range', () => {
    const addresses = [
      [
        '1.0.0.0',
        '9.255.255.255',
        '11.0.0.0',
        '100.63.255.255',
        '100.128.0.0',
        '126.255.255.255',
        '128.0.0.0',
      ],
      [
        '169.253.255.255',
        '169.255.0.0',
        '172.15.255.255',
        '172.32.0.0',
        '192.0.1.0',
        '192.0.3.0',
        '192.88.98.1',
      ],
      ['192.167.255.255', '192.169.0.0', '198.17.255.255', '198.20.0.0', '198.51.99.1', '203.0.114.0'],
      [
        '223.255.255.255',
        '168.63.129.15',
        '8.8.8.8',
        '::ffff:8.8.8.8',
        '64:ff9b::8.8.8.8',
        '2002:808:808::1',
      ],
      [
        '2001:200::1',
        '2001:4860:4860::8888',
        '2001:db7::1',
        '2001:db9::1',
        '2606:4700::1111',
        '3ffe::1',
        '2000::1',
      ],
    ]
    for (const address of addresses.flat()) assert.equal(isPublicAddress(address), true, address)
  })
})
