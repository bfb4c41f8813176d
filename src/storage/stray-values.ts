/** Values that SQLite keeps in a column of numbers and that are none, or none that Hallpass can count with. */
import { type Kysely, sql } from 'kysely'
import { HallpassError } from '../protocol/errors.ts'
import type { TableLayout } from './table-layout.ts'

/** @throws HallpassError `copy_value_unusable`, with the table and the column, but not the value, which may be a secret */
export function refuseStrayValues(
  { name, columns, integers }: TableLayout,
  rows: readonly (readonly unknown[])[],
): void {
  for (const row of rows) {
    for (const [index, column] of columns.entries()) {
      const value = row[index]
      if (value === null || !integers.has(column) || Number.isSafeInteger(value)) continue
      throw unusable(name, column, typeof value === 'number' ? tooLarge : 'what is no whole number')
    }
  }
}

/** Says which column holds the number that could not be read; throws any other error as it is. */
export async function explainUnreadable(
  db: Kysely<unknown>,
  { name, integers }: TableLayout,
  error: unknown,
): Promise<never> {
  if (!(error instanceof Error && 'code' in error && error.code === 'ERR_OUT_OF_RANGE')) throw error
  for (const column of integers) {
    const { rows } = await sql`
      select 1 from ${sql.table(name)}
      where ${sql.ref(column)} not between ${Number.MIN_SAFE_INTEGER} and ${Number.MAX_SAFE_INTEGER} limit 1
    `.execute(db)
    if (rows.length > 0) throw unusable(name, column, tooLarge)
  }
  throw error
}

const tooLarge = 'a number of 2^53 or more, or as far below zero'

function unusable(table: string, column: string, what: string): HallpassError {
  return new HallpassError(
    'copy_value_unusable',
    `the source holds ${what} in ${table}.${column}, which hallpass never wrote. nothing was changed`,
    'mend that value in the source, and copy again',
  )
}
