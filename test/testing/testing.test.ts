import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createTestHallpass, type TestHallpass, type TestHallpassOptions } from '../../src/testing/testing.ts'

const orders = {
  name: 'shop:orders',
  label: 'See your orders',
  description: 'GET /orders.',
  routes: [{ methods: ['GET'], paths: ['/orders'] }],
}

async function using(
  options: TestHallpassOptions,
  work: (kit: TestHallpass) => Promise<void>,
): Promise<void> {
  const kit = await createTestHallpass(options)
  try {
    await work(kit)
  } finally {
    await kit.close()
  }
}

/** The reason of a refusal, or the name of whoever is let in. */
async function decisionOn({ hallpass }: TestHallpass, request: Request): Promise<string> {
  const decision = await hallpass.authenticate(request)
  if (decision.outcome === 'refused') return decision.refusal.reason
  return decision.outcome === 'anonymous' ? 'anonymous' : decision.identity.user.username
}

describe('createTestHallpass', () => {
  test('gives a user and a key that reads, without any option', async () => {
    await using({}, async (kit) => {
      assert.equal(kit.user.username, 'sam')
      assert.equal(await decisionOn(kit, kit.request('/anything')), 'sam')
      assert.equal(await decisionOn(kit, kit.request('/anything', { method: 'POST' })), 'scope_insufficient')
      const response = await kit.hallpass.fetch(kit.request('/session/current.json'))
      assert.equal((await response.json()).current_user.username, 'sam')
    })
  })

  test('gives the key the site’s own scopes where it has any, and those that are asked for', async () => {
    await using({ scopes: [orders] }, async (kit) => {
      assert.equal(await decisionOn(kit, kit.request('/orders')), 'sam')
      assert.equal(await decisionOn(kit, kit.request('/invoices')), 'scope_insufficient')
      const headers = { 'user-api-key': await kit.keyFor({ scopes: ['read'] }) }
      assert.equal(await decisionOn(kit, kit.request('/invoices', { headers })), 'sam')
      await assert.rejects(kit.keyFor({ scopes: ['shop:order'] }), {
        name: 'TypeError',
        message: 'there is no scope named shop:order',
      })
    })
    await using({ scopes: [orders], keyScopes: ['read'] }, async (kit) => {
      assert.equal(await decisionOn(kit, kit.request('/invoices')), 'sam')
    })
  })

  test('gives keys of other users, each of which works beside the first', async () => {
    await using({}, async (kit) => {
      const eve = { id: 'u_2', username: 'eve', admin: true }
      const headers = { 'user-api-key': await kit.keyFor({ user: eve }) }
      assert.equal(await decisionOn(kit, kit.request('/', { headers })), 'eve')
      assert.equal(await decisionOn(kit, kit.request('/')), 'sam')
      await kit.changeUser('u_2', { ...eve, active: false })
      assert.equal(await decisionOn(kit, kit.request('/', { headers })), 'owner_inactive')
      await kit.changeUser('u_2', undefined)
      assert.equal(await decisionOn(kit, kit.request('/', { headers })), 'user_api_key_invalid')
    })
  })

  test('has a clock that stands still until it is moved', async () => {
    await using({}, async (kit) => {
      const headers = { 'user-api-key': await kit.keyFor({ expiresInSeconds: 60 }) }
      kit.advance(59)
      assert.equal(await decisionOn(kit, kit.request('/', { headers })), 'sam')
      kit.advance(1)
      assert.equal(await decisionOn(kit, kit.request('/', { headers })), 'user_api_key_expired')
    })
  })

  test('signs a browser in by a cookie', async () => {
    await using({}, async (kit) => {
      const request = kit.request('/hallpass/apps', {
        headers: { cookie: kit.cookie(), accept: 'text/html' },
      })
      assert.match(await (await kit.hallpass.fetch(request)).text(), /An app of the test/)
    })
  })

  test('takes a cookie that is not percent-encoded for nobody’s', async () => {
    await using({}, async (kit) => {
      const request = kit.request('/hallpass/apps', { headers: { cookie: 'test_user=%E0%A4%A' } })
      assert.notEqual((await kit.hallpass.fetch(request)).status, 500)
    })
  })

  test('takes the application’s own users, and throws what they throw', async () => {
    const user = { id: 'auth0|x', username: 'Zoë' }
    const options: TestHallpassOptions = {
      user,
      currentUser: async () => Promise.reject(new Error('the sessions are away')),
      findUser: async (id) => (id === user.id ? user : undefined),
    }
    await using(options, async (kit) => {
      assert.equal(await decisionOn(kit, kit.request('/')), 'Zoë')
      const visit = new Request('https://hallpass.test/hallpass/apps')
      await assert.rejects(kit.hallpass.fetch(visit), /currentUser failed/)
    })
  })

  test('counts no limit, and leaves nothing running', async () => {
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    await using({}, async (kit) => {
      for (let call = 0; call < 300; call += 1) assert.equal(await decisionOn(kit, kit.request('/')), 'sam')
      const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
      assert.equal(timers, before)
    })
  })
})

describe('keyFor', () => {
  const scope = { ...orders, routes: [{ methods: ['GET'], paths: ['/orders'], params: ['customer_id'] }] }

  test('makes a key that is narrowed as an app’s would be', async () => {
    await using({ scopes: [scope] }, async (kit) => {
      const key = await kit.keyFor({ scopeParameters: { 'shop:orders': { customer_id: ['12'] } } })
      const headers = { 'user-api-key': key }
      const ask = (path: string): Promise<string> => decisionOn(kit, kit.request(path, { headers }))
      assert.equal(await ask('/orders?customer_id=12'), 'sam')
      assert.equal(await ask('/orders?customer_id=13'), 'scope_insufficient')
      await assert.rejects(kit.keyFor({ scopeParameters: { 'shop:orders': { id: ['12'] } } }), TypeError)
    })
  })
})
