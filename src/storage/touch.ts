import { type Kysely, sql } from 'kysely'
import type { KeyUse } from '../domain/store.ts'
import type { HallpassTables } from './schema.ts'
import { inTransaction } from './transaction.ts'

/** How many keys one statement touches: enough to spare round trips, well below every database's limit. */
const batchSize = 500

/** Moves the last use of many keys forward, never back, and counts their uses, with one statement for every 500 of them. */
export async function touch(
  db: Kysely<HallpassTables>,
  table: 'user_api_keys' | 'api_keys',
  uses: readonly KeyUse[],
): Promise<void> {
  const perKey = summed(uses)
  if (perKey.length === 0) return
  await inTransaction(db, async (transaction) => {
    for (let start = 0; start < perKey.length; start += batchSize) {
      // The casts are for databases that take a parameter without a type for text.
      const values = perKey
        .slice(start, start + batchSize)
        .map(
          ({ id, lastUsedAt, count }) =>
            sql`(cast(${id} as bigint), cast(${lastUsedAt} as bigint), cast(${count} as bigint))`,
        )
      const key = sql.table(table)
      // SQLite looks through the whole table without the list of ids.
      await sql`
        with used (id, last_used_at, uses) as (values ${sql.join(values)})
        update ${key} set
          last_used_at = case
            when ${key}.last_used_at > used.last_used_at then ${key}.last_used_at else used.last_used_at end,
          use_count = ${key}.use_count + used.uses
        from used where ${key}.id = used.id and ${key}.id in (select id from used)
      `.execute(transaction)
    }
  })
}

/** One use for each key: when several rows match, databases choose at will which one an update takes. */
function summed(uses: readonly KeyUse[]): readonly KeyUse[] {
  const perKey = new Map<number, KeyUse>()
  for (const use of uses) {
    const before = perKey.get(use.id)
    const lastUsedAt = Math.max(use.lastUsedAt, before?.lastUsedAt ?? use.lastUsedAt)
    perKey.set(use.id, { id: use.id, lastUsedAt, count: use.count + (before?.count ?? 0) })
  }
  return [...perKey.values()]
}
