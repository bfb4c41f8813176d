import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { NewPushDelivery, PushDeliveryRecord } from '../../domain/store.ts'
import { now } from './samples.ts'
import { type OpenStore, storeTest } from './store-test.ts'

const address = 'https://push.example.com/publish'
const other = 'https://other.example.com/publish'

function delivery(change: Partial<NewPushDelivery> = {}): NewPushDelivery {
  return { targetUrl: address, userId: '1', body: '{"title":"“ü” 🎟"}', createdAt: now, ...change }
}

function pending(id: number, change: Partial<PushDeliveryRecord> = {}): PushDeliveryRecord {
  return {
    id,
    ...delivery(),
    state: 'pending',
    attempts: 0,
    nextAttemptAt: now,
    leasedUntil: null,
    lastStatus: null,
    lastError: null,
    finishedAt: null,
    ...change,
  }
}

const lease = { token: 'mine', now, until: now + 1000 }
const arrived = { state: 'delivered', at: now + 5, status: 200, error: null } as const
const given = { state: 'dead', at: now + 5, status: 500, error: 'it answered 500' } as const

/** The outbox of pushes. */
export function pushDeliveriesContract(openStore: OpenStore): void {
  const test = storeTest(openStore)

  describe('push deliveries', () => {
    test('a push is found as it came, and may be sent at once', async (store) => {
      const id = await store.pushDeliveries.insert(delivery())
      assert.deepEqual(await store.pushDeliveries.find(id), pending(id))
      assert.equal(await store.pushDeliveries.find(id + 1), undefined)
    })

    test('the heads are the first that waits for each address', async (store) => {
      const ids = []
      for (const targetUrl of [address, address, other, other]) {
        ids.push(await store.pushDeliveries.insert(delivery({ targetUrl })))
      }
      const heads = async () => (await store.pushDeliveries.heads()).map(({ id }) => id)
      assert.deepEqual(await heads(), [ids[0], ids[2]])
      await store.pushDeliveries.claim(ids[0] ?? 0, lease)
      await store.pushDeliveries.settle(ids[0] ?? 0, 'mine', arrived)
      assert.deepEqual(await heads(), [ids[1], ids[2]])
    })

    test('one of those who try at once gets a push, and its attempt is counted', async (store) => {
      const id = await store.pushDeliveries.insert(delivery())
      const claims = await Promise.all(
        ['a', 'b', 'c'].map((token) => store.pushDeliveries.claim(id, { ...lease, token })),
      )
      const got = claims.filter((claim) => claim !== undefined)
      assert.deepEqual(got, [pending(id, { attempts: 1, leasedUntil: now + 1000 })])
    })

    test('nobody gets a push before its time, or one behind another', async (store) => {
      const first = await store.pushDeliveries.insert(delivery({ createdAt: now + 1 }))
      const second = await store.pushDeliveries.insert(delivery())
      assert.equal(await store.pushDeliveries.claim(first, lease), undefined)
      assert.equal(await store.pushDeliveries.claim(second, lease), undefined)
      assert.notEqual(await store.pushDeliveries.claim(first, { ...lease, now: now + 1 }), undefined)
    })

    test('a lease lapses, and what its holder says afterwards does not count', async (store) => {
      const id = await store.pushDeliveries.insert(delivery())
      await store.pushDeliveries.claim(id, lease)
      const later = { token: 'yours', now: now + 1000, until: now + 2000 }
      assert.equal((await store.pushDeliveries.claim(id, later))?.attempts, 2)
      assert.equal(await store.pushDeliveries.settle(id, 'mine', arrived), false)
      assert.equal(await store.pushDeliveries.settle(id, 'yours', arrived), true)
      assert.equal(await store.pushDeliveries.settle(id, 'yours', given), false)
    })

    test('one that waits on is there again at its time, with what went wrong', async (store) => {
      const id = await store.pushDeliveries.insert(delivery())
      await store.pushDeliveries.claim(id, lease)
      const failed = {
        state: 'pending',
        at: now + 5,
        nextAttemptAt: now + 50,
        status: 503,
        error: 'no',
      } as const
      await store.pushDeliveries.settle(id, 'mine', failed)
      const change = { attempts: 1, nextAttemptAt: now + 50, lastStatus: 503, lastError: 'no' }
      assert.deepEqual(await store.pushDeliveries.find(id), pending(id, change))
      assert.equal(await store.pushDeliveries.claim(id, { ...lease, now: now + 49 }), undefined)
      assert.notEqual(await store.pushDeliveries.claim(id, { ...lease, now: now + 50 }), undefined)
    })

    test('what arrived keeps no content', async (store) => {
      const id = await store.pushDeliveries.insert(delivery())
      await store.pushDeliveries.claim(id, lease)
      await store.pushDeliveries.settle(id, 'mine', arrived)
      const change = {
        state: 'delivered',
        body: '',
        attempts: 1,
        lastStatus: 200,
        finishedAt: now + 5,
      } as const
      assert.deepEqual(await store.pushDeliveries.find(id), pending(id, change))
    })

    test('a dead one can be revived, and waits for whoever is sending to its address', async (store) => {
      const [first, second] = [
        await store.pushDeliveries.insert(delivery()),
        await store.pushDeliveries.insert(delivery()),
      ]
      assert.equal(await store.pushDeliveries.revive(first, now), false)
      await store.pushDeliveries.claim(first, lease)
      await store.pushDeliveries.settle(first, 'mine', given)
      await store.pushDeliveries.claim(second, lease)
      assert.equal(await store.pushDeliveries.revive(first, now + 7), true)
      const change = { nextAttemptAt: now + 7, lastStatus: 500, lastError: 'it answered 500' }
      assert.deepEqual(await store.pushDeliveries.find(first), pending(first, change))
      const next = { token: 'next', now: now + 7, until: now + 1007 }
      assert.equal(await store.pushDeliveries.claim(first, next), undefined)
      await store.pushDeliveries.settle(second, 'mine', arrived)
      assert.equal((await store.pushDeliveries.claim(first, next))?.attempts, 1)
    })

    test('the oldest that nobody is sending are given up', async (store) => {
      const ids = []
      for (let index = 0; index < 4; index += 1) ids.push(await store.pushDeliveries.insert(delivery()))
      const elsewhere = await store.pushDeliveries.insert(delivery({ targetUrl: other }))
      await store.pushDeliveries.claim(ids[0] ?? 0, lease)
      const change = { count: 2, now: now + 5, problem: 'too many' }
      assert.deepEqual(await store.pushDeliveries.dropOldest(address, change), [ids[1], ids[2]])
      const dropped = { state: 'dead', lastError: 'too many', finishedAt: now + 5 } as const
      assert.deepEqual(await store.pushDeliveries.find(ids[1] ?? 0), pending(ids[1] ?? 0, dropped))
      assert.equal(await store.pushDeliveries.countPending(address), 2)
      assert.deepEqual(await store.pushDeliveries.find(elsewhere), pending(elsewhere, { targetUrl: other }))
    })

    test('lists newest first, by state and address, in pages below an id; counts each state', async (store) => {
      const ids: number[] = []
      for (const targetUrl of [address, other, address, other]) {
        ids.push(await store.pushDeliveries.insert(delivery({ targetUrl })))
      }
      await store.pushDeliveries.claim(ids[0] ?? 0, lease)
      await store.pushDeliveries.settle(ids[0] ?? 0, 'mine', given)
      const places = async (
        page: Omit<Parameters<typeof store.pushDeliveries.list>[0], 'limit'>,
        limit = 9,
      ) => (await store.pushDeliveries.list({ ...page, limit })).map(({ id }) => ids.indexOf(id))
      assert.deepEqual(await places({}), [3, 2, 1, 0])
      assert.deepEqual(await places({}, 2), [3, 2])
      assert.deepEqual(await places({ before: ids[2] }), [1, 0])
      assert.deepEqual(await places({ state: 'pending' }), [3, 2, 1])
      assert.deepEqual(await places({ targetUrl: address }), [2, 0])
      assert.deepEqual(await places({ state: 'pending', targetUrl: address, before: ids[3] }), [2])
      assert.deepEqual(await store.pushDeliveries.counts(), { pending: 3, delivered: 0, dead: 1 })
    })

    test('deletes what was finished by its time, and nothing that waits', async (store) => {
      const ids: number[] = []
      for (const outcome of [arrived, given, { ...arrived, at: now + 6 }, { ...given, at: now + 6 }]) {
        const id = await store.pushDeliveries.insert(delivery())
        await store.pushDeliveries.claim(id, lease)
        await store.pushDeliveries.settle(id, 'mine', outcome)
        ids.push(id)
      }
      ids.push(await store.pushDeliveries.insert(delivery()))
      await store.pushDeliveries.deleteFinished({ delivered: now + 5, dead: now + 5 }, 100)
      const left = await store.pushDeliveries.list({ limit: 9 })
      assert.deepEqual(
        left.map(({ id }) => ids.indexOf(id)),
        [4, 3, 2],
      )
    })
  })
}
