/** API keys of the real Hallpass at the forum that it guards. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createForum, type Forum } from '../../src/forum/forum.ts'
import { createApiKeyScopeCatalogue } from '../../src/protocol/api-key-scopes.ts'
import type { Database } from '../../src/storage/database.ts'
import { createStore } from '../../src/storage/store.ts'
import { openTestDatabase } from '../test-database.ts'
import { createTestSite, siteUrl, type TestSite } from '../test-site.ts'

let site: TestSite
let forum: Forum
let database: Database
before(async () => {
  database = await openTestDatabase()
  site = await createTestSite({ store: await createStore(database) })
  const { hallpass } = site
  const clock = { now: () => site.now() }
  forum = await createForum({ hallpass, database, directory: hallpass.directory, clock, baseUrl: siteUrl })
})
after(() => site.close())

// biome-ignore lint/suspicious/noExplicitAny: answers are read the way a client in any language reads them.
type Json = any

async function make(...scopes: readonly Record<string, unknown>[]): Promise<string> {
  const response = await site.asAdmin('/admin/api/keys.json', { json: { key: { username: 'sam', scopes } } })
  return (await response.json()).key.key
}

async function ask(
  key: string,
  method: string,
  path: string,
  sent: { readonly json?: unknown; readonly form?: string } = {},
): Promise<{ readonly status: number; readonly json: Json }> {
  const isForm = sent.form !== undefined
  const headers = {
    'api-key': key,
    'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json',
  }
  const body = method === 'GET' ? undefined : (sent.form ?? JSON.stringify(sent.json ?? {}))
  const request = new Request(siteUrl + path, { method, headers, ...(body === undefined ? {} : { body }) })
  const response = await forum.fetch(request, { remoteAddress: '127.0.0.1' })
  const text = await response.text()
  return { status: response.status, json: text.startsWith('{') ? JSON.parse(text) : undefined }
}

async function topic(title: string): Promise<string> {
  const json = { title, raw: 'The first post of it.' }
  const made = await ask(await make({ scope_id: 'topics:write' }), 'POST', '/posts.json', { json })
  assert.equal(made.status, 200)
  return String(made.json.topic_id)
}

describe('a key that may write in one topic', () => {
  let own: string
  let other: string
  let key: string
  before(async () => {
    own = await topic('The topic of the key')
    other = await topic('Another topic of sam')
    key = await make({ scope_id: 'topics:write', topic_id: own })
  })

  test('writes there, by form or JSON', async () => {
    const form = `topic_id=${own}&raw=A+reply+by+form.`
    assert.equal((await ask(key, 'POST', '/posts.json', { form })).json.topic_id, Number(own))
    const json = { topic_id: own, raw: 'A reply by JSON.' }
    assert.equal((await ask(key, 'POST', '/posts.json', { json })).json.topic_id, Number(own))
  })

  // Each would, if it came through, let the key write somewhere else than its maker meant.
  const escapes: [
    name: string,
    path: (own: string) => string,
    form: (own: string, other: string) => string,
  ][] = [
    ['another topic', () => '/posts.json', (_, other) => `topic_id=${other}&raw=Elsewhere+it+goes.`],
    ['a new topic', () => '/posts.json', () => 'title=A+topic+that+is+new&raw=Elsewhere+it+goes.'],
    [
      'its topic in the query, another in the body',
      (own) => `/posts?topic_id=${own}`,
      (_, other) => `topic_id=${other}&raw=Elsewhere+it+goes.`,
    ],
    [
      'its topic in the query, none in a new topic’s body',
      (own) => `/posts?topic_id[]=${own}`,
      () => 'title=A+topic+that+is+new&raw=Elsewhere.',
    ],
    [
      'both topics, its own first',
      () => '/posts.json',
      (own, other) => `topic_id=${own}&topic_id=${other}&raw=Elsewhere+it+goes.`,
    ],
    [
      'a list of topics',
      () => '/posts.json',
      (own, other) => `topic_id=${own}&topic_id[]=${other}&raw=Elsewhere+it+goes.`,
    ],
    [
      'a name in capital letters',
      () => '/posts.json',
      (own, other) => `TOPIC_ID=${own}&topic_id=${other}&raw=Elsewhere.`,
    ],
    ['an encoded name', () => '/posts.json', (_, other) => `%74opic_id=${other}&raw=Elsewhere+it+goes.`],
  ]
  for (const [name, path, form] of escapes) {
    test(`does not write with ${name}`, async () => {
      const { status, json } = await ask(key, 'POST', path(own), { form: form(own, other) })
      assert.deepEqual([status, json.reason], [403, 'api_key_scope_insufficient'])
    })
  }

  test('reads nothing', async () => {
    assert.equal((await ask(key, 'GET', `/t/${own}.json`)).json.reason, 'api_key_scope_insufficient')
  })
})

describe('a key that may read one topic', () => {
  test('reads it in every form of its address, and no other topic in any', async () => {
    const own = await topic('The topic to be read')
    const other = await topic('The topic not to be read')
    const key = await make({ scope_id: 'topics:read', topic_id: own })
    for (const path of [`/t/${own}.json`, `/t/x/${own}.json`, `/t/${own}/posts.json`, `/t/x/${own}.rss`]) {
      assert.equal((await ask(key, 'GET', path)).status, 200)
    }
    for (const path of [
      `/t/${other}.json`,
      `/t/${other}/${own}.json`,
      `/t/${other}.json?topic_id=${own}`,
      `/t/${other}.json?id=${own}`,
      `/t/${other}/posts.json?topic_id=${own}`,
      '/latest.json',
    ]) {
      assert.equal((await ask(key, 'GET', path)).json.reason, 'api_key_scope_insufficient', path)
    }
  })
})

describe('the catalogue of scopes for API keys', () => {
  const catalogue = createApiKeyScopeCatalogue()
  const values: Readonly<Record<string, string>> = {
    topic_id: '1',
    post_id: '1',
    post_number: '1',
    id: '1',
    category_id: '1',
    user_id: '99',
    slug: 'x',
    username: 'sam',
    list: 'latest',
    period: 'all',
  }
  for (const { id, urls } of catalogue.all) {
    if (id === 'global:read') continue
    test(`${id} names routes that exist, and a key that has it is let in`, async () => {
      const response = await site.asAdmin('/admin/api/keys.json', {
        json: { key: { username: 'admin', scopes: [{ scope_id: id }] } },
      })
      const { key } = (await response.json()).key
      for (const url of urls) {
        const [path = '', method = ''] = url.replace(/\)$/, '').split(' (')
        const filled = path.replace(/:(\w+)/g, (_, name: string) => values[name] ?? assert.fail(name))
        const { json } = await ask(key, method, filled)
        assert.doesNotMatch(json?.message ?? '', /no such (route|page)/, url)
        assert.notEqual(json?.reason, 'api_key_scope_insufficient', url)
      }
    })
  }
})
