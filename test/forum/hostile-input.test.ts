import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { openSite } from './site.ts'

const routes: readonly (readonly [string, string])[] = [
  ['GET', '/latest.json?page=X'],
  ['GET', '/filter.json?q=X&per_page=X'],
  ['GET', '/search.json?q=X&page=X'],
  ['GET', '/t/X.json'],
  ['GET', '/t/1/X.json'],
  ['GET', '/t/1/posts.json?post_ids[]=X'],
  ['GET', '/posts.json?before=X'],
  ['GET', '/posts/X.json'],
  ['GET', '/c/X/X.json'],
  ['GET', '/tag/X.json'],
  ['GET', '/top.json?period=X'],
  ['GET', '/u/X.json'],
  ['GET', '/user_actions.json?username=X&filter=X&offset=X'],
  ['GET', '/notifications.json?limit=X&offset=X&filter=X'],
  ['GET', '/drafts.json?offset=X'],
  ['GET', '/drafts/X.json'],
  ['GET', '/forum/avatar/X/40.svg'],
  ['PUT', '/t/X/status.json'],
  ['DELETE', '/posts/X.json'],
]

const values = [
  '',
  '0',
  '-1',
  '1.5',
  '1e9',
  '2147483648',
  '9007199254740993',
  '9'.repeat(400),
  'NaN',
  'true',
  'null',
  '%00',
  '%ff',
  '%ud800',
  '%F0%9F%98%80',
  '..%2f',
  '%2e%2e',
  "'%20or%201=1--",
  '%25',
  '%5B%5D',
  '[]',
  '__proto__',
  'a'.repeat(5000),
]

describe('whatever a caller sends', () => {
  for (const [method, route] of routes) {
    test(`${method} ${route} never answers 5xx`, async () => {
      using site = await openSite()
      for (const value of values) {
        for (const page of [false, true]) {
          const { status } = await site.request(method, route.replaceAll('X', value), { as: 'sam', page })
          assert.ok(status < 500, `${value.slice(0, 40)}: ${status}`)
        }
      }
      assert.deepEqual(site.faults, [])
    })
  }

  test('a body of any JSON is stored or refused', async () => {
    using site = await openSite()
    const fields = [
      'title',
      'raw',
      'topic_id',
      'category',
      'reply_to_post_number',
      'tags',
      'archetype',
      'id',
      'post',
    ]
    const body = fc.dictionary(
      fc.constantFrom(...fields),
      fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' })),
    )
    const targets = [
      ['POST', '/posts.json'],
      ['PUT', '/posts/1.json'],
      ['PUT', '/t/1.json'],
      ['PUT', '/notifications/read.json'],
      ['POST', '/drafts.json'],
      ['POST', '/topics/timings'],
      ['POST', '/categories.json'],
    ] as const
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...targets), body, async ([method, path], json) => {
        const { status } = await site.request(method, path, { as: 'ada', json })
        assert.ok(status < 500)
      }),
      { numRuns: 300 },
    )
    assert.deepEqual(site.faults, [])
  })

  for (const [name, type, body, reason] of [
    ['JSON that is none', 'application/json', '{"raw":', 'body_unreadable'],
    ['JSON that is no object', 'application/json', '[1,2]', 'body_unreadable'],
    ['JSON nested without end', 'application/json', '['.repeat(100_000), 'body_unreadable'],
    ['bytes that are no UTF-8', 'application/json', new Uint8Array([123, 255, 125]), 'body_unreadable'],
    ['a type that is none', 'image/png', 'abc', 'body_unreadable'],
    ['a multipart form without parts', 'multipart/form-data; boundary=x', 'abc', 'body_unreadable'],
    [
      'a body above 256 KiB',
      'application/x-www-form-urlencoded',
      `raw=${'x'.repeat(262_144)}`,
      'body_too_large',
    ],
    ['a list for a text', 'application/json', '{"raw":["a"],"title":"A good title"}', 'parameter_invalid'],
    [
      'an object for a text',
      'application/json',
      '{"raw":{"a":1},"title":"A good title"}',
      'parameter_invalid',
    ],
    ['a number that is none', 'application/json', '{"topic_id":1.5,"raw":"a"}', 'parameter_invalid'],
  ] as const) {
    test(`${name} is refused as ${reason}`, async () => {
      using site = await openSite()
      const headers = { 'content-type': type }
      const { status, json } = await site.request('POST', '/posts.json', { as: 'sam', headers, body })
      assert.equal(json.reason, reason)
      assert.ok(status < 500)
    })
  }

  test('a body that goes on for ever is refused when it has gone too far', async () => {
    using site = await openSite()
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 65_536
        controller.enqueue(new Uint8Array(65_536).fill(97))
      },
    })
    const headers = { 'content-type': 'application/json', cookie: 'session=sam', 'x-csrf-token': 'good' }
    const init = { method: 'POST', headers, body, duplex: 'half' }
    const response = await site.forum.fetch(new Request('https://forum.test/posts.json', init))
    assert.equal(response.status, 413)
    assert.ok(sent < 1_000_000)
  })

  test('HEAD is answered like GET, without a body', async () => {
    using site = await openSite()
    const { status, text } = await site.request('HEAD', '/latest.json')
    assert.equal(status, 200)
    assert.equal(text, '')
  })
})
