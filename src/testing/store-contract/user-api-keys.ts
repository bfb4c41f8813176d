import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { account, hash, insertClient, now, userApiKey } from './samples.ts'
import { assertTaken, type OpenStore, storeTest } from './store-test.ts'

export function userApiKeysContract(openStore: OpenStore): void {
  describe('user API keys', () => {
    const test = storeTest(openStore)

    test('a key that was inserted is found by its hash and by its id, with client and scopes', async (store) => {
      const client = await insertClient(store)
      const given = userApiKey(client, {
        userId: 'opaque/ü 7',
        scopes: [
          { name: 'write', allowedParameters: null },
          { name: 'read', allowedParameters: { topic_id: ['55', '33'], tag: [] } },
          { name: 'app:own', allowedParameters: {} },
        ],
        pushUrl: 'https://push.example.com/x',
        expiresAt: now + 1000,
      })
      const { clientRowId, ...kept } = given
      const inserted = await store.userApiKeys.insert(given)
      assert.deepEqual(inserted, {
        ...kept,
        id: inserted.id,
        client: { id: clientRowId, clientId: 'client-1', applicationName: 'An App' },
        lastUsedAt: now,
        useCount: 0,
        revokedAt: null,
      })
      assert.deepEqual(await store.userApiKeys.findByHash(given.keyHash), inserted)
      assert.deepEqual(await store.userApiKeys.findById(inserted.id), inserted)
    })

    test('a key without scopes is found', async (store) => {
      const inserted = await store.userApiKeys.insert(userApiKey(await insertClient(store), { scopes: [] }))
      assert.deepEqual(await store.userApiKeys.findByHash(hash('a')), inserted)
      assert.deepEqual(inserted.scopes, [])
    })

    test('an unknown hash or id finds nothing', async (store) => {
      assert.equal(await store.userApiKeys.findByHash(hash('a')), undefined)
      assert.equal(await store.userApiKeys.findById(1), undefined)
    })

    test('a look-up by hash tells apart keys that were looked up before', async (store) => {
      const client = await insertClient(store)
      for (const letter of ['a', 'b']) {
        await store.userApiKeys.insert(userApiKey(client, { keyHash: hash(letter) }))
      }
      for (const letter of ['a', 'b', 'a']) {
        assert.equal((await store.userApiKeys.findByHash(hash(letter)))?.keyHash, hash(letter))
      }
    })

    test('a key is moved to another client, with all else as it was, and no other key is', async (store) => {
      const [one, two] = [await insertClient(store, 'client-1'), await insertClient(store, 'client-2')]
      const key = await store.userApiKeys.insert(userApiKey(one))
      const other = await store.userApiKeys.insert(userApiKey(one, { keyHash: hash('b') }))
      await store.userApiKeys.setClient(key.id, two.id)
      assert.deepEqual(await store.userApiKeys.findByHash(hash('a')), {
        ...key,
        client: { id: two.id, clientId: 'client-2', applicationName: 'An App' },
      })
      assert.deepEqual(await store.userApiKeys.findByHash(hash('b')), other)
    })

    test('a client has another owner when anybody else has a key of it, a revoked one too', async (store) => {
      const [one, two] = [await insertClient(store, 'client-1'), await insertClient(store, 'client-2')]
      await store.userApiKeys.insert(userApiKey(one, { userId: '1' }))
      const other = await store.userApiKeys.insert(userApiKey(two, { userId: '2', keyHash: hash('b') }))
      await store.userApiKeys.setRevokedAt(other.id, now)
      assert.equal(await store.userApiKeys.hasOtherOwner(one.id, '1'), false)
      assert.equal(await store.userApiKeys.hasOtherOwner(two.id, '1'), true)
    })

    test('refuses a hash that is taken, and keeps none of the scopes', async (store) => {
      const client = await insertClient(store)
      const first = await store.userApiKeys.insert(userApiKey(client))
      await assertTaken('key_hash', store.userApiKeys.insert(userApiKey(client, { userId: '2' })))
      assert.deepEqual(await store.userApiKeys.listByUser('2'), [])
      assert.deepEqual(await store.userApiKeys.findByHash(hash('a')), first)
    })

    test('an insert that fails at a scope leaves no key', async (store) => {
      const client = await insertClient(store)
      const scopes = [
        { name: 'read', allowedParameters: null },
        { name: null as unknown as string, allowedParameters: null },
      ]
      await assert.rejects(store.userApiKeys.insert(userApiKey(client, { scopes })))
      assert.equal(await store.userApiKeys.findByHash(hash('a')), undefined)
    })

    test('refuses a key of a client that is not there', async (store) => {
      const client = await insertClient(store)
      await assert.rejects(store.userApiKeys.insert(userApiKey({ ...client, id: client.id + 1 })))
      assert.deepEqual(await store.userApiKeys.listByUser('1'), [])
    })

    test('lists all keys of the user, newest first, whatever their state, and nobody else’s', async (store) => {
      const client = await insertClient(store)
      const insert = (letter: string, createdAt: number, userId = '1') =>
        store.userApiKeys.insert(userApiKey(client, { keyHash: hash(letter), createdAt, userId }))
      const middle = await insert('a', now + 5)
      const oldest = await insert('b', now)
      const newest = await insert('c', now + 9)
      const sameTime = await insert('d', now + 9)
      await insert('e', now + 7, '2')
      await store.userApiKeys.setRevokedAt(middle.id, now + 10)
      assert.deepEqual(await store.userApiKeys.listByUser('1'), [
        sameTime,
        newest,
        { ...middle, revokedAt: now + 10 },
        oldest,
      ])
      assert.deepEqual(await store.userApiKeys.listByUser('nobody'), [])
    })

    test('deletes the keys of this user and this client alone, and answers with them', async (store) => {
      const [client, other] = [await insertClient(store), await insertClient(store, 'client-2')]
      const insert = (letter: string, of = client, userId = '1') =>
        store.userApiKeys.insert(userApiKey(of, { keyHash: hash(letter), userId }))
      const [first, second] = [await insert('a'), await insert('b')]
      const [otherClients, otherUsers] = [await insert('c', other), await insert('d', client, '2')]

      const deleted = await store.userApiKeys.deleteByUserAndClient('1', client.id)
      assert.deepEqual(
        [...deleted].sort((a, b) => a.id - b.id),
        [first, second],
      )
      assert.deepEqual(await store.userApiKeys.listByUser('1'), [otherClients])
      assert.deepEqual(await store.userApiKeys.listByUser('2'), [otherUsers])
      assert.deepEqual(await store.userApiKeys.deleteByUserAndClient('1', client.id), [])
    })

    test('the id of a deleted key is never given again', async (store) => {
      const client = await insertClient(store)
      const first = await store.userApiKeys.insert(userApiKey(client))
      await store.userApiKeys.deleteByUserAndClient('1', client.id)
      const second = await store.userApiKeys.insert(userApiKey(client))
      assert.ok(second.id > first.id)
      assert.deepEqual(second.scopes, userApiKey(client).scopes)
    })

    test('revoking and undoing it change that key alone', async (store) => {
      const client = await insertClient(store)
      const key = await store.userApiKeys.insert(userApiKey(client))
      const other = await store.userApiKeys.insert(userApiKey(client, { keyHash: hash('b') }))
      await store.userApiKeys.setRevokedAt(key.id, now + 1)
      assert.deepEqual(await store.userApiKeys.findByHash(hash('a')), { ...key, revokedAt: now + 1 })
      assert.deepEqual(await store.userApiKeys.findByHash(hash('b')), other)
      await store.userApiKeys.setRevokedAt(key.id, null)
      assert.deepEqual(await store.userApiKeys.findByHash(hash('a')), key)
    })

    test('touching moves last use forward, never back, and counts every use', async (store) => {
      const client = await insertClient(store)
      const key = await store.userApiKeys.insert(userApiKey(client))
      const other = await store.userApiKeys.insert(userApiKey(client, { keyHash: hash('b') }))
      const lastUse = async (id: number) => (await store.userApiKeys.findById(id))?.lastUsedAt
      await store.userApiKeys.touch([])
      await store.userApiKeys.touch([{ id: key.id, lastUsedAt: now + 50, count: 1 }])
      assert.equal(await lastUse(key.id), now + 50)
      assert.equal(await lastUse(other.id), now)
      await store.userApiKeys.touch([
        { id: key.id, lastUsedAt: now + 40, count: 1 },
        { id: other.id, lastUsedAt: now + 70, count: 1 },
        { id: other.id, lastUsedAt: now + 60, count: 1 },
        { id: other.id + 1000, lastUsedAt: now + 80, count: 1 },
      ])
      assert.equal(await lastUse(key.id), now + 50)
      assert.equal(await lastUse(other.id), now + 70)
      const uses = async (id: number) => (await store.userApiKeys.findById(id))?.useCount
      assert.deepEqual([await uses(key.id), await uses(other.id)], [2, 2])
    })

    test('finds a key with the local account of its user, and with none where the id is no account’s', async (store) => {
      const { id, email: _email, passwordHash: _hash, ...facts } = await store.accounts.insert(account())
      const client = await insertClient(store)
      const own = await store.userApiKeys.insert(userApiKey(client, { userId: String(id) }))
      assert.deepEqual(await store.userApiKeys.findByHashWithAccount(own.keyHash), {
        key: own,
        account: { id, ...facts },
      })
      for (const [index, userId] of ['2', `0${id}`, `${id}x`, '', 'u_1', '9'.repeat(40)].entries()) {
        const keyHash = hash(String(index))
        const key = await store.userApiKeys.insert(userApiKey(client, { userId, keyHash }))
        const found = await store.userApiKeys.findByHashWithAccount(keyHash)
        assert.deepEqual(found, { key, account: undefined }, userId)
      }
      assert.equal(await store.userApiKeys.findByHashWithAccount(hash('f')), undefined)
    })

    test('touches thousands of keys at once', async (store) => {
      const client = await insertClient(store)
      const uses = await store.transaction(async (session) => {
        const made: { id: number; lastUsedAt: number; count: number }[] = []
        for (let index = 0; index < 1203; index += 1) {
          const keyHash = String(index).padStart(64, '0')
          const { id } = await session.userApiKeys.insert(userApiKey(client, { keyHash, scopes: [] }))
          made.push({ id, lastUsedAt: now + 1 + index, count: 1 })
        }
        return made
      })
      await store.userApiKeys.touch(uses)
      const touched = await store.userApiKeys.listByUser('1')
      assert.deepEqual(
        new Map(touched.map((key) => [key.id, key.lastUsedAt])),
        new Map(uses.map(({ id, lastUsedAt }) => [id, lastUsedAt])),
      )
    })
  })
}
