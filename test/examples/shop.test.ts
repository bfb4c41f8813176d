import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { scopes } from '../../examples/shop/guarded.ts'
import { safeReturn } from '../../examples/shop/pages.ts'

describe('examples/shop', () => {
  test('has the same scopes in Python as in TypeScript', () => {
    const file = new URL('../../examples/shop/hallpass.config.json', import.meta.url)
    const config = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, unknown>>
    assert.deepEqual(config.scopes, scopes)
  })

  // What an attacker would gain: a link to the shop that leads whoever signs in to a copy of it.
  for (const elsewhere of [
    'https://elsewhere.example/',
    '//elsewhere.example',
    '/\\elsewhere.example',
    'javascript:1',
  ])
    test(`leads nobody to ${elsewhere} after sign-in`, () => {
      assert.equal(safeReturn(elsewhere, 'http://localhost:3000'), '/')
    })

  test('leads to where a customer wanted to go', () => {
    const wanted = 'http://localhost:3000/hallpass/apps'
    assert.equal(safeReturn(wanted, 'http://localhost:3000'), wanted)
  })
})
