import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  matchAuthRedirect,
  parseAuthRedirect,
  validateRedirectPattern,
} from '../../src/protocol/auth-redirect.ts'
import { readVectors, type Vector } from '../vectors/read-vectors.ts'

interface RedirectVector extends Vector {
  readonly candidate: string
  readonly allowList: readonly string[]
  readonly expect:
    | { readonly outcome: 'allowed'; readonly entry: string }
    | { readonly outcome: 'refused'; readonly reason: string; readonly suggestedEntry?: string }
}

const vectors = readVectors<RedirectVector>('auth-redirects')

/** Texts near to addresses, in which the parts that matter come up often. */
const addressLike = fc
  .array(
    fc.oneof(
      fc.constantFrom('https', 'http', 'discourse', 'javascript', '://', ':', '/', '//', '?', '#', '@', '*'),
      fc.constantFrom('example.com', 'localhost', '127.0.0.1', '[::1]', '.', '..', '%2e', '80', '443', '|'),
      fc.string({ maxLength: 4 }),
      fc.string({ maxLength: 3, unit: 'binary' }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''))

describe('matchAuthRedirect', () => {
  for (const { id, comment, candidate, allowList, expect } of vectors) {
    test(`${expect.outcome}: ${comment} (${id})`, () => {
      const match = matchAuthRedirect(candidate, allowList)
      assert.equal(match.outcome, expect.outcome)
      if (match.outcome === 'allowed' && expect.outcome === 'allowed') assert.equal(match.entry, expect.entry)
      if (match.outcome === 'refused' && expect.outcome === 'refused') {
        assert.equal(match.refusal.reason, expect.reason)
        if (expect.suggestedEntry !== undefined)
          assert.equal(match.refusal.details.entry, expect.suggestedEntry)
      }
    })
  }

  test('names an entry that permits the refused address, is valid, and fits into the list', () => {
    fc.assert(
      fc.property(addressLike, (candidate) => {
        const match = matchAuthRedirect(candidate, [])
        if (match.outcome === 'allowed' || match.refusal.reason === 'auth_redirect_invalid') return
        const entry = String(match.refusal.details.entry)
        assert.equal(validateRedirectPattern(entry), undefined)
        assert.equal(matchAuthRedirect(candidate, [entry]).outcome, 'allowed')
      }),
      { numRuns: 2000 },
    )
    for (const { candidate } of vectors) {
      const match = matchAuthRedirect(candidate, [])
      if (match.outcome === 'allowed' || match.refusal.reason === 'auth_redirect_invalid') continue
      assert.equal(matchAuthRedirect(candidate, [String(match.refusal.details.entry)]).outcome, 'allowed')
    }
  })

  test('sends a key only to the host that the browser will go to', () => {
    // An attacker who finds an address that we and the browser read differently collects the keys of other people.
    const hosts = fc.constantFrom('a.example.com', 'evil.com', 'example.com', 'x.evil.com')
    const glue = fc.constantFrom('@', ':', '/', '\\', '?', '#', '.', '%2f', '%40', ' ', '\t', '//', ':80', '')
    fc.assert(
      fc.property(
        fc.constantFrom('https://', 'https:/', 'https:///'),
        hosts,
        glue,
        hosts,
        glue,
        (...parts) => {
          const candidate = parts.join('')
          const match = matchAuthRedirect(candidate, ['https://*.example.com', 'https://*.example.com/*'])
          if (match.outcome === 'allowed')
            assert.match(new URL(candidate).hostname, /^[a-z.]+\.example\.com$/)
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('answers for any text and any list', () => {
    fc.assert(
      fc.property(
        fc.oneof(addressLike, fc.string({ unit: 'binary' })),
        fc.array(addressLike),
        (text, list) => {
          assert.match(matchAuthRedirect(text, list).outcome, /^(allowed|refused)$/)
        },
      ),
    )
  })
})

describe('parseAuthRedirect', () => {
  test('takes an address apart without changing it', () => {
    const parsed = parseAuthRedirect('HTTP://User:1@[::1]:080?#')
    assert.deepEqual(parsed, {
      outcome: 'parsed',
      redirect: {
        text: 'HTTP://User:1@[::1]:080?#',
        scheme: 'HTTP',
        userinfo: 'User:1',
        host: '[::1]',
        port: '080',
        path: '',
        query: '',
        fragment: '',
      },
    })
  })

  test('gives parts that make up the address again', () => {
    fc.assert(
      fc.property(addressLike, (text) => {
        const parsed = parseAuthRedirect(text)
        if (parsed.outcome === 'refused') return
        const { scheme, userinfo, host, port, path, query, fragment } = parsed.redirect
        const before = userinfo === undefined ? '' : `${userinfo}@`
        const after = port === undefined ? '' : `:${port}`
        const tail = (query === undefined ? '' : `?${query}`) + (fragment === undefined ? '' : `#${fragment}`)
        assert.equal(`${scheme}://${before}${host}${after}${path}${tail}`, text)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('validateRedirectPattern', () => {
  for (const good of [
    '*',
    'loopback',
    'discourse://auth_redirect',
    'https://*.example.com/*',
    'http://[::1]:80/*',
  ])
    test(`accepts ${good}`, () => assert.equal(validateRedirectPattern(good), undefined))

  for (const bad of [
    '',
    'Loopback',
    'https://',
    'noscheme',
    'http://localhost:*/cb',
    '*://example.com',
    'https://example.com/a b',
    'https://example.com/?a|b',
    'https://example.com/a/../b',
    'javascript://host/*',
  ])
    test(`says what is wrong with ${JSON.stringify(bad)}`, () => {
      assert.equal(typeof validateRedirectPattern(bad), 'string')
    })
})
