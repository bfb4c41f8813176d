import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, type TestContext, test } from 'node:test'
import { sql } from 'kysely'
import { HallpassError } from '../../src/protocol/errors.ts'
import { openSqliteStore } from '../../src/storage/open-store.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { openingFailed } from '../../src/storage/sqlite/opening-failed.ts'
import { now } from '../../src/testing/store-contract/samples.ts'
import { eventually } from '../eventually.ts'
import { unlessSqlite } from '../test-database.ts'
import { temporaryFolder } from './temporary-folder.ts'

describe('openSqlite', { skip: unlessSqlite }, () => {
  const pragmas: readonly (readonly [string, unknown])[] = [
    ['journal_mode', 'wal'],
    ['synchronous', 2],
    ['fullfsync', 1],
    ['foreign_keys', 1],
    ['recursive_triggers', 1],
    ['trusted_schema', 0],
    ['busy_timeout', 0],
    ['cache_size', -32768],
    ['journal_size_limit', 67108864],
  ]
  for (const [name, value] of pragmas) {
    test(`pragma ${name} is ${value}`, async (t) => {
      const database = await openSqlite({ path: join(temporaryFolder(t), 'hallpass.db') })
      t.after(() => database.close())
      const { rows } = await sql<Record<string, unknown>>`pragma ${sql.raw(name)}`.execute(database.tables())
      assert.deepEqual(Object.values(rows[0] ?? {}), [value])
    })
  }

  test('tells of commits of another connection, and never of its own', async (t) => {
    const path = join(temporaryFolder(t), 'hallpass.db')
    const [store, other] = [await openSqliteStore({ path }), await openSqliteStore({ path })]
    t.after(() => Promise.all([store.close(), other.close()]))
    const put = (by: typeof store, value: string) => by.settings.put({ name: 'title', value, updatedAt: now })
    let heardByStore = 0
    const heard = Promise.withResolvers<void>()
    const onLost = (error: unknown) => assert.fail(String(error))
    await store.watch({ onCommit: () => (heardByStore += 1), onLost })
    await other.watch({ onCommit: () => heard.resolve(), onLost })
    await put(store, 'ours')
    await heard.promise
    // So much later it has asked, whatever it was told of the log.
    await new Promise((resolve) => setTimeout(resolve, 150))
    assert.equal(heardByStore, 0)
  })

  // By itself it asks each 100 milliseconds, and would be late by 50 on average.
  test('hears of a commit when the log is written to', async (t) => {
    const path = join(temporaryFolder(t), 'hallpass.db')
    const [store, other] = [await openSqliteStore({ path }), await openSqliteStore({ path })]
    t.after(() => Promise.all([store.close(), other.close()]))
    let onCommit = (): void => {}
    await store.watch({ onCommit: () => onCommit(), onLost: (error) => assert.fail(String(error)) })
    let commits = 0
    const lateBy = async (): Promise<number> => {
      commits += 1
      const heard = new Promise<void>((resolve) => {
        onCommit = resolve
      })
      await other.settings.put({ name: 'title', value: `${commits}`, updatedAt: now })
      const since = performance.now()
      await heard
      return performance.now() - since
    }
    // Several times, for a machine that is busy.
    await eventually(
      async () => {
        let ms = 0
        for (let commit = 0; commit < 15; commit += 1) ms += await lateBy()
        return ms / 15
      },
      (ms) => ms < 25,
    )
  })

  test('tells of commits of another connection while a transaction of its own waits', async (t) => {
    const path = join(temporaryFolder(t), 'hallpass.db')
    const [store, other] = [await openSqliteStore({ path }), await openSqliteStore({ path })]
    t.after(() => Promise.all([store.close(), other.close()]))
    const heard = Promise.withResolvers<void>()
    await store.watch({
      onCommit: () => heard.resolve(),
      onLost: (error) => heard.reject(error),
    })
    await other.settings.put({ name: 'title', value: 'Ours', updatedAt: now })
    await store.transaction(() => heard.promise)
  })

  // Node's own way to make several folders at once tries for ever here.
  test('says that there can be no folder where there can be none', { timeout: 20_000 }, async () => {
    await assert.rejects(openSqliteStore({ path: '/proc/hallpass/data/hallpass.db' }), {
      reason: 'database_not_writable',
    })
  })

  test('makes folders and files that only their owner can read', async (t) => {
    const folder = join(temporaryFolder(t), 'data', 'deep')
    const store = await openSqliteStore({ path: join(folder, 'hallpass.db') })
    t.after(() => store.close())
    assert.deepEqual(readdirSync(folder).sort(), ['hallpass.db', 'hallpass.db-shm', 'hallpass.db-wal'])
    for (const file of readdirSync(folder)) assert.equal(mode(join(folder, file)), 0o600, file)
    assert.equal(mode(folder), 0o700)
    assert.equal(mode(join(folder, '..')), 0o700)
  })

  test('leaves the modes of what exists as they are', async (t) => {
    const folder = join(temporaryFolder(t), 'data')
    const path = join(folder, 'hallpass.db')
    mkdirSync(folder)
    chmodSync(folder, 0o750)
    writeFileSync(path, '')
    chmodSync(path, 0o640)
    await (await openSqliteStore({ path })).close()
    assert.deepEqual([mode(folder), mode(path)], [0o750, 0o640])
  })

  test('a second opening finds what the first one kept', async (t) => {
    const path = join(temporaryFolder(t), 'hallpass.db')
    const first = await openSqliteStore({ path })
    await first.settings.put({ name: 'one', value: '1', updatedAt: now })
    await first.close()
    const second = await openSqliteStore({ path })
    t.after(() => second.close())
    assert.equal((await second.settings.all())[0]?.value, '1')
  })

  test('closing leaves one file, with all in it', async (t) => {
    const folder = temporaryFolder(t)
    const store = await openSqliteStore({ path: join(folder, 'hallpass.db') })
    await store.settings.put({ name: 'one', value: '1', updatedAt: now })
    await store.close()
    assert.deepEqual(readdirSync(folder), ['hallpass.db'])
  })

  test('refuses a file that is not a database, and leaves it as it is', async (t) => {
    const path = join(temporaryFolder(t), 'notes.txt')
    writeFileSync(path, 'these are my notes\n'.repeat(100))
    const error = await refusalOf(path, 'database_unreadable')
    assert.match(error.message, /notes\.txt is not a database .* nothing was changed$/)
    assert.equal(readFileSync(path, 'utf8'), 'these are my notes\n'.repeat(100))
  })

  test('refuses a database whose pages are damaged', async (t) => {
    const path = join(temporaryFolder(t), 'hallpass.db')
    await (await openSqliteStore({ path })).close()
    const bytes = readFileSync(path)
    bytes.fill(0xff, 100)
    writeFileSync(path, bytes)
    await refusalOf(path, 'database_unreadable')
  })

  test('refuses a folder in the place of the file', async (t) => {
    const error = await refusalOf(temporaryFolder(t), 'database_not_writable')
    assert.match(error.message, /cannot be opened for writing: EISDIR/)
  })

  test('refuses a file in the place of the folder', async (t) => {
    const file = join(temporaryFolder(t), 'data')
    writeFileSync(file, '')
    await refusalOf(join(file, 'hallpass.db'), 'database_not_writable')
  })

  const asRoot = process.getuid?.() === 0 && 'root may write everywhere'
  for (const place of ['folder', 'file'] as const) {
    test(`refuses a ${place} that it may not write to`, { skip: asRoot }, async (t) => {
      const folder = temporaryFolder(t)
      const path = join(folder, 'hallpass.db')
      if (place === 'file') writeFileSync(path, '')
      chmodSync(place === 'file' ? path : folder, 0o500)
      t.after(() => chmodSync(folder, 0o700))
      await refusalOf(path, 'database_not_writable')
    })
  }

  test('refuses a database that another process holds', (t) => {
    const path = join(temporaryFolder(t), 'hallpass.db')
    const holder = connection(t, path)
    holder.exec('begin exclusive')
    const other = connection(t, path)
    let error: unknown
    try {
      other.exec('begin immediate')
    } catch (thrown) {
      error = openingFailed(path, thrown)
    }
    assert.ok(error instanceof HallpassError)
    assert.equal(error.reason, 'database_busy')
    assert.match(error.message, /is locked by another process$/)
  })

  test('the commit that a full disk refuses is told as such, and the store goes on', async (t) => {
    const database = await openSqlite({ path: join(temporaryFolder(t), 'hallpass.db') })
    t.after(() => database.close())
    const db = database.tables<{ filled: { text: string } }>()
    await sql`create table filled (text text)`.execute(db)
    await sql`pragma max_page_count = 20`.execute(db)
    const fill = db.transaction().execute(async (transaction) => {
      for (;;)
        await transaction
          .insertInto('filled')
          .values({ text: 'x'.repeat(10_000) })
          .execute()
    })
    await assert.rejects(fill, /database or disk is full/)
    assert.deepEqual(await db.selectFrom('filled').selectAll().execute(), [])
  })

  test('a statement that stays prepared sees the columns that a migration adds', async (t) => {
    const database = await openSqlite({ path: ':memory:' })
    t.after(() => database.close())
    const db = database.tables<{ notes: { one: number; two?: number } }>()
    await sql`create table notes (one integer)`.execute(db)
    await db.insertInto('notes').values({ one: 1 }).execute()
    const all = db.selectFrom('notes').selectAll()
    assert.deepEqual(Object.keys((await all.executeTakeFirst()) ?? {}), ['one'])
    await sql`alter table notes add column two integer`.execute(db)
    assert.deepEqual(Object.keys((await all.executeTakeFirst()) ?? {}), ['one', 'two'])
  })

  test('streams the rows of a query', async (t) => {
    const database = await openSqlite({ path: ':memory:' })
    t.after(() => database.close())
    const db = database.tables<{ notes: { one: number } }>()
    await sql`create table notes (one integer)`.execute(db)
    await db
      .insertInto('notes')
      .values([{ one: 1 }, { one: 2 }])
      .execute()
    const seen: number[] = []
    for await (const { one } of db.selectFrom('notes').selectAll().stream()) seen.push(one)
    assert.deepEqual(seen, [1, 2])
  })
})

function mode(path: string): number {
  return statSync(path).mode & 0o777
}

async function refusalOf(path: string, reason: string): Promise<HallpassError> {
  const error = await openSqliteStore({ path }).then(
    () => assert.fail('it opened'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof HallpassError)
  assert.equal(error.reason, reason)
  assert.notEqual(error.remedy, '')
  return error
}

function connection(t: TestContext, path: string): DatabaseSync {
  const opened = new DatabaseSync(path, { timeout: 0 })
  t.after(() => opened.close())
  return opened
}
