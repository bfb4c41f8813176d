import { type Kysely, sql } from 'kysely'
import type { CacheChange } from '../domain/changes.ts'
import type { StoreSession } from '../domain/store.ts'
import { prepared } from './prepared-query.ts'
import type { HallpassTables } from './schema.ts'

/** How many rows one answer holds. */
const pageSize = 1000

/** What other processes have to forget: `cache_changes`. `announce` lets those who watch the database know. */
export function createCacheChanges(
  db: Kysely<HallpassTables>,
  announce: (db: Kysely<unknown>, changes: readonly CacheChange[]) => Promise<void>,
): StoreSession['changes'] {
  return {
    async append({ sequence, at, origin, changes }) {
      const rows = changes.map(({ kind, value }) => ({ sequence, kind, value, origin, at }))
      await db.insertInto('cache_changes').values(rows).execute()
      await announce(db as Kysely<unknown>, changes)
    },

    async listAfter(sequence) {
      const rows = await rowsAfter(db, { sequence })
      // The rows of one sequence number belong together: the last of a full page may lack some of its own.
      const last = rows.length === pageSize ? rows.at(-1)?.sequence : undefined
      const whole = last === undefined ? rows : rows.filter((row) => row.sequence !== last)
      return whole.map((row) => ({ ...row }))
    },

    async kept() {
      // Each end by itself is one look at the primary key; both in one go would be a walk through all rows.
      const sequences = db.selectFrom('cache_changes')
      const { oldest, newest } = await db
        .selectNoFrom([
          sequences.select(({ fn }) => fn.min('sequence').as('end')).as('oldest'),
          sequences.select(({ fn }) => fn.max('sequence').as('end')).as('newest'),
        ])
        .executeTakeFirstOrThrow()
      return { oldest: Number(oldest ?? 0), newest: Number(newest ?? 0) }
    },
  }
}

// Every process asks this at each heartbeat, and most times there is nothing.
const rowsAfter = prepared((db, given: { readonly sequence: number }) =>
  db
    .selectFrom('cache_changes')
    .select(['sequence', 'kind', 'value', 'origin', 'at'])
    .where('sequence', '>', given.sequence)
    .orderBy('sequence')
    .limit(sql.lit(pageSize)),
)
