import type { Migration } from '../migrate.ts'

/** What processes on one database have to forget, because another has changed it. */
export const cacheChanges: Migration = {
  name: 'cache-changes',
  since: '0.4.0',
  kind: 'expand',
  async up(db, schema) {
    await schema
      .clustered(db.schema.createTable('cache_changes'))
      .addColumn('sequence', 'bigint', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('value', 'text', (column) => column.notNull())
      .addColumn('origin', 'text', (column) => column.notNull())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('cache_changes_key', ['sequence', 'kind', 'value'])
      .execute()
  },
}
