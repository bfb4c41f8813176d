import type { Kysely } from 'kysely'
import { HallpassError } from '../protocol/errors.ts'
import type { Database, SchemaDialect } from './database.ts'
import { inSnapshot, inTransaction } from './transaction.ts'

/** One step in the history of tables. Once released it never changes; what follows is a new step. */
export interface Migration {
  /** Unique in its list, and recorded in the database. */
  readonly name: string
  /** The version of Hallpass that has it first, such as `0.1.0`; told to whoever opens the database with an older one. */
  readonly since: string
  /**
   * Whether the version before runs on the tables as they are afterwards. An `expand` step only adds: tables, indexes,
   * columns that may be left out. A `contract` step takes away or tightens what an older version uses. So a change
   * comes in two: its expand step with the version that uses the new, its contract step one version later. Steps of
   * either kind may not need that contract steps before them were done: those wait until somebody asks for them.
   */
  readonly kind: 'expand' | 'contract'
  /**
   * Tables to which nobody can write while it runs, for a time that grows with the number of their rows: an index on a
   * table that is there already, or a column that has to be filled. Default: none.
   */
  readonly blocks?: readonly string[]
  up(db: Kysely<unknown>, schema: SchemaDialect): Promise<void>
}

export interface MigrationList {
  /** Whose tables these are: `hallpass`, or the application that keeps its own beside them. */
  readonly name: string
  /** Oldest first. Grows at its end only. */
  readonly migrations: readonly Migration[]
}

/** What is recorded of a step that was done. */
export interface DoneMigration {
  readonly name: string
  readonly since: string
  readonly kind: Migration['kind']
}

/** What `migrate` would do. */
export interface MigrationPlan {
  /** Whether no step of the list has been done. */
  readonly isNew: boolean
  /** What has not been done, in order. */
  readonly pending: readonly Migration[]
  /** What a newer version has done. All of kind `expand`, for a database with others is refused. */
  readonly newer: readonly DoneMigration[]
}

/**
 * Brings the tables of one list up to date, in one transaction: after an error nothing has changed. Does nothing when
 * they are. When several processes do it at once, one does it and the others find it done.
 *
 * It does the `expand` steps, so that servers of the version before can go on; the `contract` steps too when there are
 * no tables yet, or when `contract` is true (default false). Answers with what it has done.
 *
 * @throws HallpassError `database_newer` for a database in which a newer version of the list has done a `contract`
 * step, `migration_failed` when a step does not go through, and what `explain` of the database makes of other errors
 */
export async function migrate(
  database: Database,
  list: MigrationList,
  options: { readonly contract?: boolean } = {},
): Promise<readonly Migration[]> {
  try {
    return await inTransaction(database.tables<unknown>(), async (session) => {
      const transaction = await database.schema.prepare(session)
      return migrateWithin(transaction, database, { ...list, contract: options.contract ?? false })
    })
  } catch (error) {
    throw database.explain(error)
  }
}

/** {@link migrate} as a part of a transaction, which `prepare` of the dialect has prepared. */
export async function migrateWithin(
  transaction: Kysely<unknown>,
  database: Pick<Database, 'location' | 'schema'>,
  { name: list, migrations, contract }: MigrationList & { readonly contract: boolean },
): Promise<readonly Migration[]> {
  await createRecord(transaction)
  const plan = planOf(await readRecord(transaction, list), migrations, database.location, list)
  const wanted = plan.pending.filter(({ kind }) => plan.isNew || contract || kind === 'expand')
  for (const migration of wanted) {
    await apply(migration, list, transaction, database)
    const { name, since, kind } = migration
    const row = { list, position: migrations.indexOf(migration), name, since, kind, applied_at: Date.now() }
    await transaction.$extendTables<MigrationTables>().insertInto('schema_migrations').values(row).execute()
  }
  return wanted
}

/**
 * What {@link migrate} would do; changes nothing.
 *
 * @throws HallpassError as `migrate`, but for `migration_failed`
 */
export async function planMigrations(database: Database, list: MigrationList): Promise<MigrationPlan> {
  try {
    const done = await inSnapshot(database.tables<unknown>(), (db) => readRecord(db, list.name))
    return planOf(done, list.migrations, database.location, list.name)
  } catch (error) {
    if (isMissingTable(error)) return { isNew: true, pending: list.migrations, newer: [] }
    throw database.explain(error)
  }
}

function planOf(
  done: readonly DoneMigration[],
  migrations: readonly Migration[],
  location: string,
  list: string,
): MigrationPlan {
  const newer = done.filter(({ name }) => !migrations.some((migration) => migration.name === name))
  const tooNew = newer.findLast(({ kind }) => kind === 'contract')
  if (tooNew !== undefined) throw databaseNewer(location, list, tooNew)
  const pending = migrations.filter(({ name }) => !done.some((one) => one.name === name))
  return { isNew: done.length === 0, pending, newer }
}

type MigrationTables = {
  schema_migrations: {
    list: string
    position: number
    name: string
    since: string
    kind: Migration['kind']
    applied_at: number
  }
}

/** The one table that is not in a list of migrations, for it records them. */
async function createRecord(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('schema_migrations')
    .ifNotExists()
    .addColumn('list', 'text', (column) => column.notNull())
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('since', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('applied_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('schema_migrations_key', ['list', 'name'])
    .execute()
}

async function readRecord(db: Kysely<unknown>, list: string): Promise<DoneMigration[]> {
  const rows = await db
    .$extendTables<MigrationTables>()
    .selectFrom('schema_migrations')
    .selectAll()
    .where('list', '=', list)
    .orderBy('position')
    .execute()
  // The dialect's `prepare` adds the column to files that lack it; a plan is made without.
  return rows.map(({ name, since, kind = 'expand' }) => ({ name, since, kind }))
}

/** PostgreSQL's `undefined_table`, and SQLite's wording, which has no code of its own. */
function isMissingTable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return ('code' in error && error.code === '42P01') || error.message.includes('no such table')
}

async function apply(
  migration: Migration,
  list: string,
  transaction: Kysely<unknown>,
  database: Pick<Database, 'location' | 'schema'>,
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

function databaseNewer(location: string, list: string, migration: DoneMigration): HallpassError {
  return new HallpassError(
    'database_newer',
    `the database ${location} needs hallpass ${migration.since} or newer: it holds the migration ` +
      `\`${migration.name}\` of ${list}, which this version does not know. nothing was changed`,
    `start hallpass ${migration.since} or newer, or restore the backup made before the upgrade`,
  )
}
