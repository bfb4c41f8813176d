import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parametersIn, restoreBody } from '../../src/edge/parsed-body.ts'

const form = 'application/x-www-form-urlencoded'

describe('restoreBody', () => {
  const cases: readonly { what: string; type: string; parsed: unknown; text: string }[] = [
    { what: 'JSON stays JSON', type: 'application/json', parsed: { a: [1, null] }, text: '{"a":[1,null]}' },
    { what: 'JSON of a vendor', type: 'application/vnd.x+json; charset=utf-8', parsed: {}, text: '{}' },
    { what: 'a form', type: form, parsed: { a: 'x y', b: '' }, text: 'a=x+y&b=' },
    { what: 'a name that came twice stays twice', type: form, parsed: { a: ['1', '2'] }, text: 'a=1&a=2' },
    { what: 'names that nobody took apart', type: form, parsed: { 'key[ips][]': 'x' }, text: 'key[ips][]=x' },
    {
      what: 'a list in an object',
      type: form,
      parsed: { key: { ips: ['x', 'y'] } },
      text: 'key[ips][]=x&key[ips][]=y',
    },
    {
      what: 'objects in a list, by number',
      type: form,
      parsed: { key: { scopes: [{ id: 'a', v: '1' }, { id: 'b' }] } },
      text: 'key[scopes][0][id]=a&key[scopes][0][v]=1&key[scopes][1][id]=b',
    },
    {
      what: 'fields of multipart, as a form',
      type: 'multipart/form-data; boundary=x',
      parsed: { a: '1' },
      text: 'a=1',
    },
    { what: 'text', type: 'text/plain', parsed: 'as it is', text: 'as it is' },
    { what: 'bytes', type: form, parsed: Buffer.from('a=1'), text: 'a=1' },
  ]
  for (const { what, type, parsed, text } of cases) {
    test(what, () => {
      const restored = restoreBody(parsed, type).text
      const read = typeof restored === 'string' ? restored : Buffer.from(restored).toString()
      assert.equal(read.replaceAll('%5B', '[').replaceAll('%5D', ']'), text)
    })
  }
})

describe('parametersIn', () => {
  test('knows the parameters of plain objects alone', () => {
    assert.deepEqual(parametersIn({ a: 1 }), { a: 1 })
    for (const other of ['a=1', Buffer.from('a'), [1], new FormData(), 7])
      assert.equal(parametersIn(other), 'unread')
  })
})
