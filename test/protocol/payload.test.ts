import assert from 'node:assert/strict'
import { constants, privateDecrypt, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { encodeMimeBase64 } from '../../src/protocol/base64.ts'
import { generateRsaKeyPair } from '../../src/protocol/key-pair.ts'
import {
  API_VERSION,
  checkPayloadSize,
  looksLikeSealedPayload,
  openPayload,
  parsePayload,
  sealPayload,
  serializePayload,
} from '../../src/protocol/payload.ts'
import { importRsaPrivateKey } from '../../src/protocol/private-key.ts'
import { parsePublicKey } from '../../src/protocol/public-key.ts'
import type { Padding } from '../../src/protocol/rsaes.ts'
import { readVectors, type Vector } from '../vectors/read-vectors.ts'

interface SealedVector extends Vector {
  readonly key: string
  readonly padding: Padding
  readonly sealed: string
  readonly expect: { readonly outcome: 'opened'; readonly text: string } | { readonly outcome: 'failed' }
}

const vectors = readVectors<SealedVector>('sealed-payloads')
const { keys } = JSON.parse(
  readFileSync(new URL('../vectors/sealed-payloads.json', import.meta.url), 'utf8'),
) as { keys: Record<string, JsonWebKey> }

const key = '00112233445566778899aabbccddeeff'
const nonce = '4d65822107fcfd52'
const noon = Date.UTC(2026, 5, 1, 12)

describe('serializePayload', () => {
  test('writes exactly the protocol’s fields, in its order', () => {
    const text = serializePayload({ key, nonce, push: false })
    assert.equal(text, `{"key":"${key}","nonce":"${nonce}","push":false,"api":4}`)
  })

  test('adds the expiry last, in UTC and to the second', () => {
    const text = serializePayload({ expiresAt: noon + 999, api: API_VERSION, push: true, nonce, key })
    assert.equal(
      text,
      `{"key":"${key}","nonce":"${nonce}","push":true,"api":4,"expires_at":"2026-06-01T12:00:00Z"}`,
    )
  })

  test('is as long as the protocol says', () => {
    const lengthOf = (push: boolean, expiresAt?: number) =>
      serializePayload({ key, nonce: '', push, ...(expiresAt === undefined ? {} : { expiresAt }) }).length
    assert.equal(lengthOf(false), 74)
    assert.equal(lengthOf(true), 73)
    assert.equal(lengthOf(false, noon), 110)
  })

  test('escapes what Rails escapes', () => {
    const text = serializePayload({ key, nonce: '<>&\u2028\u2029"\\/\n\u0001é', push: false })
    assert.ok(
      text.includes('"nonce":"\\u003c\\u003e\\u0026\\u2028\\u2029\\"\\\\/\\n\\u0001é"'),
      `is written as ${text}`,
    )
  })
})

describe('parsePayload', () => {
  test('reads back any nonce', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), fc.option(fc.nat()), (any, push, seconds) => {
        const payload = {
          ...{ key, nonce: any, push, api: API_VERSION },
          ...(seconds === null ? {} : { expiresAt: seconds * 1000 }),
        }
        assert.deepEqual(parsePayload(serializePayload(payload)), payload)
      }),
    )
  })

  test('passes over fields that it does not know, and fills in those that a site leaves out', () => {
    const text = `{"username":"ann","nonce":"1","key":"k","expires_at":null}`
    assert.deepEqual(parsePayload(text), { key: 'k', nonce: '1', push: false, api: 0 })
  })

  for (const text of [
    '',
    'null',
    '1',
    '[]',
    '{}',
    '{"key":"k"}',
    '{"key":1,"nonce":"1"}',
    '{"key":"","nonce":""}',
  ]) {
    test(`does not take ${JSON.stringify(text)} for a payload`, () =>
      assert.equal(parsePayload(text), undefined))
  }
})

describe('checkPayloadSize', () => {
  // The protocol's own numbers (§4.3), without expiry and with.
  const rows = [
    { bits: 1024, padding: 'pkcs1', largest: 43, largestWithExpiry: 7 },
    { bits: 1024, padding: 'oaep', largest: 12, largestWithExpiry: 0 },
    { bits: 2048, padding: 'pkcs1', largest: 171, largestWithExpiry: 135 },
    { bits: 2048, padding: 'oaep', largest: 140, largestWithExpiry: 104 },
  ] as const
  for (const { bits, padding, largest, largestWithExpiry } of rows) {
    test(`lets a nonce of ${largest} bytes through, and no longer one: ${bits} bits, ${padding}`, () => {
      const size = { bits, bytes: bits / 8 }
      const payload = (length: number) => serializePayload({ key, nonce: 'n'.repeat(length), push: false })
      assert.equal(checkPayloadSize(size, padding, payload(largest)), undefined)
      const refused = checkPayloadSize(size, padding, payload(largest + 1))
      assert.equal(refused?.reason, 'payload_too_large')
      assert.deepEqual(refused.details, {
        actual: 75 + largest,
        maximum: 74 + largest,
        bits,
        padding: padding === 'oaep' ? 'OAEP' : 'PKCS#1',
        largest_nonce: largest,
      })
    })

    test(`says how long a nonce may be beside an expiry: ${bits} bits, ${padding}`, () => {
      const text = serializePayload({ key, nonce: 'n'.repeat(300), push: false, expiresAt: noon })
      const refused = checkPayloadSize({ bits, bytes: bits / 8 }, padding, text)
      assert.equal(refused?.details.largest_nonce, largestWithExpiry)
    })
  }

  test('counts bytes, and escapes with them', () => {
    const text = serializePayload({ key, nonce: 'é<'.repeat(12), push: false })
    const refused = checkPayloadSize({ bits: 1024, bytes: 128 }, 'oaep', text)
    assert.equal(refused?.details.actual, 74 + 12 * 8)
    assert.equal(refused?.details.largest_nonce, 12)
  })
})

describe('openPayload', () => {
  for (const { id, comment, key: name, padding, sealed, expect } of vectors) {
    test(`${id}: ${comment}`, async () => {
      const jwk = keys[name]
      assert.ok(jwk)
      const opened = await openPayload(importRsaPrivateKey(jwk), padding, sealed)
      assert.equal(opened, expect.outcome === 'opened' ? expect.text : undefined)
    })
  }
})

describe('sealPayload', async () => {
  const pair = await generateRsaKeyPair()
  const privateKey = importRsaPrivateKey(pair.privateKeyJwk)
  const parsed = parsePublicKey(pair.publicKeyPem)
  assert.equal(parsed.outcome, 'parsed')
  const { publicKey } = parsed

  for (const padding of ['pkcs1', 'oaep'] as const) {
    test(`seals any nonce that fits, and what it seals is opened: ${padding}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), async (any) => {
          const text = serializePayload({ key, nonce: any, push: false })
          const refused = checkPayloadSize(publicKey, padding, text)
          if (refused) {
            await assert.rejects(sealPayload(publicKey, padding, text, randomBytes), TypeError)
          } else {
            const sealed = await sealPayload(publicKey, padding, text, randomBytes)
            assert.equal(await openPayload(privateKey, padding, sealed), text)
          }
        }),
        { numRuns: 30 },
      )
    })
  }

  test('is opened by Node', async () => {
    const sealed = await sealPayload(publicKey, 'pkcs1', 'a one-time password', randomBytes)
    assert.equal(sealed.length, 350)
    const opened = privateDecrypt(
      { key: pair.privateKeyJwk, format: 'jwk', padding: constants.RSA_PKCS1_PADDING },
      Buffer.from(sealed, 'base64'),
    )
    assert.equal(opened.toString(), 'a one-time password')
  })

  test('never seals twice alike', async () => {
    for (const padding of ['pkcs1', 'oaep'] as const) {
      const seal = () => sealPayload(publicKey, padding, 'same', randomBytes)
      assert.notEqual(await seal(), await seal())
    }
  })
})

describe('looksLikeSealedPayload', () => {
  const sealed = (bits: number) => encodeMimeBase64(randomBytes(bits / 8))
  const rows: readonly (readonly [string, string, boolean])[] = [
    ['a payload', sealed(2048), true],
    ['a payload of 1024 bits', sealed(1024), true],
    ['a payload of 8192 bits, percent-encoded', encodeURIComponent(sealed(8192)), true],
    ['a payload in one line', sealed(4096).replaceAll('\n', ''), true],
    ['a payload with literal %0A', sealed(2048).replaceAll('\n', '%0A'), true],
    ['a user API key', key, false],
    ['an API key', key + key, false],
    ['nothing', '', false],
    ['a PEM', '-----BEGIN PUBLIC KEY-----\n' + sealed(2048) + '-----END PUBLIC KEY-----', false],
    ['a text', 'the quick brown fox '.repeat(20) + '!', false],
    ['a text far too long', 'A'.repeat(1_000_000), false],
  ]
  for (const [name, text, expected] of rows) {
    test(`says ${expected ? 'yes' : 'no'} to ${name}`, () =>
      assert.equal(looksLikeSealedPayload(text), expected))
  }
})
