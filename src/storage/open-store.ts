import type { Store } from '../domain/store.ts'
import { openPostgres, type PostgresOptions } from './postgres/open-postgres.ts'
import { openingFailed as postgresFailed } from './postgres/opening-failed.ts'
import { openSqlite, type SqliteOptions } from './sqlite/open-sqlite.ts'
import { openingFailed as sqliteFailed } from './sqlite/opening-failed.ts'
import { createStore } from './store.ts'

/**
 * Opens a SQLite database, brings its tables up to date, and makes the store on it. To keep tables of your own in the
 * same database, take the two steps apart: `openSqlite`, then `createStore`.
 *
 * @throws HallpassError as `openSqlite` and `migrate` do, whatever step it is that fails; nothing stays open then
 */
export async function openSqliteStore(options: SqliteOptions): Promise<Store> {
  const database = await openSqlite(options)
  try {
    return await createStore(database)
  } catch (error) {
    await database.close()
    throw sqliteFailed(options.path, error)
  }
}

/**
 * Opens a PostgreSQL database, brings its tables up to date, and makes the store on it. To keep tables of your own in
 * the same database, take the two steps apart: `openPostgres`, then `createStore`.
 *
 * @throws HallpassError as `openPostgres` and `migrate` do, whatever step it is that fails; nothing stays open then
 */
export async function openPostgresStore(options: PostgresOptions): Promise<Store> {
  const database = await openPostgres(options)
  try {
    return await createStore(database)
  } catch (error) {
    await database.close()
    throw postgresFailed(database.location, error)
  }
}
