import { createHash } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import { HallpassError } from '../protocol/errors.ts'
import type { Database } from './database.ts'
import { type MigrationList, migrateWithin, planMigrations } from './migrate.ts'
import { explainUnreadable, refuseStrayValues } from './stray-values.ts'
import { type TableLayout, tableLayouts } from './table-layout.ts'
import { inSnapshot, inTransaction } from './transaction.ts'

export interface CopyProgress {
  readonly table: string
  /** Rows copied, and later read back, of this table. */
  readonly done: number
  readonly total: number
  readonly step: 'copying' | 'verifying'
}

export interface CopyReport {
  readonly tables: readonly {
    readonly name: string
    readonly rows: number
    /** SHA-256 over all rows, the same of the source and of the copy. */
    readonly checksum: string
  }[]
  /** How many texts held the character NUL, which the target cannot keep: it has U+FFFD in its place. */
  readonly changedTexts: number
}

/**
 * Copies all tables of these lists from one database into another that holds none of their rows: the same rows with the
 * same ids, and counting goes on where it was.
 *
 * The source is read as it was at one moment, and may be in use; what is written to it afterwards is not copied. The
 * target gets everything in one transaction, in which it is also read back and compared, so that it has all or nothing.
 *
 * @throws HallpassError `copy_target_not_empty`, `copy_source_outdated`, `copy_differs`,
 * `copy_value_unusable`, and as `migrate` and opening do
 */
export async function copyStore(
  source: Database,
  target: Database,
  options: {
    readonly lists: readonly MigrationList[]
    readonly onProgress?: (progress: CopyProgress) => void
  },
): Promise<CopyReport> {
  const { onProgress = () => {} } = options
  const lists = await listsIn(source, options.lists)
  const layouts = await tableLayouts(lists)
  const ask = asker()
  const copying = async (from: Kysely<unknown>, writing: Kysely<unknown>): Promise<CopyReport> => {
    const to = await target.schema.prepare(writing)
    for (const list of lists) await migrateWithin(to, target, { ...list, contract: true })
    for (const { name } of layouts) await refuseRows(to, name, target.location)
    let changedTexts = 0
    const tables: { name: string; rows: number; checksum: string }[] = []
    for (const layout of layouts) {
      const total = await ask(source, () => count(from, layout.name))
      const copied = createHash('sha256')
      let done = 0
      const reading = batches(from, layout)
      const next = () => reading.next().catch((error) => explainUnreadable(from, layout, error))
      for (let batch = await ask(source, next); !batch.done; batch = await ask(source, next)) {
        const rows = batch.value
        refuseStrayValues(layout, rows)
        const kept = rows.map((row) => row.map((value) => keep(value, target)))
        changedTexts += differing(rows, kept)
        await insert(to, layout, kept)
        for (const row of kept) copied.update(canonical(row))
        done += rows.length
        onProgress({ table: layout.name, done, total, step: 'copying' })
      }
      if (layout.counts) {
        const last = await ask(source, () => source.schema.lastId(from, layout.name))
        await target.schema.setLastId(to, layout.name, last)
      }
      const checksum = copied.digest('hex')
      await verify(to, layout, { rows: done, checksum, total, onProgress })
      tables.push({ name: layout.name, rows: done, checksum })
    }
    return { tables, changedTexts }
  }
  return ask(source, () =>
    inSnapshot(source.tables<unknown>(), async (reading) => {
      const from = await source.schema.prepare(reading)
      return ask(target, () => inTransaction(target.tables<unknown>(), (writing) => copying(from, writing)))
    }),
  )
}

/** Explains each error by the database that was asked first: it passes the other on its way, and is not that one's. */
function asker(): <T>(database: Database, question: () => Promise<T>) => Promise<T> {
  const explained = new Set<unknown>()
  return async (database, question) => {
    try {
      return await question()
    } catch (error) {
      const meant = explained.has(error) ? error : database.explain(error)
      explained.add(meant)
      throw meant
    }
  }
}

type Row = readonly unknown[]

/** How many rows go at once, and how many values at the most: databases bound what one statement may hold. */
const [largestBatch, mostValues] = [1000, 30_000]

/** The lists that the source has; the first must be there, and none may be behind or ahead of this version. */
async function listsIn(source: Database, lists: readonly MigrationList[]): Promise<readonly MigrationList[]> {
  const there: MigrationList[] = []
  for (const [index, list] of lists.entries()) {
    const { isNew, pending, newer } = await planMigrations(source, list)
    if (isNew && index > 0) continue
    if (isNew || pending.length > 0 || newer.length > 0) {
      throw new HallpassError(
        'copy_source_outdated',
        `the tables of ${list.name} in ${source.location} are not those of this version`,
        newer.length > 0
          ? 'copy it with the newer version of hallpass that was at work there'
          : 'bring them up to date first: hallpass migrate --contract, with --data or --database for the source',
      )
    }
    there.push(list)
  }
  return there
}

async function refuseRows(db: Kysely<unknown>, table: string, location: string): Promise<void> {
  const { rows } = await sql`select 1 from ${sql.table(table)} limit 1`.execute(db)
  if (rows.length === 0) return
  throw new HallpassError(
    'copy_target_not_empty',
    `the target ${location} holds rows already (${table}). nothing was changed`,
    'name an empty database: create one, or another folder',
  )
}

async function count(db: Kysely<unknown>, table: string): Promise<number> {
  const { rows } = await sql<{ rows: number }>`select count(*) as rows from ${sql.table(table)}`.execute(db)
  return Number(rows[0]?.rows)
}

/** All rows in the order of their key, each as its values in the order of the columns. */
async function* batches(
  db: Kysely<unknown>,
  { name, columns, key }: TableLayout,
): AsyncGenerator<readonly Row[]> {
  const limit = Math.min(largestBatch, Math.floor(mostValues / columns.length))
  const keys = sql.join(key.map((column) => sql.ref(column)))
  let after: Row | undefined
  for (;;) {
    const rest = after === undefined ? sql`` : sql`where (${keys}) > (${sql.join(after)})`
    const { rows } = await sql<Record<string, unknown>>`
      select * from ${sql.table(name)} ${rest} order by ${keys} limit ${limit}
    `.execute(db)
    const last = rows.at(-1)
    if (last === undefined) return
    yield rows.map((row) => columns.map((column) => row[column]))
    if (rows.length < limit) return
    after = key.map((column) => last[column])
  }
}

async function insert(
  db: Kysely<unknown>,
  { name, columns }: TableLayout,
  rows: readonly Row[],
): Promise<void> {
  const values = rows.map((row) => sql`(${sql.join(row)})`)
  const names = sql.join(columns.map((column) => sql.ref(column)))
  await sql`insert into ${sql.table(name)} (${names}) values ${sql.join(values)}`.execute(db)
}

async function verify(
  db: Kysely<unknown>,
  layout: TableLayout,
  expected: {
    readonly rows: number
    readonly checksum: string
    readonly total: number
    readonly onProgress: (progress: CopyProgress) => void
  },
): Promise<void> {
  const found = createHash('sha256')
  let done = 0
  for await (const rows of batches(db, layout)) {
    for (const row of rows) found.update(canonical(row))
    done += rows.length
    expected.onProgress({ table: layout.name, done, total: expected.total, step: 'verifying' })
  }
  if (done === expected.rows && done === expected.total && found.digest('hex') === expected.checksum) return
  throw new HallpassError(
    'copy_differs',
    `the copy of ${layout.name} is not what the source holds: ${done} rows of ${expected.total}, or others. nothing was changed`,
    'tell the makers of hallpass; the source is as it was',
  )
}

/** The same bytes for the same row, whichever database it is in. */
function canonical(row: Row): string {
  return `${JSON.stringify(row)}\n`
}

function keep(value: unknown, { schema }: Database): unknown {
  return typeof value === 'string' ? schema.kept(value) : value
}

function differing(rows: readonly Row[], kept: readonly Row[]): number {
  let count = 0
  for (const [index, row] of rows.entries()) {
    for (const [column, value] of row.entries()) if (value !== kept[index]?.[column]) count += 1
  }
  return count
}
