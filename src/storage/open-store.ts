import type { Store } from '../domain/store.ts'
import type { Database } from './database.ts'
import type { PostgresOptions } from './postgres/open-postgres.ts'
import { openSqlite, type SqliteOptions } from './sqlite/open-sqlite.ts'
import { createStore } from './store.ts'

/**
 * Opens a SQLite database, brings its tables up to date, and makes the store on it. To keep tables of your own in the
 * same database, take the two steps apart: `openSqlite`, then `createStore`.
 *
 * @throws HallpassError as `openSqlite` and `migrate` do, whatever step it is that fails; nothing stays open then
 */
export async function openSqliteStore(options: SqliteOptions): Promise<Store> {
  return storeOn(await openSqlite(options))
}

/**
 * Opens a PostgreSQL database, brings its tables up to date, and makes the store on it. To keep tables of your own in
 * the same database, take the two steps apart: `openPostgres`, then `createStore`.
 *
 * @throws HallpassError as `openPostgres` and `migrate` do, whatever step it is that fails; nothing stays open then
 */
export async function openPostgresStore(options: PostgresOptions): Promise<Store> {
  // Whoever has the other database need not load it.
  const { openPostgres } = await import('./postgres/open-postgres.ts')
  return storeOn(await openPostgres(options))
}

/** Makes the store on a database; when that fails, the database is closed. */
export async function storeOn(database: Database): Promise<Store> {
  try {
    return await createStore(database)
  } catch (error) {
    await database.close()
    throw error
  }
}
