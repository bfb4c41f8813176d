import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { encodeMimeBase64 } from '../../src/protocol/base64.ts'
import { appendPayload, type RedirectValues } from '../../src/protocol/redirect-address.ts'
import { readVectors, type Vector } from '../vectors/read-vectors.ts'

interface RedirectAddressVector extends Vector {
  readonly authRedirect: string
  readonly values: RedirectValues
  readonly expect: string
}

describe('appendPayload', () => {
  for (const { id, comment, authRedirect, values, expect } of readVectors<RedirectAddressVector>(
    'redirect-addresses',
  )) {
    test(`${id}: ${comment}`, () => assert.equal(appendPayload(authRedirect, values), expect))
  }

  test('is read back by a URL parser, beside the query and the fragment that were there', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 })
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), bytes, (address, sealed) => {
        const payload = encodeMimeBase64(sealed)
        const before = new URL(address)
        const result = new URL(appendPayload(address, { payload, oneTimePassword: 'x' }))
        assert.equal(result.searchParams.getAll('payload').at(-1), payload)
        assert.equal(result.searchParams.get('oneTimePassword'), 'x')
        assert.equal(result.hash, before.hash)
        assert.ok(result.search.startsWith(before.search))
        assert.equal(result.origin + result.pathname, before.origin + before.pathname)
      }),
    )
  })
})
