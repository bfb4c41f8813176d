/** A SQLite file that another process holds for a while: this one waits for it, and goes on with all else meanwhile. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, type TestContext, test } from 'node:test'
import type { Store } from '../../src/domain/store.ts'
import { openSqliteStore } from '../../src/storage/open-store.ts'
import { busyPatienceMs } from '../../src/storage/sqlite/patient-connection.ts'
import { isUnavailable } from '../../src/storage/unavailable.ts'
import { auditRecord, now } from '../../src/testing/store-contract/samples.ts'
import { unlessSqlite } from '../test-database.ts'
import { temporaryFolder } from './temporary-folder.ts'

interface HeldStore {
  readonly store: Store
  /** What another process does that holds the file: a connection of its own, for which it is the same. */
  readonly other: DatabaseSync
}

async function heldStore(t: TestContext): Promise<HeldStore> {
  const path = join(temporaryFolder(t), 'hallpass.db')
  const store = await openSqliteStore({ path })
  const other = new DatabaseSync(path, { timeout: 0 })
  t.after(async () => {
    other.close()
    await store.close()
  })
  other.exec('begin immediate')
  return { store, other }
}

const writings: readonly (readonly [string, (store: Store) => Promise<unknown>])[] = [
  ['a transaction', (store) => store.transaction((session) => session.audit.append(auditRecord(1)))],
  ['a statement', (store) => store.settings.put({ name: 'title', value: 'ours', updatedAt: now })],
]

describe('a database that another process writes to', { skip: unlessSqlite }, () => {
  for (const [name, write] of writings) {
    test(`${name} that wants to write waits until that is over`, async (t) => {
      const { store, other } = await heldStore(t)
      let isDone = false
      const written = write(store).then(() => {
        isDone = true
      })
      // The thread is free, and so is the connection, as often as anybody asks.
      for (let time = 0; time < 20; time += 1) {
        await new Promise((resolve) => setTimeout(resolve, 1))
        assert.deepEqual(await store.settings.all(), [])
      }
      assert.equal(isDone, false)
      other.exec('commit')
      await written
    })
  }

  test('two that wait are both done, each alone', async (t) => {
    const { store, other } = await heldStore(t)
    const all = Promise.all(writings.map(([, write]) => write(store)))
    await store.settings.all()
    other.exec('commit')
    await all
    assert.equal((await store.audit.list({ limit: 10 })).length, 1)
    assert.equal((await store.settings.all()).length, 1)
  })

  test('whoever waits in vain hears that the database cannot be asked, in time, and nothing is written', async (t) => {
    const { store, other } = await heldStore(t)
    const since = performance.now()
    const outcomes = await Promise.allSettled(writings.map(([, write]) => write(store)))
    for (const outcome of outcomes) assert.ok(outcome.status === 'rejected' && isUnavailable(outcome.reason))
    assert.ok(performance.now() - since >= busyPatienceMs)
    other.exec('commit')
    assert.deepEqual(await store.settings.all(), [])
    await store.transaction((session) => session.audit.append(auditRecord(1)))
  })
})
