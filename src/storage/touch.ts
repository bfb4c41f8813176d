import { type Kysely, type SqlBool, sql } from 'kysely'
import type { HallpassTables } from './schema.ts'
import { inTransaction } from './transaction.ts'

/** How many keys one statement touches: enough to spare round trips, well below every database's limit. */
const batchSize = 500

/** Moves the last use of many keys forward, never back, with one statement for every 500 of them. */
export async function touch(
  db: Kysely<HallpassTables>,
  table: 'user_api_keys' | 'api_keys',
  uses: readonly { readonly id: number; readonly lastUsedAt: number }[],
): Promise<void> {
  const latest = latestUses(uses)
  if (latest.length === 0) return
  await inTransaction(db, async (transaction) => {
    for (let start = 0; start < latest.length; start += batchSize) {
      // The casts are for databases that take a parameter without a type for text.
      const values = latest
        .slice(start, start + batchSize)
        .map(([id, lastUsedAt]) => sql`(cast(${id} as bigint), cast(${lastUsedAt} as bigint))`)
      const key = sql.table(table)
      const isLater = sql<SqlBool>`(${key}.last_used_at is null or ${key}.last_used_at < used.last_used_at)`
      await sql`
        with used (id, last_used_at) as (values ${sql.join(values)})
        update ${key} set last_used_at = used.last_used_at from used
        where ${key}.id = used.id and ${isLater}
      `.execute(transaction)
    }
  })
}

/** One use for each key: when several rows match, databases choose at will which one an update takes. */
function latestUses(uses: Parameters<typeof touch>[2]): readonly (readonly [number, number])[] {
  const latest = new Map<number, number>()
  for (const { id, lastUsedAt } of uses) latest.set(id, Math.max(lastUsedAt, latest.get(id) ?? lastUsedAt))
  return [...latest]
}
