import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { ClientRegistrationRecord, StoreSession } from '../../domain/store.ts'
import { hash, insertClient, now } from './samples.ts'
import { assertTaken, type OpenStore, storeTest } from './store-test.ts'

function registered(
  clientId: string,
  change: Partial<ClientRegistrationRecord> = {},
): Parameters<StoreSession['clients']['insert']>[0] {
  return {
    clientId,
    applicationName: 'An App',
    createdAt: now,
    registration: {
      publicKey: '-----BEGIN\n…',
      publicKeyFingerprint: hash('f'),
      authRedirect: 'https://app.example.com/cb',
      scopes: ['write', 'read'],
      ...change,
    },
  }
}

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

    test('a client that registers itself is found with what it registered, its scopes in their order', async (store) => {
      const inserted = await store.clients.insert(registered('client-1'))
      assert.deepEqual(inserted, {
        id: inserted.id,
        clientId: 'client-1',
        applicationName: 'An App',
        publicKey: '-----BEGIN\n…',
        authRedirect: 'https://app.example.com/cb',
        registeredScopes: ['write', 'read'],
        createdAt: now,
      })
      assert.deepEqual(await store.clients.findByClientId('client-1'), inserted)
      assert.deepEqual(await store.clients.findByPublicKey(hash('f')), inserted)
    })

    test('of several clients with one key the first that registered it is found', async (store) => {
      await insertClient(store, 'unregistered')
      const first = await store.clients.insert(registered('client-1'))
      await store.clients.insert(registered('client-2', { scopes: [] }))
      assert.deepEqual(await store.clients.findByPublicKey(hash('f')), first)
      assert.equal(await store.clients.findByPublicKey(hash('e')), undefined)
    })

    test('refuses to register a client id that is taken, and keeps nothing of it', async (store) => {
      const first = await insertClient(store, 'client-1')
      await assertTaken('client_id', store.clients.insert(registered('client-1')))
      assert.deepEqual(await store.clients.findByClientId('client-1'), first)
      assert.equal(await store.clients.findByPublicKey(hash('f')), undefined)
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
