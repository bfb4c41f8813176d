import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isWithinSite, siteAddress } from '../../src/client/site-address.ts'

describe('siteAddress', () => {
  const readable: readonly (readonly [string, string])[] = [
    ['https://forum.example.com', 'https://forum.example.com'],
    ['https://Forum.Example.com/', 'https://forum.example.com'],
    ['forum.example.com', 'https://forum.example.com'],
    ['  forum.example.com/folder/ ', 'https://forum.example.com/folder'],
    ['http://forum.example.com:8080', 'http://forum.example.com:8080'],
    ['localhost:4000', 'http://localhost:4000'],
    ['localhost', 'http://localhost'],
    ['127.0.0.1:4000', 'http://127.0.0.1:4000'],
    ['[::1]:4000', 'http://[::1]:4000'],
    ['localhost.example.com', 'https://localhost.example.com'],
    ['https://example.com/user-api-key/new?scopes=read', 'https://example.com'],
    ['https://example.com/forum/user-api-key/new.json#x', 'https://example.com/forum'],
  ]
  for (const [typed, address] of readable) {
    test(`reads ${typed} as ${address}`, () => assert.equal(siteAddress(typed), address))
  }

  for (const typed of ['', 'ftp://example.com', 'https://user:pass@example.com', 'http://', 'a b c']) {
    test(`refuses ${JSON.stringify(typed)}`, () => {
      assert.throws(() => siteAddress(typed), { reason: 'site_address_invalid' })
    })
  }
})

describe('isWithinSite', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['https://example.com/latest.json', 'https://example.com', true],
    ['https://example.com/forum/latest', 'https://example.com/forum', true],
    ['https://example.com/forum', 'https://example.com/forum', true],
    ['https://example.com/forums/latest', 'https://example.com/forum', false],
    ['https://example.com/forum/../admin', 'https://example.com/forum', false],
    ['http://example.com/latest', 'https://example.com', false],
    ['https://example.com:8443/latest', 'https://example.com', false],
    ['https://sub.example.com/latest', 'https://example.com', false],
    ['https://example.com.evil.test/latest', 'https://example.com', false],
  ]
  for (const [url, site, expected] of cases) {
    test(`${url} is ${expected ? '' : 'not '}part of ${site}`, () => {
      assert.equal(isWithinSite(new URL(url), site), expected)
    })
  }
})
