import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type ParameterSources, readParameters } from '../../src/protocol/parameters.ts'

const specs = {
  nonce: { limit: 8 },
  scopes: { limit: 20, list: true },
  client_id: { limit: 20 },
  expires_in_seconds: { limit: 20, digits: true },
} as const

function read(query: string, body?: ParameterSources['body']): unknown {
  const result = readParameters({ query: new URLSearchParams(query), body }, specs)
  return result.outcome === 'read' ? result.values : [result.refusal.reason, result.refusal.details.field]
}

const form = (text: string) => new URLSearchParams(text)
const json = (text: string): Record<string, unknown> => JSON.parse(text)

describe('readParameters', () => {
  const cases: readonly [
    guarantee: string,
    query: string,
    body: ParameterSources['body'],
    expected: unknown,
  ][] = [
    ['reads the query', 'nonce=a&scopes=read', undefined, { nonce: 'a', scopes: 'read' }],
    ['reads a form body', '', form('nonce=a'), { nonce: 'a' }],
    ['reads a JSON body', '', json('{"nonce":"a"}'), { nonce: 'a' }],
    ['lets a form body win over the query', 'nonce=q', form('nonce=b'), { nonce: 'b' }],
    [
      'lets a JSON body win over the query',
      'nonce=q&client_id=c',
      json('{"nonce":"b"}'),
      { nonce: 'b', client_id: 'c' },
    ],
    ['takes JSON null for not sent', 'nonce=q', json('{"nonce":null}'), { nonce: 'q' }],
    ['takes a blank value for missing, whatever the query holds', 'nonce=q', form('nonce='), {}],
    ['takes white space of any kind for blank', 'nonce=%20%09%0A%C2%A0%E3%80%80', undefined, {}],
    ['trims nothing', 'client_id=host%0A', undefined, { client_id: 'host\n' }],
    ['ignores what it is not asked for', 'other=1&other=2', json('{"more":{}}'), {}],
    ['ignores names with brackets', 'scopes[]=read', undefined, {}],
    [
      'takes a JSON number where digits belong',
      '',
      json('{"expires_in_seconds":3600}'),
      { expires_in_seconds: '3600' },
    ],
    [
      'leaves it to others what a number must be',
      '',
      json('{"expires_in_seconds":-1.5}'),
      { expires_in_seconds: '-1.5' },
    ],
    ['joins a JSON array of scopes', '', json('{"scopes":["read","write"]}'), { scopes: 'read,write' }],
    ['takes an empty array for missing', '', json('{"scopes":[]}'), {}],
    ['reads no inherited property', '', Object.create({ nonce: 'a' }), {}],
    ['counts bytes, not letters', 'nonce=%C3%BC%C3%BC%C3%BC%C3%BC', undefined, { nonce: 'üüüü' }],
    [
      'refuses a value that is too long in bytes',
      'nonce=%C3%BC%C3%BC%C3%BC%C3%BCa',
      undefined,
      ['parameter_too_long', 'nonce'],
    ],
    ['refuses a name twice in the query', 'nonce=a&nonce=a', undefined, ['parameter_duplicated', 'nonce']],
    ['refuses a name twice in the form', '', form('nonce=a&nonce=b'), ['parameter_duplicated', 'nonce']],
    [
      'refuses a name twice in the query even when the body wins',
      'nonce=a&nonce=b',
      form('nonce=c'),
      ['parameter_duplicated', 'nonce'],
    ],
    ['refuses a number where text belongs', '', json('{"nonce":1}'), ['parameter_invalid', 'nonce']],
    [
      'refuses a boolean',
      '',
      json('{"expires_in_seconds":true}'),
      ['parameter_invalid', 'expires_in_seconds'],
    ],
    ['refuses an object', '', json('{"client_id":{"a":1}}'), ['parameter_invalid', 'client_id']],
    [
      'refuses an array where there is no list',
      '',
      json('{"client_id":["a"]}'),
      ['parameter_invalid', 'client_id'],
    ],
    [
      'refuses an array of anything but strings',
      '',
      json('{"scopes":["read",1]}'),
      ['parameter_invalid', 'scopes'],
    ],
    ['refuses an array in an array', '', json('{"scopes":[["read"]]}'), ['parameter_invalid', 'scopes']],
    ['refuses a NUL', 'nonce=a%00', undefined, ['parameter_invalid', 'nonce']],
    ['refuses half of a surrogate pair', '', json('{"nonce":"\\ud800"}'), ['parameter_invalid', 'nonce']],
  ]
  for (const [guarantee, query, body, expected] of cases)
    test(guarantee, () => assert.deepEqual(read(query, body), expected))

  test('says how long a value is and may be', () => {
    const result = readParameters({ query: new URLSearchParams('nonce=123456789') }, specs)
    assert.deepEqual(result.outcome === 'refused' && result.refusal.details, {
      field: 'nonce',
      actual: 9,
      limit: 8,
    })
  })

  test('answers for any query and any JSON', () => {
    const body = fc.dictionary(fc.constantFrom(...Object.keys(specs), '__proto__', 'x'), fc.jsonValue())
    fc.assert(fc.property(fc.webQueryParameters(), body, (query, value) => void read(query, value)))
  })
})

describe('a parameter that is a JSON object', () => {
  const spec = { narrowing: { limit: 20, json: true } }
  const of = (body: Record<string, unknown>): unknown => {
    const result = readParameters({ query: new URLSearchParams(), body }, spec)
    return result.outcome === 'read' ? result.values : result.refusal.reason
  }

  test('may stand in a JSON body as the object or as its text, within the same limit', () => {
    assert.deepEqual(of({ narrowing: { a: ['1'] } }), { narrowing: '{"a":["1"]}' })
    assert.deepEqual(of({ narrowing: '{"a":["1"]}' }), { narrowing: '{"a":["1"]}' })
    assert.equal(of({ narrowing: { a: ['1'.repeat(20)] } }), 'parameter_too_long')
    assert.equal(of({ narrowing: ['a'] }), 'parameter_invalid')
    assert.deepEqual(of({ narrowing: null }), {})
  })
})
