import { type RawBuilder, type SqlBool, sql } from 'kysely'
import type { AgeCursor } from '../domain/store.ts'

/** The condition that a row comes after the cursor in the order of a time and, within one time, of the id. */
export function isAfter(time: string, id: string, cursor: AgeCursor): RawBuilder<SqlBool> {
  return sql<SqlBool>`(${sql.ref(time)}, ${sql.ref(id)}) > (${cursor.at}, ${cursor.id})`
}
