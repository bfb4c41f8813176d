import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { describe, test } from 'node:test'
import { generateRsaKeyPair } from '../../src/protocol/key-pair.ts'
import { parsePublicKey } from '../../src/protocol/public-key.ts'

describe('generateRsaKeyPair', () => {
  test('makes 2048 bits unless told otherwise, in halves that belong together', async () => {
    const { privateKeyJwk, publicKeyPem } = await generateRsaKeyPair()
    const node = createPublicKey(createPrivateKey({ key: privateKeyJwk, format: 'jwk' }))
    assert.equal(node.export({ type: 'spki', format: 'pem' }), publicKeyPem)
    const parsed = parsePublicKey(publicKeyPem, { minimumBits: 2048 })
    assert.equal(parsed.outcome, 'parsed')
    assert.equal(parsed.publicKey.bits, 2048)
    assert.equal(parsed.publicKey.exponent, 65537n)
  })

  test('makes as many bits as asked for', async () => {
    const parsed = parsePublicKey((await generateRsaKeyPair(1024)).publicKeyPem)
    assert.equal(parsed.outcome, 'parsed')
    assert.equal(parsed.publicKey.bits, 1024)
  })

  test('binds the private key to no algorithm, because both paddings use it', async () => {
    const { privateKeyJwk } = await generateRsaKeyPair(1024)
    const fields = ['d', 'dp', 'dq', 'e', 'kty', 'n', 'p', 'q', 'qi']
    assert.deepEqual(Object.keys(privateKeyJwk).sort(), fields)
  })
})
