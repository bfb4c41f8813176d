import { sql } from 'kysely'
import { type MigrationList, migrate } from './migrate.ts'
import { openSqlite } from './sqlite/open-sqlite.ts'

/** A table as the migrations make it. */
export interface TableLayout {
  readonly name: string
  readonly columns: readonly string[]
  /** The columns of the primary key, in its order: rows are read in this order. */
  readonly key: readonly string[]
  /** The columns of whole numbers. */
  readonly integers: ReadonlySet<string>
  /** Whether `id` counts by itself. */
  readonly counts: boolean
}

/**
 * The tables that these migrations make, each after those that it refers to. Nobody writes that down a second time:
 * the migrations are run on an empty database in memory, which is then asked.
 */
export async function tableLayouts(lists: readonly MigrationList[]): Promise<readonly TableLayout[]> {
  const scratch = await openSqlite({ path: ':memory:' })
  try {
    for (const list of lists) await migrate(scratch, list)
    const db = scratch.tables<unknown>()
    const { rows: tables } = await sql<{ name: string; sql: string }>`
      select name, sql from sqlite_schema
      where type = 'table' and name not like 'sqlite_%' and name <> 'schema_migrations' order by rowid
    `.execute(db)
    const layouts: TableLayout[] = []
    for (const { name, sql: text } of tables) {
      const { rows: columns } = await sql<{ name: string; pk: number; type: string }>`
        select name, pk, type from pragma_table_info(${name}) order by cid
      `.execute(db)
      const key = columns.filter(({ pk }) => pk > 0).sort((one, other) => one.pk - other.pk)
      layouts.push({
        name,
        columns: columns.map((column) => column.name),
        key: key.map((column) => column.name),
        integers: new Set(columns.filter(({ type }) => /int/i.test(type)).map((column) => column.name)),
        counts: /\bautoincrement\b/i.test(text),
      })
    }
    return layouts
  } finally {
    await scratch.close()
  }
}
