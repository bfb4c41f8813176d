import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { decodeBase64, encodeBase64, encodeBase64Url, encodeMimeBase64 } from '../../src/protocol/base64.ts'

describe('encodeMimeBase64', () => {
  // The protocol's own numbers (§4.4).
  for (const [bits, characters] of [
    [1024, 175],
    [2048, 350],
    [4096, 696],
  ] as const) {
    test(`writes a ${bits}-bit block in ${characters} characters, a line feed after every 60 and at the end`, () => {
      const text = encodeMimeBase64(new Uint8Array(bits / 8).fill(0xfb))
      assert.equal(text.length, characters)
      const lines = text.split('\n')
      assert.equal(lines.pop(), '')
      assert.ok(lines.slice(0, -1).every((line) => line.length === 60))
      assert.ok((lines.at(-1)?.length ?? 0) > 0)
    })
  }

  test('ends a line of exactly 60 characters with one line feed', () => {
    assert.equal(encodeMimeBase64(new Uint8Array(45)), `${'A'.repeat(60)}\n`)
  })
})

describe('encodeBase64, encodeBase64Url', () => {
  test('write what Node writes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        assert.equal(encodeBase64(bytes), Buffer.from(bytes).toString('base64'))
        assert.equal(encodeBase64Url(bytes), Buffer.from(bytes).toString('base64url'))
      }),
    )
  })
})

describe('decodeBase64', () => {
  const shapes: Readonly<Record<string, (bytes: Uint8Array) => string>> = {
    'one line': encodeBase64,
    'MIME lines': encodeMimeBase64,
    'CRLF lines': (bytes) => encodeMimeBase64(bytes).replaceAll('\n', '\r\n'),
    'the URL-safe alphabet': encodeBase64Url,
    'missing padding': (bytes) => encodeBase64(bytes).replaceAll('=', ''),
    'white space anywhere': (bytes) => [...encodeBase64(bytes)].join(' \t'),
    'literal %0A': (bytes) => encodeMimeBase64(bytes).replaceAll('\n', '%0A'),
    'literal %0d%0a': (bytes) => encodeMimeBase64(bytes).replaceAll('\n', '%0d%0a'),
    'percent-encoding': (bytes) => encodeURIComponent(encodeMimeBase64(bytes)),
  }
  for (const [name, shape] of Object.entries(shapes)) {
    test(`reads ${name}`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
          assert.deepEqual(decodeBase64(shape(bytes)), bytes)
        }),
      )
    })
  }

  for (const text of [
    'A',
    'AAAAA',
    'AA=A',
    'AAA==',
    'AA===',
    '=',
    'AAAA=',
    'AA*A',
    '+_AA',
    'AA%41',
    'é',
    '\0',
  ]) {
    test(`does not take ${JSON.stringify(text)} for Base64`, () =>
      assert.equal(decodeBase64(text), undefined))
  }

  test('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        decodeBase64(text)
      }),
    )
  })
})
