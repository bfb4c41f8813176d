import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createScopeCatalogue } from '../../src/protocol/scopes.ts'
import { type ItemKind, itemProblem } from '../../src/protocol/setting-items.ts'

describe('itemProblem', () => {
  const cases: readonly [kind: ItemKind, good: readonly string[], bad: readonly string[]][] = [
    ['scope', ['read', 'user_status'], ['Read', 'toString', 'reads']],
    ['redirect', ['*', 'loopback', 'discourse://auth_redirect'], ['https://', 'example.com']],
    ['group', ['1', '10', '41'], ['0', '4', '01', '-1', 'staff']],
    [
      'url',
      ['https://a.example/b?c#d', 'HTTP://a.example'],
      ['a.example', 'https://', 'https://a\\b', 'ws://a', 'https://user@a.example', 'https://:pw@a.example'],
    ],
    [
      'origin',
      ['https://a.example', 'http://localhost:3000'],
      ['https://a.example/', 'https://A.example', '*', 'null'],
    ],
    [
      'address',
      ['192.0.2.7', '192.0.2.0/24', '0.0.0.0/0', '::1', '2001:db8::/32', '::ffff:192.0.2.7'],
      [
        '192.0.2',
        '192.0.2.256',
        '192.0.2.7.',
        '01.2.3.4',
        '192.0.2.0/33',
        '::1/129',
        '::1/',
        '1::2::3',
        'fe80',
        '::1/64/1',
        '',
      ],
    ],
  ]
  for (const [kind, good, bad] of cases) {
    for (const item of good)
      test(`takes ${item} for an item of kind ${kind}`, () =>
        assert.equal(itemProblem(kind, item, createScopeCatalogue()), undefined))
    for (const item of bad)
      test(`takes ${JSON.stringify(item)} for no item of kind ${kind}`, () =>
        assert.equal(typeof itemProblem(kind, item, createScopeCatalogue()), 'string'))
  }
})
