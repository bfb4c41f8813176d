import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { describePermission, includes, permissionsOf, takesAll } from '../../../src/cli/scopes/permission.ts'
import { compilePattern, matchPattern } from '../../../src/protocol/route-pattern.ts'

describe('takesAll', () => {
  const cases: readonly [larger: string, smaller: string, expected: boolean][] = [
    ['/a', '/a', true],
    ['/a/:id', '/a/new', true],
    ['/a/new', '/a/:id', false],
    ['/a/:id', '/a/:id{[0-9]+}', true],
    ['/a/:id{[0-9]+}', '/a/:id', false],
    ['/a/:id{[0-9]+}', '/a/7', true],
    ['/a/*', '/a/:id/b', true],
    ['/a/*', '/a', false],
    ['/*', '/', false],
    ['/*', '/a/*/b', true],
    ['/*/b', '/a/*/b', true],
    ['/a/*/b', '/a/b', false],
    ['/a/:x', '/a/*', false],
    ['/a/:x/*', '/a/*', false],
    ['/a/:x/*', '/a/*/b', true],
  ]
  for (const [larger, smaller, expected] of cases) {
    test(`${larger} ${expected ? 'takes' : 'does not take'} all of ${smaller}`, () => {
      assert.equal(takesAll(compilePattern(larger), compilePattern(smaller)), expected)
    })
  }

  // Whoever reads that a scope is contained in another may take it away.
  test('says so of no two patterns of which the smaller takes a path that the larger does not', () => {
    const segment = fc.constantFrom('a', 'b', '7', ':x', ':y', ':n{[0-9]+}', '*')
    const pattern = fc
      .uniqueArray(segment, { maxLength: 4, selector: (one) => (one.startsWith(':') ? one : {}) })
      .filter((segments) => segments.filter((one) => one === '*').length <= 1)
      .map((segments) => compilePattern(`/${segments.join('/')}`))
    const path = fc
      .array(fc.constantFrom('a', 'b', '7', 'c'), { maxLength: 6 })
      .map((list) => `/${list.join('/')}`)
    fc.assert(
      fc.property(pattern, pattern, path, (larger, smaller, one) => {
        if (!takesAll(larger, smaller) || matchPattern(smaller, one) === undefined) return
        assert.notEqual(matchPattern(larger, one), undefined, `${larger.source} ${smaller.source} ${one}`)
      }),
      { numRuns: 3000 },
    )
  })
})

describe('includes', () => {
  const [get, head, json, any] = permissionsOf([
    { methods: ['GET', 'HEAD'], paths: ['/a'] },
    { methods: ['GET'], paths: ['/a'], formats: ['json'] },
    { paths: ['/:x'] },
  ])
  assert.ok(get && head && json && any)
  test('compares method, path and format', () => {
    assert.deepEqual(
      [
        includes(get, head),
        includes(head, get),
        includes(get, json),
        includes(json, get),
        includes(any, get),
      ],
      [true, false, true, false, true],
    )
  })
  test('each is described in a few words', () => {
    assert.deepEqual([get, json, any].map(describePermission), [
      'GET /a',
      'GET /a.json',
      'every method of /:x',
    ])
    assert.deepEqual(permissionsOf([{ methods: ['GET'] }]).map(describePermission), ['GET of every path'])
  })
})
