/**
 * The one place where tests decide which database they run on: SQLite, or PostgreSQL where the environment has
 * `HALLPASS_TEST_DATABASE=postgres` (`npm run test:postgres`).
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Store } from '../src/domain/store.ts'
import type { Database } from '../src/storage/database.ts'
import { openPostgres } from '../src/storage/postgres/open-postgres.ts'
import { openSqlite } from '../src/storage/sqlite/open-sqlite.ts'
import { createStore } from '../src/storage/store.ts'

export const onPostgres: boolean = process.env.HALLPASS_TEST_DATABASE === 'postgres'

/** For tests that are about SQLite itself: why they are skipped, or false. */
export const unlessSqlite: string | false = onPostgres
  ? 'is about SQLite, and this run is on PostgreSQL'
  : false

/** An empty database that nobody else knows, with or without Hallpass's tables. */
export async function openTestDatabase(): Promise<Database> {
  if (!onPostgres) return openSqlite({ path: ':memory:' })
  return openPostgres({ url: await freshUrl() })
}

/** An empty store that nobody else knows. */
export async function openTestStore(): Promise<Store> {
  return createStore(await openTestDatabase())
}

/** A database that several processes or stores can open. */
export interface TestData {
  /** A folder for whatever; the embedded database is in it. */
  readonly folder: string
  /** What tells a command where the data is. */
  readonly flags: readonly string[]
  /** The variables that tell a server. */
  readonly env: Readonly<Record<string, string>>
  openDatabase(): Promise<Database>
  open(): Promise<Store>
  /** Runs statements on it as somebody could who gets at the database past Hallpass. */
  execute(statements: string): Promise<void>
  /** Removes the folder. */
  remove(): Promise<void>
}

/** A new one, without a table; `existing` is a folder that one was made in before. */
export async function newTestData(existing?: string): Promise<TestData> {
  const folder = existing ?? (await mkdtemp(join(tmpdir(), 'hallpass-data-')))
  const path = join(folder, 'hallpass.sqlite')
  const url = onPostgres ? await urlIn(folder) : undefined
  const openDatabase = (): Promise<Database> =>
    url === undefined ? openSqlite({ path }) : openPostgres({ url, poolSize: 4 })
  return {
    folder,
    flags: url === undefined ? ['--data', folder] : ['--database', url],
    // Said also where there is none: whoever runs the tests may have set it for themselves.
    env: { HALLPASS_DATA: folder, DATABASE_URL: url ?? '' },
    openDatabase,
    open: async () => createStore(await openDatabase()),
    async execute(statements) {
      if (url !== undefined)
        return void (await (await import('./postgres-template.ts')).onServer(url, statements))
      const connection = new DatabaseSync(path, { timeout: 5000 })
      connection.exec(statements)
      connection.close()
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

/** The statements that take away what keeps the audit log append-only. */
export const dropAppendOnly: string = onPostgres
  ? 'drop function audit_events_refuse() cascade;'
  : 'drop trigger audit_events_refuse_update; drop trigger audit_events_refuse_delete;'

/** A data folder stands for a database, also where that is elsewhere. */
async function urlIn(folder: string): Promise<string> {
  const file = join(folder, 'database-url')
  try {
    return readFileSync(file, 'utf8')
  } catch {
    const url = await freshUrl()
    writeFileSync(file, url)
    return url
  }
}

/** Loaded only where it is needed: it holds a server. */
async function freshUrl(): Promise<string> {
  const { freshPostgresUrl } = await import('./fresh-postgres.ts')
  return freshPostgresUrl()
}
