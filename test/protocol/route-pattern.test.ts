import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { compilePattern, matchPattern } from '../../src/protocol/route-pattern.ts'

describe('matchPattern', () => {
  const cases: readonly [pattern: string, path: string, values: Record<string, string> | undefined][] = [
    ['/', '/', {}],
    ['/', '/a', undefined],
    ['/a', '/', undefined],
    ['/latest', '/latest', {}],
    ['/latest', '/Latest', undefined],
    ['/latest', '/latest/x', undefined],
    ['/u/:username/emails', '/u/bob/emails', { username: 'bob' }],
    ['/u/:username/emails', '/u/john.doe/emails', { username: 'john.doe' }],
    ['/u/:username/emails', '/u/a/b/emails', undefined],
    ['/u/:username', '/u', undefined],
    ['/t/:slug/:id', '/t/hello/5', { slug: 'hello', id: '5' }],
    ['/t/:id{[0-9]+}/posts', '/t/5/posts', { id: '5' }],
    ['/t/:id{[0-9]+}', '/t/5x', undefined],
    ['/t/:id{[0-9]+}', '/t/٥', undefined],
    ['/t/:id{[0-9]+}', '/t/5\n', undefined],
    ['/:constructor', '/x', { constructor: 'x' }],
    ['/message-bus/*/poll', '/message-bus/1/poll', {}],
    ['/message-bus/*/poll', '/message-bus/1/2/poll', {}],
    ['/message-bus/*/poll', '/message-bus/poll/poll', {}],
    ['/message-bus/*/poll', '/message-bus/poll', undefined],
    ['/message-bus/*/poll', '/message-bus/1/pool', undefined],
    ['/*', '/', undefined],
    ['/*', '/a/b', {}],
    ['/a/*', '/a', undefined],
    ['/*/:id', '/a/b/7', { id: '7' }],
  ]
  for (const [pattern, path, values] of cases) {
    test(`${pattern} ${values ? 'takes' : 'does not take'} ${path}`, () => {
      assert.deepEqual(matchPattern(compilePattern(pattern), path), values)
    })
  }

  test('goes over a long path once', () => {
    const path = '/a'.repeat(200_000)
    assert.equal(matchPattern(compilePattern('/a/*/b/:c/b'), path), undefined)
    assert.deepEqual(matchPattern(compilePattern('/a/*/a/:c'), path), { c: 'a' })
  })

  test('answers for any path', () => {
    const pattern = compilePattern('/a/*/:b')
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (path) => void matchPattern(pattern, path)))
  })
})

describe('compilePattern', () => {
  for (const bad of [
    '',
    'a',
    '/a/',
    '//a',
    '/a//b',
    '/a/../b',
    '/a/./b',
    '/a*',
    '/*/a/*',
    '/:A',
    '/:',
    '/:__proto__',
    '/:id{[a-z]+}',
    '/:id{[0-9]+',
    '/:id{[0-9]+}x',
    '/{[0-9]+}',
    '/a:b',
    '/:a/:a',
    '/:a/*/:a',
    '/a?b',
    '/a#b',
    '/a%20b',
    '/a\\b',
    '/a\nb',
    '/a.json',
    '/:a.json',
  ])
    test(`throws a TypeError for ${JSON.stringify(bad)}`, () => {
      assert.throws(() => compilePattern(bad), TypeError)
    })
})
