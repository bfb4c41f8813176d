import { type Kysely, sql } from 'kysely'
import type { Deleted } from '../domain/store.ts'
import type { HallpassTables } from './schema.ts'
import { inTransaction } from './transaction.ts'

/** Tables whose rows end at `expires_at`, by which each has an index, and their primary keys. */
const perishable = [
  ['sessions', 'token_hash'],
  ['authorization_requests', 'id'],
  ['one_time_passwords', 'token_hash'],
  ['device_requests', 'device_code_hash'],
] as const satisfies readonly (readonly [keyof HallpassTables, string])[]

/** Deletes rows whose time is over, at the most `limit` of each table; says whether there may be more. */
export function deleteExpired(db: Kysely<HallpassTables>, now: number, limit: number): Promise<Deleted> {
  return inTransaction(db, async (transaction) => {
    let deleted = 0
    let more = false
    for (const [table, key] of perishable) {
      const { numAffectedRows = 0n } = await sql`
        delete from ${sql.table(table)} where ${sql.ref(key)} in (
          select ${sql.ref(key)} from ${sql.table(table)}
          where expires_at <= ${now} order by expires_at limit ${limit}
        )
      `.execute(transaction)
      deleted += Number(numAffectedRows)
      more ||= Number(numAffectedRows) === limit
    }
    return { deleted, more }
  })
}
