/** Short cuts of the hot path decide as the long way does, whatever is sent. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { normalizeRoute } from '../../src/protocol/route.ts'
import { compilePattern, fitsPattern, matchPattern } from '../../src/protocol/route-pattern.ts'

const piece = fc.constantFrom(
  'a',
  'orders',
  '7',
  '.',
  '..',
  '',
  ';',
  'x;y',
  '~',
  '%',
  'é',
  '.json',
  'a.rss',
  '\\',
  ' ',
  '_',
  '@',
  "'",
  '\u0001',
  '\ud800',
)
const path = fc
  .array(
    fc.array(piece, { maxLength: 3 }).map((pieces) => pieces.join('')),
    { maxLength: 5 },
  )
  .map((segments) => `/${segments.join('/')}`)

describe('normalizeRoute', () => {
  test('reads a plain path as it reads one in which a letter is encoded', () => {
    fc.assert(
      fc.property(path, fc.nat(), (raw, pick) => {
        const places = [...raw.matchAll(/[a-z0-9_~]/g)].map(({ index }) => index)
        fc.pre(places.length > 0 && !raw.includes('%'))
        const at = places[pick % places.length] ?? 0
        const code = raw.charCodeAt(at).toString(16)
        const encoded = `${raw.slice(0, at)}%${code}${raw.slice(at + 1)}`
        const [plain, other] = [normalizeRoute('GET', raw), normalizeRoute('GET', encoded)]
        assert.equal(plain.outcome, other.outcome)
        if (plain.outcome === 'route' && other.outcome === 'route')
          assert.deepEqual({ ...plain.route, rawPath: '' }, { ...other.route, rawPath: '' })
      }),
      { numRuns: 3000 },
    )
  })
})

const name = fc.constantFrom('a', 'b', 'orders', 'a.b', 'x+y', '(z)', '7')
const segment = fc.oneof(name, fc.constantFrom(':one', ':two', ':id{[0-9]+}'))
const pattern = fc
  .tuple(fc.uniqueArray(segment, { maxLength: 3 }), fc.option(fc.uniqueArray(name, { maxLength: 2 })))
  .map(([head, tail]) => `/${[...head, ...(tail ? ['*', ...tail] : [])].join('/')}`)
const asked = fc
  .array(fc.oneof(name, fc.constantFrom('', '12', 'a\nb', 'aXb', '😀')), { maxLength: 6 })
  .map((segments) => `/${segments.join('/')}`)

describe('fitsPattern', () => {
  test('says of every path what matchPattern does', () => {
    fc.assert(
      fc.property(pattern, asked, (source, path) => {
        const compiled = compilePattern(source)
        assert.equal(fitsPattern(compiled, path), matchPattern(compiled, path) !== undefined)
      }),
      { numRuns: 5000 },
    )
  })

  test('takes time in proportion to the length of the path', () => {
    const compiled = compilePattern('/a/*/b/:c/d')
    const time = (length: number): number => {
      const long = `/a/${'b/'.repeat(length)}`
      const began = process.cpuUsage()
      for (let run = 0; run < 20; run += 1) assert.equal(fitsPattern(compiled, long), false)
      const { user, system } = process.cpuUsage(began)
      return user + system
    }
    time(1000)
    assert.ok(time(100_000) < 5_000_000)
  })
})
