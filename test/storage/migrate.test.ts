import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { sql } from 'kysely'
import { HallpassError } from '../../src/protocol/errors.ts'
import type { Database } from '../../src/storage/database.ts'
import { type Migration, migrate, planMigrations } from '../../src/storage/migrate.ts'
import { hallpassMigrations } from '../../src/storage/migrations/hallpass-migrations.ts'
import { openSqliteStore } from '../../src/storage/open-store.ts'
import { openPostgres } from '../../src/storage/postgres/open-postgres.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { createStore } from '../../src/storage/store.ts'
import { freshPostgresUrl } from '../fresh-postgres.ts'
import { temporaryFolder } from './temporary-folder.ts'

const protocolTables = [
  'api_key_scopes',
  'api_keys',
  'user_api_key_client_scopes',
  'user_api_key_clients',
  'user_api_key_scopes',
  'user_api_keys',
]

describe('migrate', () => {
  test('makes Hallpass’s tables in an empty database, named as in protocol §15', async (t) => {
    const database = await openMemory(t)
    await createStore(database)
    const tables = await tablesOf(database)
    assert.deepEqual(
      tables.filter((name) => name.includes('api_key')),
      protocolTables,
    )
    assert.ok(tables.includes('audit_events'))
  })

  test('runs each step once, in order', async (t) => {
    const database = await openMemory(t)
    const ran: string[] = []
    const step = (name: string): Migration => ({
      name,
      since: '0.1.0',
      kind: 'expand',
      up: async () => void ran.push(name),
    })
    await migrate(database, { name: 'forum', migrations: [step('one')] })
    await migrate(database, { name: 'forum', migrations: [step('one'), step('two'), step('three')] })
    await migrate(database, { name: 'forum', migrations: [step('one'), step('two'), step('three')] })
    assert.deepEqual(ran, ['one', 'two', 'three'])
  })

  test('keeps the lists of two applications apart, in one database', async (t) => {
    const database = await openMemory(t)
    const store = await createStore(database)
    const topics: Migration = {
      // Named like one of Hallpass's on purpose.
      name: hallpassMigrations[0]?.name ?? '',
      since: '0.1.0',
      kind: 'expand',
      async up(db, schema) {
        await schema
          .withId(db.schema.createTable('forum_topics'))
          .addColumn('title', 'text', (column) => column.notNull())
          .execute()
      },
    }
    await migrate(database, { name: 'forum', migrations: [topics] })
    await createStore(database)
    const db = database.tables<{ forum_topics: { title: string } }>()
    await db.insertInto('forum_topics').values({ title: 'hello' }).execute()
    assert.equal((await db.selectFrom('forum_topics').selectAll().execute()).length, 1)
    await store.ping()
  })

  test('goes on with a file that does not say of what kind its steps were', async (t) => {
    const database = await openMemory(t)
    await createStore(database)
    await sql`alter table schema_migrations drop column kind`.execute(database.tables<unknown>())
    await sql`delete from schema_migrations where name = 'cache-changes'`.execute(database.tables<unknown>())
    await sql`drop table cache_changes`.execute(database.tables<unknown>())
    const list = { name: 'hallpass', migrations: hallpassMigrations }
    const names = (steps: readonly Migration[]) => steps.map(({ name }) => name)
    assert.deepEqual(names((await planMigrations(database, list)).pending), ['cache-changes'])
    assert.deepEqual(names(await migrate(database, list)), ['cache-changes'])
    assert.deepEqual(names(await migrate(database, list)), [])
  })

  test('a step that fails undoes all steps, and says which it was', async (t) => {
    const database = await openMemory(t)
    const migrations: readonly Migration[] = [
      {
        name: 'good',
        since: '0.1.0',
        kind: 'expand',
        up: (db) => sql`create table good (a integer)`.execute(db).then(),
      },
      { name: 'bad', since: '0.1.0', kind: 'expand', up: (db) => sql`create nonsense`.execute(db).then() },
    ]
    const error = await refusalOf(migrate(database, { name: 'forum', migrations }))
    assert.equal(error.reason, 'migration_failed')
    assert.match(error.message, /^the migration `bad` of forum failed on :memory:: .* nothing was changed$/)
    assert.deepEqual(await tablesOf(database), [])
  })

  test('refuses a database from the future, says what it needs, and changes nothing', async (t) => {
    const path = join(temporaryFolder(t), 'hallpass.db')
    const future = await openSqlite({ path })
    const up = async () => {}
    const migrations: readonly Migration[] = [
      ...hallpassMigrations,
      { name: 'from-the-future', since: '0.9.0', kind: 'expand', up },
      { name: 'later-tables', since: '0.10.2', kind: 'contract', up },
    ]
    await migrate(future, { name: 'hallpass', migrations })
    await future.close()
    const before = readFileSync(path)

    const error = await refusalOf(openSqliteStore({ path }))
    assert.equal(error.reason, 'database_newer')
    assert.match(error.message, /needs hallpass 0\.10\.2 or newer: .*`later-tables`.* nothing was changed$/)
    assert.match(error.remedy, /^start hallpass 0\.10\.2 or newer/)
    assert.ok(readFileSync(path).equals(before))
  })
})

// Servers of two versions run on one database while an upgrade goes round.
for (const [kind, openTwice] of Object.entries({ SQLite: sqliteTwice, PostgreSQL: postgresTwice })) {
  describe(`an older and a newer version on one ${kind} database`, () => {
    const step = (name: string, of: Migration['kind']): Migration => ({
      name,
      since: '9.0.0',
      kind: of,
      up: async (db) => void (await db.schema.createTable(name).addColumn('a', 'integer').execute()),
    })
    const older = [step('one', 'expand')]
    const withExpand = [...older, step('two', 'expand')]
    const withContract = [...withExpand, step('three', 'contract'), step('four', 'expand')]

    test('the older opens what the newer has expanded, and is told of it', async (t) => {
      const [first, second] = await openTwice(t)
      await migrate(first, { name: 'forum', migrations: older })
      await migrate(second, { name: 'forum', migrations: withExpand })
      assert.deepEqual(await migrate(first, { name: 'forum', migrations: older }), [])
      const { newer, pending } = await planMigrations(first, { name: 'forum', migrations: older })
      assert.deepEqual([newer.map(({ name }) => name), pending], [['two'], []])
    })

    test('the newer expands by itself and contracts only when asked; then the older is refused', async (t) => {
      const [first, second] = await openTwice(t)
      await migrate(first, { name: 'forum', migrations: older })
      const names = (done: readonly Migration[]) => done.map(({ name }) => name)
      const list = { name: 'forum', migrations: withContract }
      const plan = await planMigrations(second, list)
      assert.deepEqual(names(plan.pending), ['two', 'three', 'four'])
      assert.deepEqual(names(await migrate(second, list)), ['two', 'four'])
      await migrate(first, { name: 'forum', migrations: older })
      assert.deepEqual(names(await migrate(second, list, { contract: true })), ['three'])
      const error = await refusalOf(migrate(first, { name: 'forum', migrations: older }))
      assert.equal(error.reason, 'database_newer')
      assert.match(error.message, /`three`/)
      assert.equal(
        (await refusalOf(planMigrations(first, { name: 'forum', migrations: older }))).reason,
        'database_newer',
      )
    })

    test('an empty database gets every step, in order', async (t) => {
      const [first] = await openTwice(t)
      const list = { name: 'forum', migrations: withContract }
      assert.deepEqual(await planMigrations(first, list), { isNew: true, pending: withContract, newer: [] })
      assert.deepEqual(await migrate(first, list), withContract)
    })

    test('nodes that start at once do each step once', async (t) => {
      const databases = await openTwice(t)
      const done = await Promise.all(
        databases.map((database) => migrate(database, { name: 'forum', migrations: withContract })),
      )
      assert.equal(done.flat().length, withContract.length)
    })
  })
}

async function sqliteTwice(t: TestContext): Promise<[Database, Database]> {
  const path = join(temporaryFolder(t), 'hallpass.db')
  return [close(t, await openSqlite({ path })), close(t, await openSqlite({ path }))]
}

async function postgresTwice(t: TestContext): Promise<[Database, Database]> {
  const url = await freshPostgresUrl({ empty: true })
  return [close(t, await openPostgres({ url })), close(t, await openPostgres({ url }))]
}

function close(t: TestContext, database: Database): Database {
  t.after(() => database.close())
  return database
}

async function openMemory(t: TestContext): Promise<Database> {
  const database = await openSqlite({ path: ':memory:' })
  t.after(() => database.close())
  return database
}

async function tablesOf(database: Database): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name
  `.execute(database.tables())
  return rows.map(({ name }) => name)
}

async function refusalOf(work: Promise<unknown>): Promise<HallpassError> {
  const error = await work.then(
    () => assert.fail('it went through'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof HallpassError)
  return error
}
