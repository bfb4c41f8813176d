import type { Migration } from '../migrate.ts'

/** Which local account stands for which account at another service. */
export const externalAccounts: Migration = {
  name: 'external-accounts',
  since: '0.2.0',
  kind: 'expand',
  async up(db, schema) {
    await schema
      .clustered(db.schema.createTable('external_accounts'))
      .addColumn('provider', 'text', (column) => column.notNull())
      .addColumn('subject', 'text', (column) => column.notNull())
      .addColumn('user_id', 'bigint', (column) => column.notNull().references('users.id').onDelete('cascade'))
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('external_accounts_key', ['provider', 'subject'])
      .execute()
    // Deleting a user looks them up by this.
    await db.schema
      .createIndex('external_accounts_by_user_id')
      .on('external_accounts')
      .columns(['user_id'])
      .execute()
  },
}
