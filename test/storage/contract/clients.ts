import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { insertClient, now } from './samples.ts'
import { assertTaken, type OpenStore, storeTest } from './store-test.ts'

export function clientsContract(openStore: OpenStore): void {
  describe('clients', () => {
    const test = storeTest(openStore)

    test('a client that was inserted is found by its client id, unregistered', async (store) => {
      const inserted = await store.clients.insert({
        clientId: 'client-1',
        applicationName: 'Café “Ω” 🎟',
        createdAt: now,
      })
      assert.deepEqual(inserted, {
        id: inserted.id,
        clientId: 'client-1',
        applicationName: 'Café “Ω” 🎟',
        publicKey: null,
        authRedirect: null,
        registeredScopes: [],
        createdAt: now,
      })
      assert.ok(Number.isSafeInteger(inserted.id) && inserted.id > 0)
      assert.deepEqual(await store.clients.findByClientId('client-1'), inserted)
    })

    test('an unknown client id, or one in other letters, finds nothing', async (store) => {
      await insertClient(store, 'client-1')
      assert.equal(await store.clients.findByClientId('client-2'), undefined)
      assert.equal(await store.clients.findByClientId('CLIENT-1'), undefined)
    })

    test('refuses a client id that is taken', async (store) => {
      const first = await insertClient(store, 'client-1')
      await assertTaken('client_id', insertClient(store, 'client-1'))
      assert.deepEqual(await store.clients.findByClientId('client-1'), first)
    })

    test('of two inserts of one client id at once, one is refused', async (store) => {
      const outcomes = await Promise.allSettled([insertClient(store), insertClient(store)])
      assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    })

    test('renaming changes the name of that client alone', async (store) => {
      const first = await insertClient(store, 'client-1')
      const second = await insertClient(store, 'client-2')
      await store.clients.rename(first.id, 'Another Name')
      assert.deepEqual(await store.clients.findByClientId('client-1'), {
        ...first,
        applicationName: 'Another Name',
      })
      assert.deepEqual(await store.clients.findByClientId('client-2'), second)
    })
  })
}
