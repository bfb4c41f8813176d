import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { AgeCursor, AgePage, ClientRecord, Store } from '../../domain/store.ts'
import { apiKey, hash, insertClient, now, userApiKey } from './samples.ts'
import { type OpenStore, storeTest } from './store-test.ts'

/** What the jobs ask: rows by their age, page by page, and what they do to a page of them. */
export function agesContract(openStore: OpenStore): void {
  describe('user API keys by age', () => {
    const test = storeTest(openStore)

    for (const by of ['createdAt', 'lastUsedAt'] as const) {
      test(`pages by ${by} hold each unrevoked key of an earlier time once, oldest first`, async (store) => {
        const client = await insertClient(store)
        const ids: number[] = []
        // Times repeat, so that pages have to go on within one.
        for (const [index, at] of [5, 1, 3, 3, 3, 9, 1].entries()) {
          const keyHash = String(index).padStart(64, '0')
          const createdAt = by === 'createdAt' ? at : 0
          const { id } = await store.userApiKeys.insert(userApiKey(client, { keyHash, createdAt }))
          if (by === 'lastUsedAt') await store.userApiKeys.touch([{ id, lastUsedAt: at, count: 1 }])
          ids.push(id)
        }
        await store.userApiKeys.setRevokedAt(ids[3] ?? 0, now)
        const found = await pages(
          (page) => store.userApiKeys.listUnrevoked(by, page),
          (key) => key[by],
          9,
        )
        assert.deepEqual(
          found.map(({ id }) => ids.indexOf(id)),
          [1, 6, 2, 4, 0],
        )
      })
    }

    test('tells of a key all but its scopes, push address and count of uses', async (store) => {
      const key = await store.userApiKeys.insert(userApiKey(await insertClient(store), { expiresAt: 7 }))
      const { scopes: _scopes, pushUrl: _pushUrl, useCount: _uses, ...age } = key
      assert.deepEqual(await store.userApiKeys.listUnrevoked('createdAt', { before: now + 1, limit: 9 }), [
        age,
      ])
    })

    test('revokes those that are named, and no others', async (store) => {
      const client = await insertClient(store)
      const insert = (letter: string) =>
        store.userApiKeys.insert(userApiKey(client, { keyHash: hash(letter) }))
      const [one, two, three] = [await insert('a'), await insert('b'), await insert('c')]
      await store.userApiKeys.revokeAll([one.id, three.id], now + 3)
      await store.userApiKeys.revokeAll([], now + 9)
      const after = await store.userApiKeys.listByUser('1')
      assert.deepEqual(
        [one, two, three].map(({ id }) => after.find((key) => key.id === id)?.revokedAt),
        [now + 3, null, now + 3],
      )
    })

    test('deletes up to so many keys of one client, and answers with them', async (store) => {
      const [client, other] = [await insertClient(store), await insertClient(store, 'client-2')]
      for (const letter of ['a', 'b', 'c']) {
        await store.userApiKeys.insert(userApiKey(client, { keyHash: hash(letter) }))
      }
      const theirs = await store.userApiKeys.insert(userApiKey(other, { keyHash: hash('d') }))
      const first = await store.userApiKeys.deleteByClient(client.id, 2)
      const rest = await store.userApiKeys.deleteByClient(client.id, 2)
      assert.deepEqual([first.length, rest.length], [2, 1])
      assert.deepEqual([...first, ...rest].map(({ keyHash }) => keyHash).sort(), ['a', 'b', 'c'].map(hash))
      assert.deepEqual(await store.userApiKeys.deleteByClient(client.id, 2), [])
      assert.deepEqual(await store.userApiKeys.listByUser('1'), [theirs])
    })
  })

  describe('API keys by age', () => {
    const test = storeTest(openStore)

    test('pages hold each unrevoked key made earlier once, oldest first', async (store) => {
      const ids: number[] = []
      for (const [index, createdAt] of [5, 1, 3, 3, 3, 9, 1].entries()) {
        const keyHash = String(index).padStart(64, '0')
        ids.push((await store.apiKeys.insert(apiKey({ keyHash, createdAt }))).id)
      }
      await store.apiKeys.setRevokedAt(ids[3] ?? 0, now, now)
      const found = await pages(
        (page) => store.apiKeys.listUnrevoked(page),
        ({ createdAt }) => createdAt,
        9,
      )
      assert.deepEqual(
        found.map(({ id }) => ids.indexOf(id)),
        [1, 6, 2, 4, 0],
      )
    })

    test('tells what the age of a key is reckoned from', async (store) => {
      const { id, userId, keyHash, createdAt, updatedAt } = await store.apiKeys.insert(apiKey())
      await store.apiKeys.touch([{ id, lastUsedAt: now + 7, count: 1 }])
      assert.deepEqual(await store.apiKeys.listUnrevoked({ before: now + 1, limit: 9 }), [
        { id, userId, keyHash, createdAt, updatedAt, lastUsedAt: now + 7 },
      ])
    })

    test('revokes those that are named, and no others', async (store) => {
      const one = await store.apiKeys.insert(apiKey())
      const two = await store.apiKeys.insert(apiKey({ keyHash: hash('b') }))
      await store.apiKeys.revokeAll([one.id], now + 3)
      await store.apiKeys.revokeAll([], now + 9)
      assert.deepEqual(await store.apiKeys.findById(one.id), {
        ...one,
        revokedAt: now + 3,
        updatedAt: now + 3,
      })
      assert.deepEqual(await store.apiKeys.findById(two.id), two)
    })
  })

  describe('clients by age', () => {
    const test = storeTest(openStore)

    const register = (store: Store, clientId: string, createdAt: number): Promise<ClientRecord> =>
      store.clients.insert({
        clientId,
        applicationName: 'An App',
        createdAt,
        registration: {
          publicKey: 'PEM',
          publicKeyFingerprint: hash('f'),
          authRedirect: 'https://app.example.com/callback',
          scopes: ['read', 'write'],
        },
      })

    test('a client that did not register is never unused', async (store) => {
      await insertClient(store)
      assert.deepEqual(await store.clients.listUnused({ before: now + 1, limit: 9 }), [])
    })

    test('pages hold each registered client made earlier once, oldest first', async (store) => {
      const ids: number[] = []
      for (const [index, createdAt] of [5, 1, 3, 3, 9, 1].entries()) {
        ids.push((await register(store, `client-${index}`, createdAt)).id)
      }
      const found = await pages(
        (page) => store.clients.listUnused(page),
        ({ createdAt }) => createdAt,
        9,
      )
      assert.deepEqual(
        found.map(({ id }) => ids.indexOf(id)),
        [1, 5, 2, 3, 0],
      )
      const { id, clientId, applicationName, createdAt } = await register(store, 'one', 0)
      assert.deepEqual((await store.clients.listUnused({ before: 1, limit: 9 }))[0], {
        id,
        clientId,
        applicationName,
        createdAt,
      })
    })

    test('a registered client is unused when each of its keys was used before the time, and not at it', async (store) => {
      const client = await register(store, 'client-1', now - 90)
      const insert = async (letter: string, lastUsedAt: number) => {
        const keyHash = hash(letter)
        const { id } = await store.userApiKeys.insert(userApiKey(client, { keyHash, createdAt: now - 90 }))
        await store.userApiKeys.touch([{ id, lastUsedAt, count: 1 }])
      }
      await insert('a', now - 50)
      await insert('b', now - 20)
      const isUnused = async (before: number) =>
        (await store.clients.listUnused({ before, limit: 9 })).length === 1
      assert.deepEqual([await isUnused(now - 20), await isUnused(now - 19)], [false, true])
    })

    test('deleting a client takes its keys along, and no others', async (store) => {
      const [client, other] = [await insertClient(store), await insertClient(store, 'client-2')]
      const key = await store.userApiKeys.insert(userApiKey(client))
      const theirs = await store.userApiKeys.insert(userApiKey(other, { keyHash: hash('b') }))
      await store.clients.delete(client.id)
      assert.equal(await store.clients.findByClientId('client-1'), undefined)
      assert.equal(await store.userApiKeys.findById(key.id), undefined)
      assert.deepEqual(await store.userApiKeys.findById(theirs.id), theirs)
    })
  })

  describe('deleteExpired', () => {
    const test = storeTest(openStore)

    test('deletes at the most so many of each kind, and says whether there is more', async (store) => {
      for (const letter of ['a', 'b', 'c']) {
        await store.sessions.insert({ tokenHash: hash(letter), userId: '1', createdAt: 0, expiresAt: now })
      }
      await store.parkedRequests.insert({ id: 'one', parameters: {}, createdAt: 0, expiresAt: now })
      assert.deepEqual(await store.deleteExpired(now, 2), { deleted: 3, more: true })
      assert.deepEqual(await store.deleteExpired(now, 2), { deleted: 1, more: false })
      assert.deepEqual(await store.deleteExpired(now, 2), { deleted: 0, more: false })
    })
  })
}

/** Reads page after page of two rows each. */
async function pages<Row extends { readonly id: number }>(
  read: (page: AgePage) => Promise<readonly Row[]>,
  timeOf: (row: Row) => number,
  before: number,
): Promise<readonly Row[]> {
  const found: Row[] = []
  let after: AgeCursor | undefined
  for (;;) {
    const page = await read({ before, limit: 2, ...(after && { after }) })
    const last = page.at(-1)
    if (!last) return found
    found.push(...page)
    after = { at: timeOf(last), id: last.id }
  }
}
