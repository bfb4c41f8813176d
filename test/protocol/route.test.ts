import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { normalizeRoute } from '../../src/protocol/route.ts'
import { readVectors, type Vector } from '../vectors/read-vectors.ts'

interface RouteVector extends Vector {
  readonly method: string
  readonly rawPath: string
  readonly expect:
    | {
        readonly outcome: 'route'
        readonly method: string
        readonly path: string
        readonly format: string | null
      }
    | { readonly outcome: 'ambiguous'; readonly reason: string }
}

const pathLike = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '/',
        '/',
        '.',
        '..',
        '.json',
        '.ics',
        '%2e',
        '%2F',
        '%25',
        '%5c',
        ';',
        '%C3%BC',
        'a',
        '%',
      ),
      fc.string({ maxLength: 3 }),
      fc.string({ maxLength: 2, unit: 'binary' }),
    ),
    { maxLength: 10 },
  )
  .map((parts) => `/${parts.join('')}`)

describe('normalizeRoute', () => {
  for (const { id, comment, method, rawPath, expect } of readVectors<RouteVector>('route-normalisation')) {
    test(`${expect.outcome}: ${comment} (${id})`, () => {
      const normalized = normalizeRoute(method, rawPath)
      if (normalized.outcome === 'ambiguous') {
        assert.equal(expect.outcome, 'ambiguous', normalized.refusal.message)
        assert.equal(normalized.refusal.reason, 'path_ambiguous')
        return
      }
      const { format, ...route } = normalized.route
      assert.deepEqual({ outcome: 'route', ...route, format: format ?? null }, { rawPath, ...expect })
    })
  }

  test('is idempotent: a route, encoded again, is the same route', () => {
    fc.assert(
      fc.property(pathLike, (raw) => {
        const once = normalizeRoute('get', raw)
        if (once.outcome === 'ambiguous') return
        const { path, format } = once.route
        const encoded = path.split('/').map(encodeURIComponent).join('/') + (format ? `.${format}` : '')
        const twice = normalizeRoute('get', encoded)
        assert.deepEqual(twice, { outcome: 'route', route: { ...once.route, rawPath: encoded } })
      }),
      { numRuns: 5000 },
    )
  })

  test('reads a path as a URL parser does, or refuses it', () => {
    // The application behind parses addresses in its own way. Where we would disagree, a key could reach a route
    // that its scopes were not asked about.
    fc.assert(
      fc.property(pathLike, (raw) => {
        const normalized = normalizeRoute('GET', raw)
        if (normalized.outcome === 'ambiguous') return
        const url = new URL(`http://host${raw}`)
        const { path, format } = normalized.route
        assert.equal(
          decodeURIComponent(url.pathname).replace(/(?<=.)\/$/, ''),
          path + (format ? `.${format}` : ''),
        )
      }),
      { numRuns: 5000 },
    )
  })

  test('answers for any method and any path, in canonical form', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.oneof(pathLike, fc.string({ unit: 'binary' })),
        (method, raw) => {
          const normalized = normalizeRoute(method, raw)
          if (normalized.outcome === 'ambiguous') return
          const { path } = normalized.route
          assert.ok(path === '/' || /^(\/[^/\\\p{Cc}]+)+$/u.test(path), path)
        },
      ),
    )
  })
})
