/** A PostgreSQL whose network is gone without a word: a query is given up in time, and its connection with it. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { sql } from 'kysely'
import type { Database } from '../../src/storage/database.ts'
import { openPostgres } from '../../src/storage/postgres/open-postgres.ts'
import { silentAfterMs } from '../../src/storage/postgres/pool.ts'
import { createStore } from '../../src/storage/store.ts'
import { isUnavailable } from '../../src/storage/unavailable.ts'
import { auditRecord } from '../../src/testing/store-contract/samples.ts'
import { freshPostgresUrl } from '../fresh-postgres.ts'
import { type SilentNetwork, startSilentNetwork } from '../silent-network.ts'
import { createTestSite } from '../test-site.ts'

interface Reached {
  readonly database: Database
  readonly network: SilentNetwork
}

async function reached(t: TestContext): Promise<Reached> {
  const url = new URL(await freshPostgresUrl())
  const network = await startSilentNetwork(Number(url.port))
  url.port = String(network.port)
  // With one connection, whatever holds it keeps all others waiting.
  const database = await openPostgres({ url: url.href, poolSize: 1 })
  t.after(async () => {
    await database.close()
    network.close()
  })
  return { database, network }
}

/** Rejects as unavailable, in far less time than without being told how long to wait. */
async function assertGivenUp(question: Promise<unknown>): Promise<void> {
  const since = performance.now()
  await assert.rejects(question, isUnavailable)
  assert.ok(performance.now() - since < silentAfterMs / 2)
}

describe('a PostgreSQL connection on which nothing comes back', () => {
  test('is given up with the query, and the next has another', async (t) => {
    const { database, network } = await reached(t)
    const ask = (): Promise<unknown> => sql`select 1`.execute(database.tables())
    await ask()
    database.giveUpAfter?.(() => 100)
    network.silence()
    await assertGivenUp(ask())
    database.giveUpAfter?.(() => silentAfterMs)
    await ask()
  })

  test('is given up inside a transaction, of which nothing is kept', async (t) => {
    const { database, network } = await reached(t)
    const store = await createStore(database)
    const cutOff = store.transaction(async (session) => {
      await session.audit.append(auditRecord(1))
      store.giveUpAfter?.(() => 100)
      network.silence()
      await session.audit.append(auditRecord(2))
    })
    await assertGivenUp(cutOff)
    // It would notice by itself after ten seconds in which nothing happens in the transaction.
    network.hangUp()
    store.giveUpAfter?.(() => silentAfterMs)
    assert.equal(await store.audit.last(), undefined)
    await store.transaction((session) => session.audit.append(auditRecord(1)))
  })

  // Else a server that was paused loses its connections, and refuses good keys, though its database was there.
  test('is kept when it was this process that stood still', async (t) => {
    const database = await openPostgres({ url: await freshPostgresUrl(), poolSize: 1 })
    t.after(() => database.close())
    const pid = sql<{ readonly pid: number }>`select pg_backend_pid() as pid`
    const before = await pid.execute(database.tables())
    database.giveUpAfter?.(() => 200)
    const asked = sql`select pg_sleep(0.1)`.execute(database.tables())
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
    await asked
    assert.deepEqual((await pid.execute(database.tables())).rows, before.rows)
  })

  test('is closed all the same', async (t) => {
    const { database, network } = await reached(t)
    const stop = await database.watch({ onCommit() {}, onLost() {} })
    await sql`select 1`.execute(database.tables())
    network.silence()
    await stop()
    await database.close()
  })

  test('holds its place no longer than a server’s store_timeout_ms', async (t) => {
    const { database, network } = await reached(t)
    const store = await createStore(database)
    const site = await createTestSite({ store, background: false })
    const change = { method: 'PUT', form: { store_timeout_ms: '100' } }
    const changed = await site.asAdmin('/admin/site_settings/store_timeout_ms.json', change)
    assert.equal(changed.status, 200)
    network.silence()
    // Past the server, which gives up waiting anyway: what counts is that the connection is free again. It may have been the
    // server's own question that was given up.
    const since = performance.now()
    await store.ping().catch((error: unknown) => assert.ok(isUnavailable(error)))
    assert.ok(performance.now() - since < silentAfterMs / 2)
  })
})
