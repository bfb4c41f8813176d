import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openSite } from '../forum/site.ts'
import { createTestSite, type TestSite } from '../test-site.ts'

let site: TestSite
before(async () => {
  site = await createTestSite()
})
after(() => site.close())

function callerOf({ headers }: { readonly headers: Headers }): readonly (string | null)[] {
  return [headers.get('x-discourse-username'), headers.get('x-discourse-route')]
}

describe('X-Discourse-Username and X-Discourse-Route', () => {
  test('stand on every answer to somebody who is known, by key, API key or session', async () => {
    const headers = { 'user-api-key': await site.approvedKey() }
    const browser = await site.signedIn()
    const path = '/session/current.json'
    assert.deepEqual(callerOf(await site.request(path, { headers })), ['sam', 'session/current'])
    assert.deepEqual(callerOf(await site.request(path, { headers, method: 'HEAD' })), [
      'sam',
      'session/current',
    ])
    assert.deepEqual(callerOf(await site.asAdmin(path)), ['admin', 'session/current'])
    assert.deepEqual(callerOf(await browser.request(path)), ['sam', 'session/current'])
  })

  test('stand on an answer that a route refuses to somebody who is known', async () => {
    const headers = { 'user-api-key': await site.approvedKey({ scopes: 'write' }) }
    const revoke = await site.request('/user-api-key/undo-revoke.json', { method: 'POST', headers })
    assert.equal(revoke.status, 404)
    assert.deepEqual(callerOf(revoke), ['sam', 'user_api_keys/undo_revoke'])
  })

  test('stand on no answer to nobody, and on no refusal of a key', async () => {
    assert.deepEqual(callerOf(await site.request('/session/current.json')), [null, null])
    const headers = { 'user-api-key': 'f'.repeat(32) }
    assert.deepEqual(callerOf(await site.request('/session/current.json', { headers })), [null, null])
  })

  test('stand on the forum’s answers, the refused ones among them', async () => {
    using forum = await openSite()
    const topic = await forum.topic()
    const as = (path: string, method = 'GET') => forum.request(method, path, { key: 'sam' })
    assert.deepEqual(callerOf(await as('/latest.json')), ['Sam', 'list/latest'])
    assert.deepEqual(callerOf(await as('/notifications.json')), ['Sam', 'notifications/index'])
    assert.deepEqual(callerOf(await as(`/t/${topic.topic_id}.json`)), ['Sam', 'topics/show'])
    assert.deepEqual(callerOf(await as('/t/999999.json')), ['Sam', 'topics/show'])
    assert.deepEqual(callerOf(await as('/nowhere.json')), ['Sam', 'exceptions/not_found'])
    assert.deepEqual(callerOf(await forum.request('GET', '/latest.json')), [null, null])
  })
})
