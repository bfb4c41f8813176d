import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Store } from '../../src/domain/store.ts'
import { openTestStore } from '../test-database.ts'
import { createTestSite, siteUrl, type TestSite } from '../test-site.ts'

/** What was asked of the store since the list was last emptied, as `section.method`. */
const asked: string[] = []

/** A store that writes down what it is asked. */
function watched(store: Store): Store {
  return new Proxy(store, {
    get(target, section: string) {
      const part: unknown = Reflect.get(target, section)
      if (typeof part === 'function') {
        return (...parameters: unknown[]) => {
          asked.push(section)
          return Reflect.apply(part, target, parameters)
        }
      }
      return new Proxy(part as object, {
        get: (inner, method: string) => {
          const found: unknown = Reflect.get(inner, method)
          return (...parameters: unknown[]) => {
            asked.push(`${section}.${method}`)
            return Reflect.apply(found as () => unknown, inner, parameters)
          }
        },
      })
    },
  })
}

let site: TestSite
let key: string
before(async () => {
  const store = watched(await openTestStore())
  site = await createTestSite({ store, flushIntervalMs: 3_600_000, hearOthers: false })
  key = await site.approvedKey()
})
after(() => site.close())

async function ask(headers: Record<string, string>, path = '/orders'): Promise<string> {
  const request = new Request(siteUrl + path, { headers: { 'user-api-key': key, ...headers } })
  return (await site.hallpass.authenticate(request, { connection: { remoteAddress: '192.0.2.1' } })).outcome
}

describe('a key seen before', () => {
  for (const [name, headers] of [
    ['costs no look at the store', {}],
    ['costs none with its own client id', { 'user-api-client-id': 'client-1' }],
    ['costs none beside a session cookie, which it overrides', { cookie: `_t=${'a'.repeat(64)}` }],
  ] as const) {
    test(name, async () => {
      assert.equal(await ask({}), 'authenticated')
      asked.length = 0
      assert.equal(await ask(headers), 'authenticated')
      assert.deepEqual(asked, [])
    })
  }

  test('costs none when its scopes or its limits refuse it', async () => {
    const narrow = await site.approvedKey({ scopes: 'notifications', client_id: 'narrow' })
    const headers = { 'user-api-key': narrow }
    await ask(headers)
    asked.length = 0
    assert.equal(await ask(headers), 'refused')
    assert.deepEqual(asked, [])
  })

  test('follows another client id once, and costs nothing from then on', async () => {
    const moved = await site.approvedKey({ client_id: 'before' })
    const headers = { 'user-api-key': moved, 'user-api-client-id': 'after' }
    assert.equal(await ask(headers), 'authenticated')
    asked.length = 0
    assert.equal(await ask(headers), 'authenticated')
    assert.deepEqual(asked, [])
  })
})

describe('a key in an address', () => {
  test('is nowhere in what is kept', async () => {
    assert.equal(await ask({ 'user-api-key': '' }, `/latest.rss?user_api_key=${key}`), 'authenticated')
    await site.request(`/user-api-key/new?nonce=1&user_api_key=${key}`)
    await site.request(`/latest.rss?user_api_key=${key}`)
    const entries = await site.store.audit.list({ limit: 1000 })
    const keys = await site.store.userApiKeys.listByUser(site.user.id)
    assert.equal(JSON.stringify([entries, keys]).includes(key), false)
  })
})
