import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { sql } from 'kysely'
import { migrationLists } from '../../src/cli/migration-lists.ts'
import { verifyAudit } from '../../src/domain/read-audit.ts'
import { HallpassError } from '../../src/protocol/errors.ts'
import { createHallpass } from '../../src/server/create-hallpass.ts'
import { type CopyReport, copyStore } from '../../src/storage/copy-store.ts'
import type { Database } from '../../src/storage/database.ts'
import { migrate } from '../../src/storage/migrate.ts'
import { openPostgres } from '../../src/storage/postgres/open-postgres.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { createStore } from '../../src/storage/store.ts'
import { tableLayouts } from '../../src/storage/table-layout.ts'
import { freshPostgresUrl } from '../fresh-postgres.ts'
import { createTestSite, siteUrl } from '../test-site.ts'
import { temporaryFolder } from './temporary-folder.ts'

type Open = (t: TestContext) => Promise<Database>

const opened = (t: TestContext, database: Database): Database => {
  t.after(() => database.close())
  return database
}
const sqlite: Open = async (t) =>
  opened(t, await openSqlite({ path: join(temporaryFolder(t), 'hallpass.sqlite') }))
const postgres: Open = async (t) =>
  opened(t, await openPostgres({ url: await freshPostgresUrl({ empty: true }) }))

const directions: readonly (readonly [string, Open, Open])[] = [
  ['from SQLite to PostgreSQL', sqlite, postgres],
  ['from PostgreSQL to SQLite', postgres, sqlite],
]

/** What databases like least: other scripts, quotes, line ends, JSON, what looks like an escape, and 40 kB. */
const strangeTexts = [
  'ß İ ﬁ 你好 🎟 e\u0301',
  `it's "quoted" \\ back\\u0000slash $1 ? {}`,
  'line\r\nend\ttab\u0001\u007f\ufffd',
  '',
  ' padded ',
  'x'.repeat(40_000),
]

describe('copyStore', () => {
  for (const [direction, openSource, openTarget] of directions) {
    describe(direction, () => {
      test('copies every table, row for row, and goes on counting where the source was', async (t) => {
        const [source, target] = [await openSource(t), await openTarget(t)]
        await fillEveryTable(source)
        const report = await copy(source, target)
        for (const { name, columns, counts } of await tableLayouts(migrationLists)) {
          const rows = await rowsOf(source, name, columns)
          assert.ok(rows.length >= 6, name)
          assert.deepEqual(await rowsOf(target, name, columns), rows, name)
          assert.equal(report.tables.find((table) => table.name === name)?.rows, rows.length)
          if (!counts) continue
          const [last, copied] = [await lastId(source, name), await lastId(target, name)]
          assert.equal(copied, last, name)
        }
        assert.equal(report.changedTexts, 0)
      })

      test('a server on the copy knows the keys, and the audit log is whole', async (t) => {
        const [source, target] = [await openSource(t), await openTarget(t)]
        const site = await createTestSite({ store: await createStore(source), background: false })
        const key = await site.approvedKey()
        const revoked = await site.approvedKey({ client_id: 'client-2' })
        await site.request('/user-api-key/revoke.json', {
          method: 'POST',
          headers: { 'user-api-key': revoked },
        })
        await copy(source, target)
        const store = await createStore(target)
        const hallpass = await createHallpass({ store, clock: { now: () => site.now() }, background: false })
        t.after(() => hallpass.close())
        const ask = async (text: string): Promise<number> => {
          const headers = { 'user-api-key': text }
          return (await hallpass.fetch(new Request(`${siteUrl}/session/current.json`, { headers }))).status
        }
        assert.deepEqual([await ask(key), await ask(revoked)], [200, 403])
        const verdict = await verifyAudit(store, {})
        assert.equal(verdict.outcome, 'whole')
        const made = await hallpass.createAccount({
          username: 'new',
          password: 'correct horse battery',
          name: '',
          email: '',
          admin: false,
        })
        assert.equal(made.outcome === 'created' && made.user.id, '3')
        await site.hallpass.close()
      })

      test('refuses a target with rows, and leaves it as it was', async (t) => {
        const [source, target] = [await openSource(t), await openTarget(t)]
        await createStore(source)
        const store = await createStore(target)
        await store.settings.put({ name: 'one', value: '1', updatedAt: 1 })
        assert.equal((await refusalOf(copy(source, target))).reason, 'copy_target_not_empty')
        assert.equal((await store.settings.all()).length, 1)
      })

      // A half copy that looked whole would be served from.
      test('leaves nothing in the target when it fails on the way', async (t) => {
        const [source, target] = [await openSource(t), await openTarget(t)]
        await fillEveryTable(source)
        const failing = copyStore(source, target, {
          lists: migrationLists,
          onProgress: ({ table }) => {
            if (table === 'signing_keys') throw new Error('pulled the plug')
          },
        })
        await assert.rejects(failing, /pulled the plug/)
        await assert.rejects(sql`select 1 from users`.execute(target.tables<unknown>()))
        await copy(source, target)
      })

      test('refuses a source whose tables are older', async (t) => {
        const [source, target] = [await openSource(t), await openTarget(t)]
        const [hallpass] = migrationLists
        await migrate(source, { name: 'hallpass', migrations: hallpass?.migrations.slice(0, 3) ?? [] })
        assert.equal((await refusalOf(copy(source, target))).reason, 'copy_source_outdated')
      })
    })
  }

  test('a NUL, which PostgreSQL cannot keep, becomes U+FFFD, and is told of', async (t) => {
    const [source, target] = [await sqlite(t), await postgres(t)]
    await (await createStore(source)).settings.put({ name: 'one', value: 'a\0b', updatedAt: 1 })
    assert.equal((await copy(source, target)).changedTexts, 1)
    assert.equal((await (await createStore(target)).settings.all())[0]?.value, 'a\ufffdb')
  })

  test('what fails in the target is not said of the source', async (t) => {
    const [source, url] = [await sqlite(t), new URL(await freshPostgresUrl({ empty: true }))]
    await createStore(source)
    url.searchParams.set('options', '-c default_transaction_read_only=on')
    const target = opened(t, await openPostgres({ url: url.href }))
    const error = await refusalOf(copy(source, target))
    assert.ok(error.message.includes(`${target.location} is read-only`), error.message)
    assert.ok(!error.message.includes(source.location))
  })

  test('a value that is no number, or too large a one, is refused with its table and column', async (t) => {
    for (const value of ['soon', String(2n ** 53n)]) {
      const [source, target] = [await sqlite(t), await postgres(t)]
      await (await createStore(source)).settings.put({ name: 'one', value: '', updatedAt: 1 })
      await sql`update site_settings set updated_at = ${sql.lit(value)}`.execute(source.tables<unknown>())
      const error = await refusalOf(copy(source, target))
      assert.equal(error.reason, 'copy_value_unusable')
      assert.match(error.message, /site_settings\.updated_at/)
    }
  })

  test('what is written to the source meanwhile is not in the copy, and is not hindered', async (t) => {
    const [source, target] = [await sqlite(t), await postgres(t)]
    const store = await createStore(source)
    await store.settings.put({ name: 'before', value: '', updatedAt: 1 })
    const other = opened(t, await openSqlite({ path: source.location }))
    const writer = await createStore(other)
    let written: Promise<void> | undefined
    await copyStore(source, target, {
      lists: migrationLists,
      onProgress: () => {
        written ??= writer.settings.put({ name: 'meanwhile', value: '', updatedAt: 1 })
      },
    })
    await written
    const names = (await (await createStore(target)).settings.all()).map(({ name }) => name)
    assert.deepEqual(names, ['before'])
  })
})

function copy(source: Database, target: Database): Promise<CopyReport> {
  return copyStore(source, target, { lists: migrationLists })
}

/** At least six rows in every table there is, made up by the columns' types; rows refer to rows of the same number. */
async function fillEveryTable(database: Database): Promise<void> {
  await createStore(database)
  for (const list of migrationLists) await migrate(database, list)
  const db = database.tables<unknown>()
  for (const { name, columns, counts } of await tableLayouts(migrationLists)) {
    const types = await typesOf(name)
    for (let row = 1; row <= 7; row += 1) {
      const values = columns.map((column) => {
        if (column === 'id' || column.endsWith('_id')) return types.get(column) === 'text' ? `${row}` : row
        if (types.get(column) !== 'text') return column.endsWith('_at') ? 2 ** 53 - row : row
        return `${row} ${strangeTexts[row % strangeTexts.length]}`.slice(0, isShort(column) ? 60 : undefined)
      })
      const names = sql.join(columns.map((column) => sql.ref(column)))
      await sql`insert into ${sql.table(name)} (${names}) values (${sql.join(values)})`.execute(db)
    }
    // The last was there and is gone: its number must not be given again.
    if (counts) await database.schema.setLastId(db, name, 40)
  }
}

/** What stands in an index, of which PostgreSQL keeps at the most 2,700 bytes. */
function isShort(column: string): boolean {
  return !['parameters', 'payload', 'body', 'details', 'raw', 'cooked', 'value', 'description'].includes(
    column,
  )
}

async function typesOf(table: string): Promise<ReadonlyMap<string, string>> {
  scratch ??= openSqlite({ path: ':memory:' }).then(async (database) => {
    for (const list of migrationLists) await migrate(database, list)
    return database
  })
  const db = (await scratch).tables<unknown>()
  const { rows } = await sql<{ name: string; type: string }>`
    select name, type from pragma_table_info(${table})
  `.execute(db)
  return new Map(rows.map(({ name, type }) => [name, type.toLowerCase()]))
}

let scratch: Promise<Database> | undefined

async function rowsOf(database: Database, table: string, columns: readonly string[]): Promise<unknown[]> {
  const names = sql.join(columns.map((column) => sql.ref(column)))
  const order = sql.ref(columns[0] ?? '')
  const { rows } = await sql<object>`
    select ${names} from ${sql.table(table)} order by ${order}
  `.execute(database.tables<unknown>())
  return rows.map((row) => ({ ...row }))
}

function lastId(database: Database, table: string): Promise<number> {
  return database.schema.lastId(database.tables<unknown>(), table)
}

async function refusalOf(work: Promise<unknown>): Promise<HallpassError> {
  const error = await work.then(
    () => assert.fail('it went through'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof HallpassError, String(error))
  return error
}
