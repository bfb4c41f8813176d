import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  describeScopes,
  parseScopeList,
  parseScopeParameters,
  scopeArguments,
} from '../../src/cli/scope-list.ts'

describe('parseScopeList', () => {
  const good: readonly [text: string, scopes: readonly string[], parameters: object][] = [
    ['read', ['read'], {}],
    ['read, write', ['read', 'write'], {}],
    [' read write,', ['read', 'write'], {}],
    ['invoices(customer_id=12)', ['invoices'], { invoices: { customer_id: ['12'] } }],
    [
      'read,shop:invoices(customer_id=12|13),write',
      ['read', 'shop:invoices', 'write'],
      { 'shop:invoices': { customer_id: ['12', '13'] } },
    ],
    [
      'invoices(customer_id = 12 | 13; state=open, or sent)',
      ['invoices'],
      { invoices: { customer_id: ['12', '13'], state: ['open, or sent'] } },
    ],
    ['a(x=1=2)', ['a'], { a: { x: ['1=2'] } }],
  ]
  for (const [text, scopes, scopeParameters] of good) {
    test(`reads ${text}`, () => assert.deepEqual(parseScopeList(text), { scopes, scopeParameters }))
  }

  const bad = [
    '',
    ' , ',
    'a(',
    'a(x=1',
    'a)',
    'a()',
    'a(x)',
    'a(x=)',
    'a(x=1|)',
    'a(=1)',
    'a((x=1))',
    '(x=1)',
  ]
  for (const text of bad) {
    test(`does not guess what ${JSON.stringify(text)} means`, () => {
      assert.throws(() => parseScopeList(text), { code: 'commander.invalidArgument' })
    })
  }
})

describe('parseScopeParameters', () => {
  test('reads the JSON of the wire', () => {
    assert.deepEqual(parseScopeParameters('{"a":{"x":["1|2",")"]}}'), { a: { x: ['1|2', ')'] } })
  })
  for (const text of ['', '[]', 'null', '{"a":1}', '{"a":{"x":"1"}}', '{"a":{"x":[1]}}']) {
    test(`refuses ${text}`, () => {
      assert.throws(() => parseScopeParameters(text), { code: 'commander.invalidArgument' })
    })
  }
})

describe('describeScopes', () => {
  test('says what is narrowed behind its scope', () => {
    const credential = { scopes: ['read', 'invoices'], scopeParameters: { invoices: { id: ['1', '2'] } } }
    assert.equal(describeScopes(credential), 'read, invoices (only id 1 or 2)')
    assert.equal(describeScopes({ scopes: ['read', 'write'] }), 'read, write')
  })
})

describe('scopeArguments', () => {
  test('writes what a shell reads as it was meant', () => {
    assert.equal(scopeArguments({ scopes: ['read', 'write'] }), '--scopes read,write')
    const scopeParameters = { invoices: { name: ["O'Hara; rm -rf $HOME"] } }
    assert.equal(
      scopeArguments({ scopes: ['invoices'], scopeParameters }),
      `--scopes invoices --scope-parameters '{"invoices":{"name":["O'\\''Hara; rm -rf $HOME"]}}'`,
    )
  })
})
