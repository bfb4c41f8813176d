/** Which database a command works on, and opening it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Store } from '../domain/store.ts'
import { HallpassError } from '../protocol/errors.ts'
import type { HallpassConfig } from '../server/config.ts'
import type { Database } from '../storage/database.ts'
import { isPostgresUrl } from '../storage/postgres/address.ts'
import { loadConfig } from './load-config.ts'

/** The file of the embedded database in a data folder. */
export function databasePath(folder: string): string {
  return join(folder, 'hallpass.sqlite')
}

/** What the options that say where the data is are in `--help`, for commands that work on a server's own data. */
export const dataOption = '--data <folder>'
export const dataOptionHelp =
  'folder of the embedded database (HALLPASS_DATA; default: as the config file here says, or ./data)'
export const databaseOption = '--database <url>'
export const databaseOptionHelp =
  'address of a PostgreSQL database, in the place of the embedded one\n(DATABASE_URL; a password is better off there)'

/** Where somebody said that the data is. */
export interface DataFlags {
  readonly data?: string
  readonly database?: string
}

export interface DataPlace {
  /** Address of the PostgreSQL database; undefined for the embedded one. */
  readonly database: string | undefined
  /** Folder of the embedded database. */
  readonly data: string
  /** Where else a PostgreSQL database is named, which the folder is stronger than. */
  readonly passedOver?: string
}

/**
 * Where the data is: as the flags say, or else the environment, or else the config file. Of one source, a database is
 * stronger than a folder; but not that of a weaker source than the folder's.
 *
 * @throws HallpassError `configuration_invalid` for flags of both kinds, and for an address that is none
 */
export function dataPlace(
  flags: DataFlags,
  environment: Readonly<Record<string, string | undefined>>,
  file: Pick<HallpassConfig, 'data' | 'database'>,
): DataPlace {
  if (flags.data !== undefined && flags.database !== undefined) {
    throw new HallpassError(
      'configuration_invalid',
      '--data and --database are both given',
      'give the one that names the database: --database for PostgreSQL, --data for the embedded one',
    )
  }
  const sources = [
    [flags.database, flags.data, '--database'],
    [environment.DATABASE_URL || undefined, environment.HALLPASS_DATA || undefined, 'DATABASE_URL'],
    [file.database, file.data, '`database` in the config file'],
  ] as const
  for (const [nth, [database, folder, source]] of sources.entries()) {
    if (database !== undefined) {
      if (!isPostgresUrl(database)) {
        throw new HallpassError(
          'configuration_invalid',
          `${source} is not the address of a PostgreSQL database`,
          'give one such as postgres://user:password@host:5432/name; the embedded database is named by --data',
        )
      }
      return { database, data: folder ?? './data' }
    }
    if (folder !== undefined) {
      const other = sources.slice(nth + 1).find(([weaker]) => weaker !== undefined)?.[2]
      return { database, data: folder, ...(other === undefined ? {} : { passedOver: other }) }
    }
  }
  return { database: undefined, data: './data' }
}

/**
 * Opens a server's database, making the embedded one where there is none. `databasePool`: how many connections to
 * PostgreSQL there may be at once, by default as `openPostgres` has it. What the other kind needs is not loaded.
 *
 * @throws HallpassError as `openPostgres` and `openSqlite`
 */
export async function openDatabase({
  database,
  data,
  databasePool,
}: DataPlace & { readonly databasePool?: number | undefined }): Promise<Database> {
  if (database !== undefined) {
    const { openPostgres } = await import('../storage/postgres/open-postgres.ts')
    return openPostgres({ url: database, ...(databasePool === undefined ? {} : { poolSize: databasePool }) })
  }
  const { openSqlite } = await import('../storage/sqlite/open-sqlite.ts')
  return openSqlite({ path: databasePath(data) })
}

/**
 * Opens the database of a server, which may be running, lets `work` use it, and closes it. A PostgreSQL database may be
 * without a table.
 *
 * @throws HallpassError `data_not_found` where there is no embedded one: this makes none
 */
export async function openExisting<T>(
  flags: DataFlags,
  config: Pick<HallpassConfig, 'data' | 'database'>,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const place = dataPlace(flags, process.env, config)
  const path = databasePath(place.data)
  if (place.database === undefined && !existsSync(path)) throw notFound(`there is no database at ${path}`)
  const database = await openDatabase(place)
  try {
    return await work(database)
  } finally {
    await database.close()
  }
}

/**
 * Opens the store of a server, which may be running, lets `work` use it, and closes it.
 *
 * @throws HallpassError `data_not_found` where there is none: this makes no database, and no tables in one
 */
export async function withData<T>(
  flags: DataFlags,
  work: (store: Store) => Promise<T>,
  config?: Pick<HallpassConfig, 'data' | 'database'>,
): Promise<T> {
  return openExisting(flags, config ?? (await loadConfig()), async (database) => {
    // Only now, so that a command that is not understood need not wait for it.
    const { planMigrations } = await import('../storage/migrate.ts')
    const { hallpassMigrations } = await import('../storage/migrations/hallpass-migrations.ts')
    const { createStore } = await import('../storage/store.ts')
    const { isNew } = await planMigrations(database, { name: 'hallpass', migrations: hallpassMigrations })
    if (isNew) throw notFound(`the database ${database.location} holds no data of hallpass`)
    return work(await createStore(database))
  })
}

function notFound(problem: string): HallpassError {
  return new HallpassError(
    'data_not_found',
    problem,
    'name what the server keeps its data in: --data FOLDER or HALLPASS_DATA, or --database URL or DATABASE_URL',
  )
}
