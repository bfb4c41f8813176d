import type { Migration } from '../migrate.ts'

/** One-time passwords, by their hashes. */
export const oneTimePasswords: Migration = {
  name: 'one-time-passwords',
  since: '0.2.0',
  kind: 'expand',
  async up(db) {
    await db.schema
      .createTable('one_time_passwords')
      .addColumn('token_hash', 'text', (column) => column.notNull().primaryKey())
      .addColumn('user_id', 'text', (column) => column.notNull())
      .addColumn('username', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .execute()
    await db.schema
      .createIndex('one_time_passwords_by_expires_at')
      .on('one_time_passwords')
      .columns(['expires_at'])
      .execute()
  },
}
