import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { Kysely } from 'kysely'
import type { Database } from '../database.ts'
import { refuseQueriesBesideTransaction, transactionsOver } from '../transaction.ts'
import { createDatabaseFile } from './database-file.ts'
import { NodeSqliteDialect } from './dialect.ts'
import { isBusy, openingFailed } from './opening-failed.ts'
import { busyPatienceMs } from './patient-connection.ts'
import { sqliteSchema } from './schema-dialect.ts'
import { watchCommits } from './watch.ts'

export interface SqliteOptions {
  /**
   * The database's file, made with mode 0600 when it is not there, in a folder made with mode 0700 when that is not;
   * or `:memory:` for a database that lasts until it is closed.
   */
  readonly path: string
}

/**
 * Opens a SQLite database; its tables are up to `createStore` and `migrate`. A commit that was acknowledged survives
 * the end of the process and a power cut.
 *
 * @throws HallpassError `database_not_writable`, `database_unreadable` or `database_busy`
 */
export async function openSqlite({ path }: SqliteOptions): Promise<Database> {
  const connection = await connect(path)
  const kysely: Kysely<unknown> = new Kysely<unknown>({
    dialect: new NodeSqliteDialect(connection),
    plugins: [refuseQueriesBesideTransaction(() => kysely)],
  })
  const watching = new Set<() => void>()
  return {
    tables: <Tables>() => kysely as Kysely<Tables>,
    schema: sqliteSchema,
    location: path,
    async watch(listener) {
      if (!connection.isOpen) throw new Error('the database is closed')
      const stopWatching = watchCommits(connection, path, listener)
      watching.add(stopWatching)
      return async () => {
        watching.delete(stopWatching)
        stopWatching()
      }
    },
    explain: (error) => openingFailed(path, error),
    // The file itself tells.
    async announce() {},
    async close() {
      if (!connection.isOpen) return
      for (const stop of watching) stop()
      await transactionsOver(kysely)
      // Closed while holding the one connection, so that no transaction is cut off in its middle.
      await kysely.connection().execute(async () => connection.close())
      await kysely.destroy()
    },
  }
}

async function connect(path: string): Promise<DatabaseSync> {
  const deadline = Date.now() + busyPatienceMs
  try {
    if (path !== ':memory:') createDatabaseFile(path)
    const connection = new DatabaseSync(path, { timeout: 0 })
    for (;;) {
      try {
        connection.exec(pragmas)
        connection.prepare('select count(*) from sqlite_schema').get()
        return connection
      } catch (error) {
        // Two processes make the same database at once, or another holds it.
        if (!isBusy(error) || Date.now() > deadline) {
          connection.close()
          throw error
        }
        await wait(20)
      }
    }
  } catch (error) {
    throw openingFailed(path, error)
  }
}

/**
 * - `journal_mode`: readers of other processes do not wait for the writer, nor it for them
 * - `synchronous`, `fullfsync`: a commit reaches the disk before it is acknowledged; the second is for macOS, where the
 *   first leaves it in the drive's own memory
 * - `foreign_keys`: scopes go with their key, keys with their client
 * - `recursive_triggers`: an `insert or replace` cannot get round the triggers that keep the audit log append-only
 * - `trusted_schema`: what somebody wrote into the file's schema cannot call functions with side effects
 * - `cache_size`: 32 MiB hold the inner pages of the indexes of ten million keys, so that a look-up reads leaves only
 * - `mmap_size`: up to 2 GiB, SQLite's own limit, are read out of the system's memory without a call and a copy for each page: a
 *   look-up among ten million keys takes a third of the time. It is the system's memory, and given back when others need it
 * - `journal_size_limit`: after a burst of writing the log shrinks again, to 64 MiB
 */
const pragmas = `
  pragma journal_mode = wal;
  pragma synchronous = full;
  pragma fullfsync = on;
  pragma foreign_keys = on;
  pragma recursive_triggers = on;
  pragma trusted_schema = off;
  pragma cache_size = -32768;
  pragma mmap_size = 2147418112;
  pragma journal_size_limit = 67108864;
`
