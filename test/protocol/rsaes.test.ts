import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { constants, createPrivateKey, generateKeyPairSync, privateDecrypt, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { importRsaPrivateKey } from '../../src/protocol/private-key.ts'
import { parsePublicKey, type RsaPublicKey } from '../../src/protocol/public-key.ts'
import { decryptRsaes, encryptRsaes, maximumPlaintextBytes, type Padding } from '../../src/protocol/rsaes.ts'

const paddings = ['pkcs1', 'oaep'] as const satisfies readonly Padding[]
const nodePadding = { pkcs1: constants.RSA_PKCS1_PADDING, oaep: constants.RSA_PKCS1_OAEP_PADDING }

/** Each is a way in which keys differ that an implementation may stumble over. */
const keyPairs = [
  { name: '1024 bits', bits: 1024, exponent: 65537 },
  { name: '1031 bits, no whole number of bytes', bits: 1031, exponent: 65537 },
  { name: '2048 bits', bits: 2048, exponent: 65537 },
  { name: '2048 bits, exponent 3', bits: 2048, exponent: 3 },
  { name: '2048 bits, exponent 4294967291', bits: 2048, exponent: 4294967291 },
].map(({ name, bits, exponent }) => {
  const pair = generateKeyPairSync('rsa', { modulusLength: bits, publicExponent: exponent })
  return {
    name,
    node: pair.privateKey,
    publicKey: publicKeyFrom(pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()),
    privateKey: importRsaPrivateKey(pair.privateKey.export({ format: 'jwk' }) as JsonWebKey),
  }
})

describe('maximumPlaintextBytes', () => {
  // The protocol's own table (§4.3).
  for (const [bits, pkcs1, oaep] of [
    [1024, 117, 86],
    [2048, 245, 214],
    [4096, 501, 470],
  ] as const) {
    test(`is ${pkcs1} and ${oaep} for ${bits} bits`, () => {
      assert.equal(maximumPlaintextBytes(bits / 8, 'pkcs1'), pkcs1)
      assert.equal(maximumPlaintextBytes(bits / 8, 'oaep'), oaep)
    })
  }
})

describe('encryptRsaes', () => {
  for (const { name, node, publicKey } of keyPairs) {
    for (const padding of paddings) {
      test(`seals what Node opens: ${name}, ${padding}`, async () => {
        for (const length of [0, 1, maximumPlaintextBytes(publicKey.bytes, padding)]) {
          const plaintext = new Uint8Array(randomBytes(length))
          const sealed = await encryptRsaes(publicKey, padding, plaintext, randomBytes)
          assert.equal(sealed.length, publicKey.bytes)
          const opened = privateDecrypt({ key: node, padding: nodePadding[padding] }, sealed)
          assert.deepEqual(new Uint8Array(opened), plaintext)
        }
      })
    }
  }

  test('pads with the given randomness, and never with a zero byte', async () => {
    const [pair] = keyPairs
    assert.ok(pair)
    let drawn = 0
    const mostlyZeros = (length: number) => Uint8Array.from({ length }, () => (drawn++ % 3 === 0 ? 7 : 0))
    const plaintext = new Uint8Array([1, 2, 3])
    const sealed = await encryptRsaes(pair.publicKey, 'pkcs1', plaintext, mostlyZeros)
    const block = privateDecrypt({ key: pair.node, padding: constants.RSA_NO_PADDING }, sealed)
    assert.deepEqual([...block], [0, 2, ...new Uint8Array(128 - 6).fill(7), 0, 1, 2, 3])
  })

  test('gives up on a source of randomness that has none', async () => {
    const [pair] = keyPairs
    assert.ok(pair)
    const zeros = (length: number) => new Uint8Array(length)
    await assert.rejects(encryptRsaes(pair.publicKey, 'pkcs1', new Uint8Array(1), zeros), TypeError)
  })

  for (const padding of paddings) {
    test(`throws for a plaintext one byte too long: ${padding}`, async () => {
      const [pair] = keyPairs
      assert.ok(pair)
      const tooLong = new Uint8Array(maximumPlaintextBytes(pair.publicKey.bytes, padding) + 1)
      await assert.rejects(encryptRsaes(pair.publicKey, padding, tooLong, randomBytes), TypeError)
    })
  }
})

describe('decryptRsaes', () => {
  for (const { name, publicKey, privateKey } of keyPairs) {
    for (const padding of paddings) {
      test(`opens what encryptRsaes seals: ${name}, ${padding}`, async () => {
        const plaintext = new Uint8Array(randomBytes(maximumPlaintextBytes(publicKey.bytes, padding)))
        const sealed = await encryptRsaes(publicKey, padding, plaintext, randomBytes)
        assert.deepEqual(await decryptRsaes(privateKey, padding, sealed), plaintext)
      })
    }
  }

  test('refuses a block of another length', async () => {
    const [pair] = keyPairs
    assert.ok(pair)
    for (const length of [0, 127, 129]) {
      assert.equal(await decryptRsaes(pair.privateKey, 'pkcs1', new Uint8Array(length)), undefined)
    }
  })
})

describe('the openssl command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hallpass-rsaes-'))
  after(() => rmSync(folder, { recursive: true }))
  const options = {
    pkcs1: ['-pkeyopt', 'rsa_padding_mode:pkcs1'],
    oaep: [
      '-pkeyopt',
      'rsa_padding_mode:oaep',
      '-pkeyopt',
      'rsa_oaep_md:sha1',
      '-pkeyopt',
      'rsa_mgf1_md:sha1',
    ],
  }
  const openssl = (action: string, padding: Padding, input: Uint8Array): Uint8Array => {
    const args = ['pkeyutl', action, '-inkey', join(folder, 'key.pem'), ...options[padding]]
    return new Uint8Array(execFileSync('openssl', args, { input }))
  }
  const skip = hasOpenssl() ? false : 'openssl is not installed'

  for (const padding of paddings) {
    test(`opens what encryptRsaes seals, and the reverse: ${padding}`, { skip }, async () => {
      const pair = keyPairs[2]
      assert.ok(pair)
      writeFileSync(join(folder, 'key.pem'), pair.node.export({ type: 'pkcs8', format: 'pem' }))
      const plaintext = new TextEncoder().encode('{"key":"00112233445566778899aabbccddeeff"}')
      const sealed = await encryptRsaes(pair.publicKey, padding, plaintext, randomBytes)
      assert.deepEqual(openssl('-decrypt', padding, sealed), plaintext)
      const theirs = new Uint8Array(openssl('-encrypt', padding, plaintext))
      assert.deepEqual(await decryptRsaes(pair.privateKey, padding, theirs), plaintext)
    })
  }
})

describe('importRsaPrivateKey', () => {
  const jwk = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ format: 'jwk' })
  const damaged: Readonly<Record<string, object>> = {
    'no RSA key': { ...jwk, kty: 'EC' },
    'only a public key': { kty: 'RSA', n: jwk.n, e: jwk.e },
    'primes missing': { ...jwk, p: undefined, q: undefined },
    'a prime of another key': { ...jwk, p: jwk.q },
    'another private exponent': { ...jwk, d: jwk.dp },
    'another coefficient': { ...jwk, qi: jwk.dp },
    'more than two primes': { ...jwk, oth: [{}] },
    'a number that is not Base64': { ...jwk, n: '***' },
    'a number that is no text': { ...jwk, n: 65537 },
  }
  for (const [name, value] of Object.entries(damaged)) {
    test(`throws a TypeError for ${name}`, () => {
      assert.throws(() => importRsaPrivateKey(value as JsonWebKey), TypeError)
    })
  }

  test('gives the numbers that Node has', () => {
    const key = importRsaPrivateKey({ ...jwk, alg: 'RS256', key_ops: ['sign'], use: 'sig' } as JsonWebKey)
    const again = createPrivateKey({ key: jwk, format: 'jwk' }).asymmetricKeyDetails
    assert.equal(key.exponent, again?.publicExponent)
    assert.equal(key.bytes, 128)
  })
})

function publicKeyFrom(pem: string): RsaPublicKey {
  const result = parsePublicKey(pem)
  assert.equal(result.outcome, 'parsed')
  return result.publicKey
}

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
