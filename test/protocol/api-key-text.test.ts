import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { userApiKeyFrom } from '../../src/protocol/api-key-text.ts'

describe('userApiKeyFrom', () => {
  test('writes 16 bytes as 32 lower-case hexadecimal digits', () => {
    const bytes = Uint8Array.from({ length: 16 }, (_, index) => index * 17)
    assert.equal(userApiKeyFrom(bytes), '00112233445566778899aabbccddeeff')
  })

  test('throws a TypeError for fewer bytes, of which a key would be easier to guess', () => {
    assert.throws(() => userApiKeyFrom(new Uint8Array(15)), TypeError)
  })
})
