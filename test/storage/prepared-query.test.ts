import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Database } from '../../src/storage/database.ts'
import { openPostgres } from '../../src/storage/postgres/open-postgres.ts'
import { prepared, preparedRows, preparedTexts } from '../../src/storage/prepared-query.ts'
import type { HallpassTables } from '../../src/storage/schema.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { createStore } from '../../src/storage/store.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { freshPostgresUrl } from '../fresh-postgres.ts'

let database: Database

before(async () => {
  database = await openSqlite({ path: ':memory:' })
  await createStore(database)
})
after(() => database.close())

interface Setting {
  readonly name: string
  readonly value: string
}

/** What comes from SQLite has no prototype. */
function plain(rows: readonly object[]): readonly object[] {
  return rows.map((row) => ({ ...row }))
}

describe('prepared', () => {
  test('builds a query once, and runs it with other values on whatever handle', async () => {
    let built = 0
    const named = prepared((db, given: { readonly name: string; readonly also: string }) => {
      built += 1
      return db.selectFrom('site_settings').select('value').where('name', 'in', [given.also, given.name])
    })
    const db = database.tables<HallpassTables>()
    const insert = prepared((handle, { name, value }: Setting) =>
      handle.insertInto('site_settings').values({ name, value, updated_at: 0 }),
    )
    await insert(db, { name: 'one', value: '1' })
    assert.deepEqual(plain(await named(db, { name: 'one', also: 'none' })), [{ value: '1' }])
    await inTransaction(db, async (transaction) => {
      await insert(transaction, { name: 'two', value: '2' })
      assert.deepEqual(plain(await named(transaction, { name: 'two', also: 'none' })), [{ value: '2' }])
    })
    assert.deepEqual(plain(await named(db, { name: 'none', also: 'two' })), [{ value: '2' }])
    assert.equal(built, 1)
  })

  test('takes null for a value, and keeps what is the same each time', async () => {
    const told = prepared((db, given: { readonly at: number | null }) =>
      db.selectNoFrom(({ val }) => [
        val(given.at).as('at'),
        val('same').as('kept'),
        val(given.at).as('again'),
      ]),
    )
    const db = database.tables<HallpassTables>()
    assert.deepEqual(plain(await told(db, { at: null })), [{ at: null, kept: 'same', again: null }])
    assert.deepEqual(plain(await told(db, { at: 7 })), [{ at: 7, kept: 'same', again: 7 }])
  })

  test('builds for each database by itself', async () => {
    const other = await openSqlite({ path: ':memory:' })
    let built = 0
    const one = prepared((db) => {
      built += 1
      return db.selectNoFrom(({ lit }) => lit(1).as('one'))
    })
    for (const each of [database, other, database]) {
      assert.deepEqual(plain(await one(each.tables<HallpassTables>(), {})), [{ one: 1 }])
    }
    assert.equal(built, 2)
    await other.close()
  })
})

describe('preparedRows', () => {
  test('builds a query once for each length of the list', async () => {
    let built = 0
    const insertAll = preparedRows((db, settings: readonly Setting[]) => {
      built += 1
      return db
        .insertInto('site_settings')
        .values(settings.map(({ name, value }) => ({ name, value, updated_at: 0 })))
        .returning(['name', 'value'])
    })
    const db = database.tables<HallpassTables>()
    const lists = [['a'], ['b', 'c'], ['d', 'e'], ['f']]
    for (const names of lists) {
      const settings = names.map((name) => ({ name, value: name.toUpperCase() }))
      assert.deepEqual(plain(await insertAll(db, settings)), settings)
    }
    assert.equal(built, 2)
  })
})

describe('the prepared queries of a store', () => {
  // A server that was not started anew yet would refuse whoever is signed in.
  test('go on on PostgreSQL when a newer server has added a column to every table', async (t) => {
    const opened = await openPostgres({ url: await freshPostgresUrl() })
    const store = await createStore(opened)
    t.after(() => store.close())
    const askAll = async (): Promise<void> => {
      await store.sessions.find('none')
      await store.accounts.findById(1)
      await store.clients.findByClientId('none')
      await store.userApiKeys.findByHashWithAccount('none')
      await store.apiKeys.findByHashWithAccount('none')
      await store.audit.last()
      await store.changes.listAfter(0)
    }
    await askAll()
    const db = opened.tables<HallpassTables>()
    for (const { name } of await db.introspection.getTables()) {
      await db.schema.alterTable(name).addColumn('later', 'integer').execute()
    }
    await askAll()
    assert.ok(preparedTexts.size > 0)
    assert.deepEqual(
      [...preparedTexts].filter((text) => text.includes('*')),
      [],
    )
  })
})
