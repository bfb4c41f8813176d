import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestSite, type TestSite } from '../test-site.ts'

const [first, second] = ['https://app.example.com', 'http://localhost:5173']

async function siteWith(settings: { cors_origins?: string; enable_cors?: string }): Promise<TestSite> {
  return createTestSite({ pinnedSettings: settings })
}

const preflight = { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST', origin: second } }

describe('CORS, with origins listed', () => {
  let site: TestSite
  before(async () => {
    site = await siteWith({ cors_origins: `${first}|${second}` })
  })
  after(() => site.close())

  test('a preflight of any path is answered with what is allowed, and no body', async () => {
    for (const path of ['/user-api-key/revoke', '/posts.json', '/no/such/path', '/odd%2Fpath']) {
      const response = await site.request(path, preflight)
      assert.equal(response.status, 200, path)
      assert.equal(await response.text(), '')
      assert.deepEqual(
        Object.fromEntries([...response.headers].filter(([name]) => name.startsWith('access-control-'))),
        {
          'access-control-allow-origin': second,
          'access-control-allow-headers':
            'Content-Type, Cache-Control, X-Requested-With, X-CSRF-Token, Discourse-Present, User-Api-Key, User-Api-Client-Id, Authorization',
          'access-control-allow-credentials': 'true',
          'access-control-allow-methods': 'POST, PUT, GET, OPTIONS, DELETE',
          'access-control-max-age': '7200',
          'access-control-expose-headers':
            'Auth-Api-Version, Auth-Api-Device-Code, Retry-After, Discourse-Rate-Limit-Error-Code, X-Discourse-Username, X-Discourse-Route, WWW-Authenticate',
        },
      )
    }
  })

  const origins: readonly [origin: string | undefined, shown: string][] = [
    [first, first],
    [second, second],
    ['https://evil.example', first],
    ['https://app.example.com.evil.example', first],
    ['null', first],
    [undefined, first],
  ]
  for (const [origin, shown] of origins) {
    test(`an answer to ${origin ?? 'no origin'} names ${shown}`, async () => {
      const response = await site.request('/site/basic-info.json', { headers: origin ? { origin } : {} })
      assert.equal(response.status, 200)
      assert.equal(response.headers.get('access-control-allow-origin'), shown)
      assert.match(response.headers.get('vary') ?? '', /Origin/)
    })
  }

  test('refusals carry the headers too, so that a page can read why', async () => {
    for (const path of ['/no/such/path.json', '/session/current.json']) {
      const headers = { origin: first, 'user-api-key': 'f'.repeat(32) }
      const response = await site.request(path, { headers })
      assert.ok(response.status >= 400)
      assert.equal(response.headers.get('access-control-allow-origin'), first)
    }
  })
})

describe('CORS, off', () => {
  for (const settings of [{}, { cors_origins: first, enable_cors: 'false' }]) {
    test(`no header is sent with ${JSON.stringify(settings)}, and OPTIONS is no preflight`, async () => {
      const site = await siteWith(settings)
      const answers = [
        await site.request('/site/basic-info.json', { headers: { origin: first } }),
        await site.request('/site/basic-info.json', preflight),
      ]
      for (const { headers } of answers) assert.equal(headers.get('access-control-allow-origin'), null)
      assert.equal(answers[1]?.status, 404)
      await site.close()
    })
  }
})
