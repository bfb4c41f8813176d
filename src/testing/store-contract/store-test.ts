import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Store, type UniqueField, UniqueViolation } from '../../domain/store.ts'

/** Opens an empty store. */
export type OpenStore = () => Promise<Store>

/** A test on a store of its own. */
export type StoreTest = (name: string, work: (store: Store) => Promise<void>) => void

/** Makes tests that each open a store and close it, whatever happens. */
export function storeTest(openStore: OpenStore): StoreTest {
  return (name, work) => {
    test(name, async () => {
      const store = await openStore()
      try {
        await work(store)
      } finally {
        await store.close()
      }
    })
  }
}

/** Asserts that an insert is refused because `field` is taken. */
export async function assertTaken(field: UniqueField, insert: Promise<unknown>): Promise<void> {
  await assert.rejects(insert, (error) => error instanceof UniqueViolation && error.field === field)
}
