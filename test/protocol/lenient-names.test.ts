import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  couldBeReadAs,
  namesInForm,
  namesInObject,
  plainHeaderName,
} from '../../src/protocol/lenient-names.ts'
import { readVectors, type Vector } from '../vectors/read-vectors.ts'

interface NameVector extends Vector {
  readonly name: string
  readonly sent: string
  readonly expect: boolean
}

// What an attacker would gain: a key that is narrowed to one customer reads another's, because the application takes a
// name for the narrowed one that Hallpass takes for none.
describe('couldBeReadAs', () => {
  for (const { id, comment, name, sent, expect } of readVectors<NameVector>('parameter-names')) {
    test(`${JSON.stringify(sent)} is ${expect ? '' : 'not '}read as ${name}: ${comment} (${id})`, () => {
      assert.equal(couldBeReadAs(sent, name), expect)
    })
  }

  test('never is the very name', () => {
    fc.assert(fc.property(fc.string(), (name) => !couldBeReadAs(name, name)))
  })

  test('is so whatever stands around it that is no letter', () => {
    const junk = fc.string({ unit: fc.constantFrom(' ', '[', ']', '!', ';', '\t', '\u200b', '"', "'", '$') })
    fc.assert(
      fc.property(junk, junk, (before, after) => {
        const sent = `${before}Customer_Id${after}`
        assert.equal(couldBeReadAs(sent, 'customer_id'), true, sent)
      }),
    )
  })

  test('takes time in proportion to the name’s length', () => {
    for (const piece of ['[', '.', '%', '%25', 'a[', '_', '\u0130', '; ']) {
      const started = performance.now()
      couldBeReadAs(piece.repeat(100_000), 'customer_id')
      assert.ok(performance.now() - started < 2000, piece)
    }
  })
})

describe('namesInForm', () => {
  test('has those that stand behind a semicolon, marked by it', () => {
    const form = new URLSearchParams('a=1;customer_id=13&b;c=2&d=%3b_method=x&e=1')
    const names = ['a', ';customer_id=13', 'b;c', ';c=2', 'd', ';_method=x', 'e']
    assert.deepEqual(namesInForm(form), names)
    assert.equal(couldBeReadAs(';customer_id=13', 'customer_id'), true)
  })
})

describe('namesInObject', () => {
  test('has those of objects in it, one level deep, and none of lists', () => {
    const names = namesInObject({ a: 1, b: { c: 2, d: { e: 3 } }, f: [{ g: 4 }], h: null })
    assert.deepEqual(names, ['a', 'b', '[c]', '[d]', 'f', 'h'])
  })
})

describe('plainHeaderName', () => {
  test('is the same for every spelling that CGI takes for one', () => {
    for (const name of ['X-HTTP-Method', 'x_http_method', 'X.Http_Method']) {
      assert.equal(plainHeaderName(name), 'x-http-method')
    }
  })
})
