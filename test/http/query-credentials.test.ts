import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { errorDocsPath } from '../../src/pages/paths.ts'
import { createTestSite, siteUrl, type TestSite } from '../test-site.ts'

let site: TestSite
let key: string
before(async () => {
  site = await createTestSite({
    keyInQueryRoutes: [{ methods: ['GET'], paths: ['/calendars/:name'], formats: ['ics'] }],
  })
  key = await site.approvedKey()
})
after(() => site.close())

async function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<string> {
  const answer = await site.hallpass.authenticate(new Request(siteUrl + path, { method, headers }))
  if (answer.outcome === 'refused') return answer.refusal.reason
  return answer.outcome === 'anonymous'
    ? 'anonymous'
    : `${answer.identity.user.username} by ${answer.identity.via}`
}

describe('a key in the address', () => {
  const feeds = [
    '/posts.rss',
    '/u/sam/activity.rss',
    '/users/sam/activity.rss',
    '/g/staff/posts.rss',
    '/g/staff/mentions.rss',
    '/topics/created-by/sam.rss',
    '/c/general/5.rss',
    '/c/general/inner/7.rss',
    '/t/a-topic/9.rss',
    '/badges/3/helpful.rss',
    '/tag/news.rss',
    '/latest.rss',
    '/unread.rss',
    '/new.rss',
    '/read.rss',
    '/posted.rss',
    '/bookmarks.rss',
    '/top/all.rss',
    '/top/daily.rss',
    '/u/sam/bookmarks.ics',
    '/calendars/mine.ics',
  ]
  for (const path of feeds) {
    test(`counts on GET ${path}`, async () => {
      assert.equal(await ask(`${path}?user_api_key=${key}`), 'sam by user_api_key')
    })
  }

  for (const path of [
    '/session/current.json',
    '/latest.json',
    '/latest',
    '/latest.ics',
    '/t/9.rss',
    '/top/ever.rss',
    '/u/sam/bookmarks.rss',
    '/u/sam/bookmarks.json',
    '/u/sam.rss',
    '/u/sam/x/activity.rss',
    '/calendars/mine.rss',
    '/calendars/mine',
  ]) {
    test(`means nothing on ${path}`, async () => {
      assert.equal(await ask(`${path}?user_api_key=${key}`), 'anonymous')
      const query = `api_key=${site.adminApiKey}&api_username=sam`
      assert.equal(await ask(`${path}?${query}`), 'anonymous')
    })
  }

  test('means nothing with another method than GET', async () => {
    assert.equal(await ask(`/latest.rss?user_api_key=${key}`, {}, 'POST'), 'anonymous')
    assert.equal(await ask(`/latest.rss?user_api_key=${key}`, {}, 'HEAD'), 'sam by user_api_key')
  })

  test('leaves GET /session/current.json to nobody: 404', async () => {
    for (const query of [`user_api_key=${key}`, `api_key=${site.adminApiKey}&api_username=sam`]) {
      assert.equal((await site.request(`/session/current.json?${query}`)).status, 404)
    }
  })

  test('is refused when it is bad, however public the feed', async () => {
    assert.equal(await ask(`/latest.rss?user_api_key=${'f'.repeat(32)}`), 'user_api_key_invalid')
    assert.equal(await ask(`/latest.rss?api_key=${'f'.repeat(64)}&api_username=sam`), 'api_key_invalid')
  })

  test('gives way to one in a header', async () => {
    assert.equal(
      await ask(`/latest.rss?user_api_key=${'f'.repeat(32)}`, { 'user-api-key': key }),
      'sam by user_api_key',
    )
  })
})

describe('an API key and its user', () => {
  const identities = (): [parameter: string, header: string, value: string][] => [
    ['api_username', 'api-username', 'Sam'],
    ['api_user_id', 'api-user-id', site.user.id],
  ]

  test('count together in the address of a feed', async () => {
    for (const [parameter, , value] of identities()) {
      assert.equal(
        await ask(`/latest.rss?api_key=${site.adminApiKey}&${parameter}=${value}`),
        'sam by api_key',
      )
    }
  })

  test('count together in headers, anywhere', async () => {
    for (const [, header, value] of identities()) {
      const headers = { 'api-key': site.adminApiKey, [header]: value }
      assert.equal(await ask('/orders', headers), 'sam by api_key')
      assert.equal(await ask('/latest.rss?api_username=admin', headers), 'sam by api_key')
    }
  })

  test('are refused when one is in a header and the other in the address, on feeds as elsewhere', async () => {
    for (const [parameter, header, value] of identities()) {
      for (const path of ['/latest.rss', '/orders']) {
        assert.equal(
          await ask(`${path}?${parameter}=${value}`, { 'api-key': site.adminApiKey }),
          'api_key_form_mixed',
        )
      }
      const inAddress = `/latest.rss?api_key=${site.adminApiKey}`
      assert.equal(await ask(inAddress, { [header]: value }), 'api_key_form_mixed')
    }
  })
})

describe('a path that can be read in two ways', () => {
  test('is refused to a key of either kind, and lets a visitor be one', async () => {
    const apiKey = { 'api-key': site.adminApiKey, 'api-username': 'sam' }
    assert.equal(await ask('/a%2fb', { 'user-api-key': key }), 'path_ambiguous')
    assert.equal(await ask('/a%2fb', apiKey), 'path_ambiguous')
    assert.equal(await ask(`/a%2fb.rss?user_api_key=${key}`), 'anonymous')
  })
})

describe('a bad key', () => {
  for (const path of [
    '/site/basic-info.json',
    '/session/csrf.json',
    errorDocsPath,
    '/hallpass/scopes.json',
  ]) {
    test(`of either kind fails ${path}, which is for anybody`, async () => {
      for (const headers of [
        { 'user-api-key': 'f'.repeat(32) },
        { 'api-key': 'f'.repeat(64), 'api-username': 'sam' },
      ]) {
        assert.equal((await site.request(path, { headers: { ...headers, accept: '*/*' } })).status, 403)
      }
      assert.equal((await site.request(path)).status, 200)
    })
  }

  test('fails a request whose other key is good', async () => {
    const good = { 'user-api-key': key, 'api-key': site.adminApiKey, 'api-username': 'admin' }
    assert.equal(await ask('/orders', good), 'sam by user_api_key')
    assert.equal(await ask('/orders', { ...good, 'api-key': 'f'.repeat(64) }), 'api_key_invalid')
    assert.equal(await ask('/orders', { ...good, 'user-api-key': 'f'.repeat(32) }), 'user_api_key_invalid')
  })
})
