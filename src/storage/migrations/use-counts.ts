import type { Migration } from '../migrate.ts'

/** How often each key was used. What was used before counts as never. */
export const useCounts: Migration = {
  name: 'use-counts',
  since: '0.4.0',
  kind: 'expand',
  async up(db) {
    for (const table of ['user_api_keys', 'api_keys']) {
      await db.schema
        .alterTable(table)
        .addColumn('use_count', 'bigint', (column) => column.notNull().defaultTo(0))
        .execute()
    }
  },
}
