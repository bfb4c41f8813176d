import type { Migration } from '../migrate.ts'

/** The keys that sign what an application behind Hallpass is told about its callers. */
export const signingKeys: Migration = {
  name: 'signing-keys',
  since: '0.3.0',
  kind: 'expand',
  async up(db) {
    await db.schema
      .createTable('signing_keys')
      .addColumn('kid', 'text', (column) => column.notNull().primaryKey())
      .addColumn('private_key', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('active_from', 'bigint', (column) => column.notNull())
      .execute()
  },
}
