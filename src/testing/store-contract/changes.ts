import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { StoreSession } from '../../domain/store.ts'
import { now } from './samples.ts'
import { type OpenStore, storeTest } from './store-test.ts'

const hourMs = 3_600_000

/** What the changes that other processes must hear of do. */
export function changesContract(openStore: OpenStore): void {
  describe('changes', () => {
    const test = storeTest(openStore)

    test('lists what came after a number, oldest first, with all changes of each number', async (store) => {
      await append(store, 7, ['one', 'two'])
      await append(store, 12, ['three'])
      assert.deepEqual(
        (await store.changes.listAfter(0)).map(({ sequence, value }) => [sequence, value]),
        [
          [7, 'one'],
          [7, 'two'],
          [12, 'three'],
        ],
      )
      assert.deepEqual(await store.changes.listAfter(7), [
        { sequence: 12, kind: 'key', value: 'three', origin: 'node', at: now },
      ])
      assert.deepEqual(await store.changes.listAfter(12), [])
    })

    test('lists many in pages, none of which cuts a number in two', async (store) => {
      await store.transaction(async (session) => {
        for (let sequence = 1; sequence <= 1100; sequence += 1) {
          const changes = ['one', 'two'].map((value) => ({ kind: 'key', value }) as const)
          await session.changes.append({ sequence, at: now, origin: 'node', changes })
        }
      })
      const counts = new Map<number, number>()
      for (let after = 0; ; ) {
        const page = await store.changes.listAfter(after)
        if (page.length === 0) break
        for (const { sequence } of page) counts.set(sequence, (counts.get(sequence) ?? 0) + 1)
        after = page.at(-1)?.sequence ?? Number.POSITIVE_INFINITY
      }
      assert.equal(counts.size, 1100)
      assert.ok([...counts.values()].every((count) => count === 2))
    })

    test('says what is kept, and 0 for nothing', async (store) => {
      assert.deepEqual(await store.changes.kept(), { oldest: 0, newest: 0 })
      await append(store, 7, ['one'])
      await append(store, 12, ['two'])
      assert.deepEqual(await store.changes.kept(), { oldest: 7, newest: 12 })
    })

    test('is rolled back with its transaction', async (store) => {
      const work = store.transaction(async (session) => {
        await append(session, 7, ['one'])
        throw new Error('no')
      })
      await assert.rejects(work, /^Error: no$/)
      assert.deepEqual(await store.changes.listAfter(0), [])
    })

    test('deleteExpired takes those of an hour ago, and leaves the newest', async (store) => {
      await append(store, 1, ['one'])
      await append(store, 2, ['two'])
      assert.deepEqual(await store.deleteExpired(now + hourMs - 1, 10), { deleted: 0, more: false })
      assert.deepEqual(await store.deleteExpired(now + hourMs, 10), { deleted: 1, more: false })
      assert.deepEqual(await store.changes.kept(), { oldest: 2, newest: 2 })
    })

    test('deleteExpired leaves no older one behind a newer, though clocks differ', async (store) => {
      await append(store, 1, ['ahead'], now + 2 * hourMs)
      await append(store, 2, ['right'])
      await append(store, 3, ['newest'], now + hourMs)
      await store.deleteExpired(now + hourMs, 10)
      assert.deepEqual(await store.changes.kept(), { oldest: 3, newest: 3 })
    })

    test('deleteExpired takes no more at once than it is told, the oldest first', async (store) => {
      for (const sequence of [1, 2, 3, 4]) await append(store, sequence, ['one'])
      assert.deepEqual(await store.deleteExpired(now + hourMs, 2), { deleted: 2, more: true })
      assert.equal((await store.changes.kept()).oldest, 3)
    })
  })
}

function append(
  store: Pick<StoreSession, 'changes'>,
  sequence: number,
  values: readonly string[],
  at = now,
): Promise<void> {
  const changes = values.map((value) => ({ kind: 'key', value }) as const)
  return store.changes.append({ sequence, at, origin: 'node', changes })
}
