import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { decodeBase64, encodeBase64 } from '../../src/protocol/base64.ts'
import { i2osp, os2ip } from '../../src/protocol/integer-octets.ts'
import { writeSpki } from '../../src/protocol/key-der.ts'
import { formatPublicKeyPem, parsePublicKey } from '../../src/protocol/public-key.ts'
import { readVectors, type Vector } from '../vectors/read-vectors.ts'

interface PublicKeyVector extends Vector {
  readonly text: string
  readonly minimumBits?: number
  readonly expect:
    | { readonly outcome: 'parsed'; readonly key?: string; readonly spki?: string }
    | {
        readonly outcome: 'refused'
        readonly reason: string
        readonly details?: Readonly<Record<string, unknown>>
      }
}

interface KnownKey {
  readonly bits: number
  readonly exponent: number
  readonly spki: string
}

const vectors = readVectors<PublicKeyVector>('public-keys')
const { keys } = JSON.parse(
  readFileSync(new URL('../vectors/public-keys.json', import.meta.url), 'utf8'),
) as { keys: Record<string, KnownKey> }

describe('parsePublicKey', () => {
  for (const { id, comment, text, minimumBits, expect } of vectors) {
    test(`${id}: ${comment}`, () => {
      const result = parsePublicKey(text, minimumBits === undefined ? {} : { minimumBits })
      if (result.outcome === 'refused') {
        assert.equal(expect.outcome, 'refused', result.refusal.message)
        assert.equal(result.refusal.reason, expect.reason, result.refusal.message)
        if (expect.details) assert.deepEqual(result.refusal.details, expect.details)
        return
      }
      assert.equal(expect.outcome, 'parsed')
      const known = expect.key === undefined ? undefined : keys[expect.key]
      assert.equal(encodeBase64(result.publicKey.spki), known?.spki ?? expect.spki)
      if (known) assert.equal(result.publicKey.bits, known.bits)
      if (known) assert.equal(result.publicKey.exponent, BigInt(known.exponent))
    })
  }

  test('gives k, the length of a sealed block, in whole bytes', () => {
    const { publicKey } = parsed(formatPublicKeyPem(spkiOf(2n ** 1024n + 1n)))
    assert.equal(publicKey.bits, 1025)
    assert.equal(publicKey.bytes, 129)
  })

  test('gives the key that OpenSSL reads from the same text', () => {
    for (const { text } of vectors.filter(({ flags }) => flags.includes('plain'))) {
      const { n } = createPublicKey(text).export({ format: 'jwk' })
      assert.equal(
        parsed(text).publicKey.modulus,
        BigInt(`0x${Buffer.from(n ?? '', 'base64url').toString('hex')}`),
      )
    }
  })

  test('does no work on a text that is absurdly long', () => {
    const result = parsePublicKey(`-----BEGIN PUBLIC KEY-----${'A'.repeat(20_000_000)}`)
    assert.equal(reasonOf(result), 'public_key_unreadable')
  })

  // An attacker would keep a server busy with one request.
  test('takes linear time for texts made to make it slow', () => {
    const repeated = (unit: string, start = '') => start + unit.repeat(Math.floor(16_300 / unit.length))
    const hostile = [
      repeated(' ', '-----BEGIN PUBLIC KEY-----MIIB'),
      repeated('M ', '-----BEGIN PUBLIC KEY-----MIIg'),
      repeated('A ', '-----BEGIN PUBLIC KEY-----MIIP/w'),
      repeated('-----BEGIN'),
      repeated('-----BEGIN '),
      repeated('-'),
      repeated('%25'),
      repeated('\\'),
      repeated('-BEGIN PRIVATE'.slice(0, 12)),
      repeated('"d" ', '{"kty"'),
      repeated('=', 'MIIB'),
      repeated('+', '-----BEGIN'),
      repeated('A', 'MIIf'),
      encodeBase64(Uint8Array.from({ length: 12_000 }, (_, index) => (index % 2 ? 0 : 0x30))),
      // A SEQUENCE of nothing but empty values.
      encodeBase64(Uint8Array.from([0x30, 0x82, 0x2e, 0xe0, ...new Uint8Array(12_000)])),
    ]
    const started = performance.now()
    for (const text of hostile) assert.equal(parsePublicKey(text).outcome, 'refused')
    // Each takes about a millisecond; quadratic work on 16,000 characters would take seconds.
    assert.ok(performance.now() - started < 1000)
  })

  test('never throws, whatever text it gets', () => {
    const fragments = fc.constantFrom(
      ...['-----', 'BEGIN', 'END', ' PUBLIC KEY', 'PRIVATE', 'MII', '%', '%0A', '\\n', ' ', '+', '=', '\n'],
    )
    const anything = fc.array(fc.oneof(fragments, fc.string(), fc.string({ unit: 'binary' })), {
      maxLength: 20,
    })
    fc.assert(fc.property(anything, (parts) => typeof parsePublicKey(parts.join('')).outcome === 'string'))
  })

  test('never throws for a PEM with changes in it', () => {
    const texts = vectors.filter(({ flags }) => !flags.includes('unreadable')).map(({ text }) => text)
    const edit = fc.record({ at: fc.nat(), length: fc.nat(3), put: fc.string({ maxLength: 3 }) })
    fc.assert(
      fc.property(
        fc.constantFrom(...texts),
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        (text, edits) => {
          const changed = edits.reduce((before, { at, length, put }) => {
            const start = at % (before.length + 1)
            return before.slice(0, start) + put + before.slice(start + length)
          }, text)
          return typeof parsePublicKey(changed).outcome === 'string'
        },
      ),
    )
  })

  test('never throws for DER with changed bytes', () => {
    const spki = decodeBase64(keys['rsa-2048']?.spki ?? '') ?? new Uint8Array()
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(40), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(spki.length),
        (changes, length) => {
          const bytes = spki.slice(0, length)
          for (const [at, byte] of changes) bytes[at] = byte
          return typeof parsePublicKey(formatPublicKeyPem(bytes)).outcome === 'string'
        },
      ),
    )
  })

  // Sealed for a key that nobody has, a payload is lost, and so is the key in it.
  test('mends a damaged PEM to the key that was sent, or refuses it, and never makes another key of it', () => {
    // Even lines are tried with plus signs planted near their ends, which is the hard case, uneven ones without: plus
    // signs in all the places where even lines would end are no more told from their ends than by chance.
    const lines = fc.oneof(
      fc.record({
        widths: fc.constantFrom(48, 60, 64, 70, 72, 76).map((width) => [width]),
        plusEvery: fc.constantFrom(63, 64, 65, 66, 67, 130, 1000),
      }),
      fc.record({
        widths: fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 2, maxLength: 9 }),
        plusEvery: fc.constant(1000),
      }),
    )
    const damage = fc.record({
      modulus: fc
        .uint8Array({ minLength: 128, maxLength: 200 })
        .map((bytes) => os2ip(Uint8Array.of(0x80, ...bytes)) | 1n),
      lines,
      lineBreak: fc.constantFrom(' ', '  ', '', '\n', '\r\n', '\\n', '%0A', '\n  '),
      plus: fc.constantFrom('+', ' '),
    })
    fc.assert(
      fc.property(damage, ({ modulus, lines: { widths, plusEvery }, lineBreak, plus }) => {
        const sent = plantPlusSigns(modulus, plusEvery)
        const lines = cutInto(encodeBase64(sent), widths)
        const text = ['-----BEGIN PUBLIC KEY-----', ...lines, '-----END PUBLIC KEY-----'].join(lineBreak)
        const result = parsePublicKey(text.replaceAll('+', plus))
        return result.outcome === 'parsed'
          ? encodeBase64(result.publicKey.spki) === encodeBase64(sent)
          : result.refusal.reason === 'public_key_not_percent_encoded'
      }),
      { numRuns: 500 },
    )
  })
})

describe('formatPublicKeyPem', () => {
  test('writes what OpenSSL writes', () => {
    for (const { spki } of Object.values(keys)) {
      const pem = formatPublicKeyPem(Buffer.from(spki, 'base64'))
      assert.equal(createPublicKey(pem).export({ type: 'spki', format: 'pem' }), pem)
    }
  })
})

function parsed(text: string): Extract<ReturnType<typeof parsePublicKey>, { outcome: 'parsed' }> {
  const result = parsePublicKey(text)
  assert.equal(result.outcome, 'parsed')
  return result
}

function reasonOf(result: ReturnType<typeof parsePublicKey>): string | undefined {
  return result.outcome === 'refused' ? result.refusal.reason : undefined
}

/** The SPKI of a key of this modulus, with the exponent 65537. */
function spkiOf(modulus: bigint): Uint8Array {
  // One bit more than it has, for the sign.
  return writeSpki(i2osp(modulus, Math.floor(modulus.toString(2).length / 8) + 1), Uint8Array.of(1, 0, 1))
}

/** The SPKI of a key of this modulus after plus signs were put into its Base64, one every `distance` characters. */
function plantPlusSigns(modulus: bigint, distance: number): Uint8Array {
  const spki = spkiOf(modulus)
  const characters = [...encodeBase64(spki)]
  // The first 60 characters hold the lengths and the last 20 the exponent, which are to stay.
  for (let at = distance; at < characters.length - 20; at += distance) if (at > 60) characters[at] = '+'
  return Buffer.from(characters.join(''), 'base64')
}

/** Cuts a text into lines of these widths, the last of which holds for all that follow. */
function cutInto(text: string, widths: readonly number[]): readonly string[] {
  const lines: string[] = []
  for (let start = 0; start < text.length; ) {
    const width = widths[Math.min(lines.length, widths.length - 1)] ?? 64
    lines.push(text.slice(start, start + width))
    start += width
  }
  return lines
}
