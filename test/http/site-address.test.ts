import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { siteAddress } from '../../src/http/site-address.ts'

describe('siteAddress', () => {
  const cases: [configured: string | undefined, called: string, told: string][] = [
    [undefined, 'http://forum.example:8080/path', 'http://forum.example:8080'],
    ['https://forum.example', 'http://10.0.0.7:4000/path', 'https://forum.example'],
    ['http://127.0.0.1:4000', 'http://localhost:4000/path', 'http://localhost:4000'],
    ['http://localhost:4000', 'http://[::1]:4000/path', 'http://[::1]:4000'],
    ['http://localhost:4000', 'http://127.0.0.1:5000/path', 'http://localhost:4000'],
    ['https://localhost', 'http://localhost/path', 'https://localhost'],
    // What an attacker sends as Host chooses nothing: nobody is sent elsewhere to type a code.
    ['https://forum.example', 'https://evil.example/path', 'https://forum.example'],
    ['https://forum.example', 'http://localhost:4000/path', 'https://forum.example'],
    ['http://localhost:4000', 'http://evil.example:4000/path', 'http://localhost:4000'],
    ['http://localhost:4000', 'http://localhost.evil.example:4000/path', 'http://localhost:4000'],
  ]
  for (const [configured, called, told] of cases) {
    test(`tells ${told} when ${called} is called and ${configured ?? 'nothing'} is configured`, () => {
      assert.equal(siteAddress(configured, new URL(called)), told)
    })
  }
})
