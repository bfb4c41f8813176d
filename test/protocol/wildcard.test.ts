import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { matchWildcard } from '../../src/protocol/wildcard.ts'

describe('matchWildcard', () => {
  test('agrees with the plain definition, whatever the alphabet a wildcard accepts', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '_'), maxLength: 9 })
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '_', '*', '*'), maxLength: 7 })
    fc.assert(
      fc.property(pattern, text, fc.boolean(), (glob, candidate, narrow) => {
        const accepts = narrow ? (run: string) => !run.includes('_') : () => true
        assert.equal(matchWildcard(glob, candidate, accepts), define(glob, candidate, accepts))
      }),
      { numRuns: 20_000 },
    )
  })

  test('goes over a hostile text once: a hundred wildcards and a million letters', () => {
    const pattern = `${'*a'.repeat(100)}*b`
    let seen = 0
    const accepts = (run: string) => {
      seen += run.length
      return true
    }
    assert.equal(matchWildcard(pattern, 'a'.repeat(1_000_000), accepts), false)
    assert.equal(matchWildcard(`${pattern}*`, 'a'.repeat(1_000_000), accepts), false)
    assert.ok(matchWildcard(`${'*a'.repeat(100)}*`, 'a'.repeat(1_000_000), accepts))
    assert.ok(seen <= 2_000_000, `looked at ${seen} characters`)
  })
})

/** Tries every length for every wildcard. */
function define(pattern: string, text: string, accepts: (run: string) => boolean): boolean {
  if (pattern === '') return text === ''
  if (pattern[0] !== '*') return pattern[0] === text[0] && define(pattern.slice(1), text.slice(1), accepts)
  for (let length = 0; length <= text.length; length += 1) {
    if (accepts(text.slice(0, length)) && define(pattern.slice(1), text.slice(length), accepts)) return true
  }
  return false
}
