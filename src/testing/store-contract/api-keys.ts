import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { account, apiKey, hash, now } from './samples.ts'
import { assertTaken, type OpenStore, storeTest } from './store-test.ts'

export function apiKeysContract(openStore: OpenStore): void {
  describe('API keys', () => {
    const test = storeTest(openStore)

    test('a key that was inserted is found by its hash and by its id', async (store) => {
      const given = apiKey({ userId: '7', description: 'naïve “server”' })
      const inserted = await store.apiKeys.insert(given)
      assert.deepEqual(inserted, {
        ...given,
        id: inserted.id,
        updatedAt: now,
        lastUsedAt: null,
        useCount: 0,
        revokedAt: null,
      })
      assert.deepEqual(await store.apiKeys.findByHash(given.keyHash), inserted)
      assert.deepEqual(await store.apiKeys.findById(inserted.id), inserted)
    })

    test('a key that acts for any user, made by nobody, keeps both as null', async (store) => {
      const { userId, createdById } = await store.apiKeys.insert(apiKey({ userId: null, createdById: null }))
      assert.deepEqual([userId, createdById], [null, null])
    })

    test('a key keeps its scopes, their order and limits, and the addresses it may be used from', async (store) => {
      const given = apiKey({
        scopeMode: 'granular',
        scopes: [
          { resource: 'topics', action: 'write', allowedParameters: { topic_id: ['55', '33'] } },
          { resource: 'posts', action: 'list', allowedParameters: null },
        ],
        allowedIps: ['192.0.2.0/24', '2001:db8::1'],
        hidden: true,
      })
      const inserted = await store.apiKeys.insert(given)
      const { scopeMode, scopes, allowedIps, hidden } = given
      assert.deepEqual(
        [inserted.scopeMode, inserted.scopes, inserted.allowedIps, inserted.hidden],
        [scopeMode, scopes, allowedIps, hidden],
      )
      assert.deepEqual(await store.apiKeys.findByHash(given.keyHash), inserted)
      assert.deepEqual(await store.apiKeys.findById(inserted.id), inserted)
    })

    test('updating changes what is given, of that key alone, and when it was updated', async (store) => {
      const key = await store.apiKeys.insert(apiKey())
      const other = await store.apiKeys.insert(apiKey({ keyHash: hash('b') }))
      await store.apiKeys.update(key.id, { description: 'another' }, now + 1)
      const described = { ...key, description: 'another', updatedAt: now + 1 }
      assert.deepEqual(await store.apiKeys.findById(key.id), described)
      await store.apiKeys.update(key.id, { allowedIps: ['192.0.2.7'] }, now + 2)
      const narrowed = { ...described, allowedIps: ['192.0.2.7'], updatedAt: now + 2 }
      assert.deepEqual(await store.apiKeys.findById(key.id), narrowed)
      await store.apiKeys.update(key.id, { allowedIps: [] }, now + 3)
      assert.deepEqual(await store.apiKeys.findById(key.id), { ...described, updatedAt: now + 3 })
      assert.deepEqual(await store.apiKeys.findById(other.id), other)
    })

    test('deleting takes the key with its scopes, and no other', async (store) => {
      const scopes = [{ resource: 'posts', action: 'list', allowedParameters: null }]
      const key = await store.apiKeys.insert(apiKey({ scopeMode: 'granular', scopes }))
      const other = await store.apiKeys.insert(apiKey({ keyHash: hash('b'), scopes }))
      await store.apiKeys.delete(key.id)
      await store.apiKeys.delete(key.id)
      assert.equal(await store.apiKeys.findById(key.id), undefined)
      assert.deepEqual(await store.apiKeys.findById(other.id), other)
    })

    test('the list leaves hidden keys out, gives each key once, and the count has them all', async (store) => {
      const scopes = [
        { resource: 'posts', action: 'list', allowedParameters: null },
        { resource: 'tags', action: 'list', allowedParameters: null },
      ]
      const shown = await store.apiKeys.insert(apiKey({ scopeMode: 'granular', scopes }))
      await store.apiKeys.insert(apiKey({ keyHash: hash('b'), hidden: true }))
      const last = await store.apiKeys.insert(apiKey({ keyHash: hash('c') }))
      assert.deepEqual(await store.apiKeys.list({ offset: 0, limit: 2 }), [last, shown])
      assert.equal(await store.apiKeys.count(), 3)
    })

    test('an unknown hash or id finds nothing', async (store) => {
      assert.equal(await store.apiKeys.findByHash(hash('a')), undefined)
      assert.equal(await store.apiKeys.findById(1), undefined)
    })

    test('refuses a hash that is taken', async (store) => {
      await store.apiKeys.insert(apiKey())
      await assertTaken('key_hash', store.apiKeys.insert(apiKey({ description: 'another' })))
      assert.equal(await store.apiKeys.count(), 1)
    })

    test('lists and counts: never revoked first, then last revoked first, then newest first', async (store) => {
      assert.deepEqual(await store.apiKeys.list({ offset: 0, limit: 50 }), [])
      assert.equal(await store.apiKeys.count(), 0)
      // Each key's time of making, and of revoking or null.
      const made: readonly (readonly [string, number, number | null])[] = [
        ['a', 0, null],
        ['b', 1, 20],
        ['c', 2, 30],
        ['d', 3, 20],
        ['e', 4, null],
        ['f', 4, null],
      ]
      for (const [letter, createdAt, revokedAt] of made) {
        const { id } = await store.apiKeys.insert(
          apiKey({ keyHash: hash(letter), createdAt: now + createdAt }),
        )
        if (revokedAt !== null) await store.apiKeys.setRevokedAt(id, now + revokedAt, now + revokedAt)
      }
      const letters = async (offset: number, limit: number) =>
        (await store.apiKeys.list({ offset, limit })).map(({ keyHash }) => keyHash[0]).join('')
      assert.equal(await letters(0, 50), 'feacdb')
      assert.equal(await letters(1, 3), 'eac')
      assert.equal(await letters(5, 3), 'b')
      assert.equal(await letters(6, 3), '')
      assert.equal(await store.apiKeys.count(), 6)
    })

    test('revoking and undoing it change that key alone, and when it was updated', async (store) => {
      const key = await store.apiKeys.insert(apiKey())
      const other = await store.apiKeys.insert(apiKey({ keyHash: hash('b') }))
      await store.apiKeys.setRevokedAt(key.id, now + 1, now + 2)
      assert.deepEqual(await store.apiKeys.findById(key.id), {
        ...key,
        revokedAt: now + 1,
        updatedAt: now + 2,
      })
      await store.apiKeys.setRevokedAt(key.id, null, now + 3)
      assert.deepEqual(await store.apiKeys.findById(key.id), { ...key, updatedAt: now + 3 })
      assert.deepEqual(await store.apiKeys.findById(other.id), other)
    })

    test('finds a key with the local account of its user; one for all users has none', async (store) => {
      const { id, email: _email, passwordHash: _hash, ...facts } = await store.accounts.insert(account())
      const bound = await store.apiKeys.insert(apiKey({ userId: String(id) }))
      const unbound = await store.apiKeys.insert(apiKey({ userId: null, keyHash: hash('b') }))
      assert.deepEqual(await store.apiKeys.findByHashWithAccount(bound.keyHash), {
        key: bound,
        account: { id, ...facts },
      })
      assert.deepEqual(await store.apiKeys.findByHashWithAccount(unbound.keyHash), {
        key: unbound,
        account: undefined,
      })
      assert.equal(await store.apiKeys.findByHashWithAccount(hash('f')), undefined)
    })

    test('touching moves last use forward, never back, and sets it on a key never used', async (store) => {
      const key = await store.apiKeys.insert(apiKey())
      const unused = await store.apiKeys.insert(apiKey({ keyHash: hash('b') }))
      await store.apiKeys.touch([{ id: key.id, lastUsedAt: now + 5, count: 1 }])
      await store.apiKeys.touch([{ id: key.id, lastUsedAt: now + 4, count: 1 }])
      assert.deepEqual(await store.apiKeys.findById(key.id), { ...key, lastUsedAt: now + 5, useCount: 2 })
      assert.deepEqual(await store.apiKeys.findById(unused.id), unused)
    })
  })
}
