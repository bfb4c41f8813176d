import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { seal } from '../../src/domain/seal.ts'
import { openPayload } from '../../src/protocol/payload.ts'
import { importRsaPrivateKey } from '../../src/protocol/private-key.ts'
import { parsePublicKey } from '../../src/protocol/public-key.ts'
import { maximumPlaintextBytes } from '../../src/protocol/rsaes.ts'

/** Each is a way in which the keys that are accepted differ. */
const shapes = [
  { name: '1024 bits', bits: 1024, exponent: 65537 },
  { name: '1031 bits, no whole number of bytes', bits: 1031, exponent: 65537 },
  { name: '2048 bits, exponent 3', bits: 2048, exponent: 3 },
  { name: '2048 bits, exponent 4294967291', bits: 2048, exponent: 4294967291 },
] as const

describe('seal', () => {
  for (const { name, bits, exponent } of shapes) {
    const pair = generateKeyPairSync('rsa', { modulusLength: bits, publicExponent: exponent })
    const read = parsePublicKey(pair.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString())
    assert.equal(read.outcome, 'parsed')
    const { publicKey } = read
    const privateKey = importRsaPrivateKey(pair.privateKey.export({ format: 'jwk' }) as JsonWebKey)

    for (const padding of ['pkcs1', 'oaep'] as const) {
      const longest = maximumPlaintextBytes(publicKey.bytes, padding)

      test(`is opened by the protocol's own means: ${name}, ${padding}`, async () => {
        for (const text of ['', 'é€🔑', 'x'.repeat(longest)]) {
          const sealed = seal(publicKey, padding, text)
          assert.match(sealed, /^(?:[A-Za-z0-9+/=]{60}\n)*[A-Za-z0-9+/=]{1,60}\n$/)
          assert.equal(await openPayload(privateKey, padding, sealed), text)
        }
      })

      test(`throws for a text one byte too long: ${name}, ${padding}`, () => {
        assert.throws(() => seal(publicKey, padding, 'x'.repeat(longest + 1)))
      })

      // What an attacker would gain: whoever sees two payloads would know that they say the same.
      test(`never seals a text twice in the same way: ${name}, ${padding}`, () => {
        assert.notEqual(seal(publicKey, padding, 'text'), seal(publicKey, padding, 'text'))
      })
    }
  }
})
