import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { displayHost } from '../../src/protocol/redirect-display.ts'

describe('displayHost', () => {
  const cases: readonly [redirect: string | undefined, shown: string | null][] = [
    [undefined, null],
    ['discourse://auth_redirect', null],
    ['discourse://auth_redirect/', 'auth_redirect'],
    ['https://app.example.com/cb', 'app.example.com'],
    ['https://app.example.com:443/cb', 'app.example.com'],
    ['http://app.example.com:80', 'app.example.com'],
    ['http://localhost:8000', 'localhost:8000'],
    ['http://[::1]:51004/', '[::1]:51004'],
    ['https://trusted.example@evil.example/', 'evil.example'],
    ['no address', null],
  ]
  for (const [redirect, shown] of cases)
    test(`shows ${shown} for ${redirect}`, () => assert.equal(displayHost(redirect), shown))
})
