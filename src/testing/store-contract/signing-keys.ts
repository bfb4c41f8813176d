import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { now } from './samples.ts'
import { type OpenStore, storeTest } from './store-test.ts'

export function signingKeysContract(openStore: OpenStore): void {
  describe('signing keys', () => {
    const test = storeTest(openStore)
    const record = (kid: string, activeFrom: number) => ({
      kid,
      privateKey: `pem ${kid}`,
      createdAt: now,
      activeFrom,
    })

    test('come in the order in which they begin to sign', async (store) => {
      assert.deepEqual(await store.signingKeys.list(), [])
      for (const key of [record('b', now + 5), record('c', now + 9), record('a', now)])
        await store.signingKeys.insert(key)
      assert.deepEqual(await store.signingKeys.list(), [
        record('a', now),
        record('b', now + 5),
        record('c', now + 9),
      ])
    })

    test('are gone once deleted', async (store) => {
      await store.signingKeys.insert(record('a', now))
      await store.signingKeys.delete('a')
      await store.signingKeys.delete('none')
      assert.deepEqual(await store.signingKeys.list(), [])
    })
  })
}
