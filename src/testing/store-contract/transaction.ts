import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { StoreSession } from '../../domain/store.ts'
import { apiKey, auditRecord, hash, insertClient, now, userApiKey } from './samples.ts'
import { assertTaken, type OpenStore, storeTest } from './store-test.ts'

export function transactionContract(openStore: OpenStore): void {
  describe('transaction', () => {
    const test = storeTest(openStore)

    test('answers with what the work resolves to, and keeps all that it did', async (store) => {
      const answer = await store.transaction(async (session) => {
        await session.settings.put({ name: 'one', value: '1', updatedAt: now })
        await session.audit.append(auditRecord(1))
        return 'done'
      })
      assert.equal(answer, 'done')
      assert.equal((await store.settings.all()).length, 1)
      assert.deepEqual(await store.audit.last(), auditRecord(1))
    })

    test('throws what the work throws, and keeps nothing that it did', async (store) => {
      const client = await insertClient(store)
      const kept = await store.userApiKeys.insert(userApiKey(client))
      const problem = new Error('on purpose')
      const work = store.transaction(async (session) => {
        await session.userApiKeys.deleteByUserAndClient('1', client.id)
        await session.userApiKeys.insert(userApiKey(client, { keyHash: hash('b') }))
        await session.clients.rename(client.id, 'Another Name')
        await session.apiKeys.insert(apiKey())
        await session.audit.append(auditRecord(1))
        throw problem
      })
      await assert.rejects(work, (error) => error === problem)
      assert.deepEqual(await store.userApiKeys.listByUser('1'), [kept])
      assert.deepEqual(await store.clients.findByClientId('client-1'), client)
      assert.equal(await store.apiKeys.count(), 0)
      assert.equal(await store.audit.last(), undefined)
    })

    test('a violation that the work lets out keeps nothing, and the store goes on', async (store) => {
      await insertClient(store)
      const work = store.transaction(async (session) => {
        await session.audit.append(auditRecord(1))
        await session.clients.insert({ clientId: 'client-1', applicationName: 'Again', createdAt: now })
      })
      await assertTaken('client_id', work)
      assert.equal(await store.audit.last(), undefined)
      await store.audit.append(auditRecord(1))
    })

    test('the work sees what it did itself', async (store) => {
      await store.transaction(async (session) => {
        const { id } = await session.apiKeys.insert(apiKey())
        assert.notEqual(await session.apiKeys.findByHash(hash('a')), undefined)
        await session.apiKeys.setRevokedAt(id, now, now)
        assert.equal((await session.apiKeys.findByHash(hash('a')))?.revokedAt, now)
      })
    })

    // Otherwise a request that runs beside a failing one would lose what it was told is kept.
    test('what is asked of the store meanwhile does not slip into it', async (store) => {
      const started = Promise.withResolvers<void>()
      const asked = Promise.withResolvers<void>()
      const work = store.transaction(async (session) => {
        await session.settings.put({ name: 'inside', value: '', updatedAt: now })
        started.resolve()
        await asked.promise
        throw new Error('on purpose')
      })
      await started.promise
      const reading = store.settings.all()
      const writing = store.settings.put({ name: 'outside', value: '', updatedAt: now })
      asked.resolve()
      await assert.rejects(work, /on purpose/)
      await writing
      assert.ok((await reading).every(({ name }) => name !== 'inside'))
      assert.deepEqual(
        (await store.settings.all()).map(({ name }) => name),
        ['outside'],
      )
    })

    test('transactions at once do not mix: each reads what the one before wrote', async (store) => {
      await store.settings.put({ name: 'count', value: '0', updatedAt: now })
      const increment = () =>
        store.transaction(async (session) => {
          const [count] = await session.settings.all()
          await session.settings.put({
            name: 'count',
            value: String(Number(count?.value) + 1),
            updatedAt: now,
          })
        })
      await Promise.all(Array.from({ length: 20 }, increment))
      assert.equal((await store.settings.all())[0]?.value, '20')
    })

    test('queries of the work may run at once', async (store) => {
      await store.transaction(async (session) => {
        await Promise.all([session.apiKeys.insert(apiKey()), session.audit.append(auditRecord(1))])
      })
      assert.equal(await store.apiKeys.count(), 1)
    })

    // Otherwise the store and the work would wait for each other for ever, and every later request with them.
    for (const [name, misuse] of Object.entries({
      'a read': (store: Misused) => store.settings.all(),
      'a look-up by hash': (store: Misused) => store.userApiKeys.findByHash(hash('a')),
      'a write': (store: Misused) => store.settings.put({ name: 'one', value: '', updatedAt: now }),
      'a write in several steps': (store: Misused) => store.deleteExpired(now, 100),
      'another transaction': (store: Misused) => store.transaction(async () => {}),
    })) {
      test(`refuses ${name} of the store itself inside the work`, async (store) => {
        const work = store.transaction(async (session) => {
          await session.audit.append(auditRecord(1))
          await misuse(store)
        })
        await assert.rejects(work, TypeError)
        assert.equal(await store.audit.last(), undefined)
      })
    }

    test('what the work starts and does not wait for may use the store afterwards', async (store) => {
      const over = Promise.withResolvers<void>()
      let later: Promise<unknown> = Promise.resolve()
      await store.transaction(async () => {
        later = over.promise.then(() => store.settings.all())
      })
      over.resolve()
      assert.deepEqual(await later, [])
    })

    test('the session is of no use once the work is over', async (store) => {
      const session = await store.transaction(async (given): Promise<StoreSession> => given)
      await assert.rejects(session.settings.put({ name: 'one', value: '', updatedAt: now }))
      assert.deepEqual(await store.settings.all(), [])
    })
  })

  describe('transactions at once', () => {
    const test = storeTest(openStore)

    test('are answered in the order in which they were asked for', async (store) => {
      const answered: number[] = []
      const works = Array.from({ length: 120 }, (_, index) =>
        store
          .transaction((session) => session.audit.append(auditRecord(index + 1)))
          .then(() => answered.push(index + 1)),
      )
      await Promise.all(works)
      assert.deepEqual(
        answered,
        works.map((_, index) => index + 1),
      )
      assert.equal((await store.audit.last())?.sequence, 120)
    })

    // The first, the last, and one in the middle: each is undone in a way of its own.
    test('one that throws loses what it did, and no other does', async (store) => {
      const throwing = [1, 2, 7, 20]
      const works = Array.from({ length: 20 }, (_, index) =>
        store.transaction(async (session) => {
          const name = String(index + 1).padStart(2, '0')
          await session.settings.put({ name, value: '', updatedAt: now })
          if (throwing.includes(index + 1)) throw new Error(`thrown by ${name}`)
          return name
        }),
      )
      const outcomes = await Promise.allSettled(works)
      const kept = (await store.settings.all()).map(({ name }) => name)
      assert.deepEqual(
        outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
        kept,
      )
      assert.deepEqual(
        outcomes.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : [])),
        throwing.map((index) => `Error: thrown by ${String(index).padStart(2, '0')}`),
      )
    })

    test('one whose insert is refused loses what it did, and no other does', async (store) => {
      const works = ['a', 'b', 'a', 'c'].map((letter, index) =>
        store.transaction(async (session) => {
          await session.audit.append(auditRecord(index + 1))
          await session.apiKeys.insert(apiKey({ keyHash: hash(letter) }))
        }),
      )
      const [, , taken] = works
      await Promise.all([works[0], works[1], works[3], assertTaken('key_hash', taken ?? Promise.resolve())])
      assert.equal(await store.apiKeys.count(), 3)
      assert.deepEqual(
        (await store.audit.list({ limit: 9 })).map(({ sequence }) => sequence),
        [4, 2, 1],
      )
    })

    test('the session of one is of no use to it while the others go on', async (store) => {
      let kept: StoreSession | undefined
      const first = store.transaction(async (session) => {
        kept = session
      })
      const second = store.transaction(async (session) => {
        await session.audit.append(auditRecord(1))
        await assert.rejects(async () => kept?.settings.put({ name: 'late', value: '', updatedAt: now }))
        await assert.rejects(async () => kept?.userApiKeys.findByHash(hash('a')))
      })
      await Promise.all([first, second])
      assert.deepEqual(await store.settings.all(), [])
    })
  })

  describe('watch', () => {
    const test = storeTest(openStore)

    test('can be stopped, more than once, and ends with the store', async (store) => {
      const listener = { onCommit: () => {}, onLost: (error: unknown) => assert.fail(String(error)) }
      const stop = await store.watch(listener)
      await store.watch(listener)
      await stop()
      await stop()
      await store.close()
      await assert.rejects(store.watch(listener))
    })
  })

  describe('ping and close', () => {
    const test = storeTest(openStore)

    test('ping resolves while the store is open and rejects once it is closed', async (store) => {
      await store.ping()
      await store.close()
      await assert.rejects(store.ping())
    })

    test('closing waits for a running transaction, and closing twice does nothing', async (store) => {
      const started = Promise.withResolvers<void>()
      const goOn = Promise.withResolvers<void>()
      const work = store.transaction(async (session) => {
        started.resolve()
        await goOn.promise
        await session.settings.put({ name: 'one', value: '', updatedAt: now })
        return 'committed'
      })
      await started.promise
      const closing = store.close()
      goOn.resolve()
      assert.equal(await work, 'committed')
      await closing
      await store.close()
    })
  })
}

type Misused = Awaited<ReturnType<OpenStore>>
