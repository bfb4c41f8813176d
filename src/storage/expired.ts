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
    const changes = await deleteOldChanges(transaction, now, limit)
    return { deleted: deleted + changes, more: more || changes >= limit }
  })
}

/** Longer than any process may be out of touch and yet go on with what it remembers. */
const changesKeptMs = 3_600_000

/**
 * All up to the last that is old enough, so that nothing is missing between two that are left; clocks differ. The newest
 * stays: whoever has applied it sees by it that nothing was missed.
 */
async function deleteOldChanges(db: Kysely<HallpassTables>, now: number, limit: number): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    delete from cache_changes
    where sequence < (select max(sequence) from cache_changes) and sequence <= (
      select max(sequence)
      from (select sequence, at from cache_changes order by sequence limit ${limit}) as oldest
      where at <= ${now - changesKeptMs}
    )
  `.execute(db)
  return Number(numAffectedRows)
}
