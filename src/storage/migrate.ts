import type { Kysely } from 'kysely'
import { HallpassError } from '../protocol/errors.ts'
import type { Database, SchemaDialect } from './database.ts'
import { inTransaction } from './transaction.ts'

/** One step in the history of tables. Once released it never changes; what follows is a new step. */
export interface Migration {
  /** Unique in its list, and recorded in the database. */
  readonly name: string
  /** The version of Hallpass that has it first, such as `0.1.0`; told to whoever opens the database with an older one. */
  readonly since: string
  up(db: Kysely<unknown>, schema: SchemaDialect): Promise<void>
}

export interface MigrationList {
  /** Whose tables these are: `hallpass`, or the application that keeps its own beside them. */
  readonly name: string
  /** Oldest first. Grows at its end only. */
  readonly migrations: readonly Migration[]
}

/**
 * Brings the tables of one list up to date, in one transaction: after an error nothing has changed. Does nothing when
 * they are. When two processes do it at once, one waits and finds it done.
 *
 * @throws HallpassError `database_newer` for a database in which a newer version of the list was at work, and
 * `migration_failed` when a step does not go through
 */
export async function migrate(database: Database, { name: list, migrations }: MigrationList): Promise<void> {
  await inTransaction(database.tables<unknown>(), async (session) => {
    const transaction = await database.schema.prepare(session)
    await createRecord(transaction)
    const records = transaction.$extendTables<MigrationTables>()
    const done = await records
      .selectFrom('schema_migrations')
      .select(['name', 'since'])
      .where('list', '=', list)
      .orderBy('position')
      .execute()

    const unknown = done.filter(({ name }) => !migrations.some((migration) => migration.name === name))
    const newest = unknown.at(-1)
    if (newest !== undefined) throw databaseNewer(database.location, list, newest)

    for (const [position, migration] of migrations.entries()) {
      if (done.some(({ name }) => name === migration.name)) continue
      await apply(migration, list, transaction, database)
      const row = { list, position, name: migration.name, since: migration.since, applied_at: Date.now() }
      await records.insertInto('schema_migrations').values(row).execute()
    }
  })
}

type MigrationTables = {
  schema_migrations: {
    list: string
    position: number
    name: string
    since: string
    applied_at: number
  }
}

/** The one table that is not in a list of migrations, for it records them. It can never change its shape. */
async function createRecord(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('schema_migrations')
    .ifNotExists()
    .addColumn('list', 'text', (column) => column.notNull())
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('since', 'text', (column) => column.notNull())
    .addColumn('applied_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('schema_migrations_key', ['list', 'name'])
    .execute()
}

async function apply(
  migration: Migration,
  list: string,
  transaction: Kysely<unknown>,
  database: Database,
): Promise<void> {
  try {
    await migration.up(transaction, database.schema)
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    throw new HallpassError(
      'migration_failed',
      `the migration \`${migration.name}\` of ${list} failed on ${database.location}: ${problem}. nothing was changed`,
      'check that the database is one of hallpass and that its disk has room, then start again',
      { cause: error },
    )
  }
}

function databaseNewer(
  location: string,
  list: string,
  migration: { name: string; since: string },
): HallpassError {
  return new HallpassError(
    'database_newer',
    `the database ${location} needs hallpass ${migration.since} or newer: it holds the migration ` +
      `\`${migration.name}\` of ${list}, which this version does not know. nothing was changed`,
    `start hallpass ${migration.since} or newer, or restore the backup made before the upgrade`,
  )
}
