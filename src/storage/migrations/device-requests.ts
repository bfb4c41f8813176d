import type { Migration } from '../migrate.ts'

/** The device flow's tables: requests that wait for their user, and the approvals of the sessions that look at them. */
export const deviceRequests: Migration = {
  name: 'device-requests',
  since: '0.2.0',
  kind: 'expand',
  async up(db, schema) {
    await db.schema
      .createTable('device_requests')
      .addColumn('device_code_hash', 'text', (column) => column.notNull().primaryKey())
      .addColumn('user_code_hash', 'text', (column) => column.unique())
      .addColumn('request_token_hash', 'text', (column) => column.unique())
      .addColumn('status', 'text', (column) => column.notNull())
      .addColumn('parameters', 'text', (column) => column.notNull())
      .addColumn('key_expires_at', 'bigint')
      .addColumn('user_id', 'text')
      .addColumn('payload', 'text')
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .execute()
    await db.schema
      .createIndex('device_requests_by_expires_at')
      .on('device_requests')
      .columns(['expires_at'])
      .execute()

    await schema
      .withId(db.schema.createTable('device_approvals'))
      .addColumn('token_hash', 'text', (column) => column.notNull().unique())
      .addColumn('session_hash', 'text', (column) => column.notNull())
      .addColumn('user_id', 'text', (column) => column.notNull())
      .addColumn('device_code_hash', 'text', (column) =>
        column.notNull().references('device_requests.device_code_hash').onDelete('cascade'),
      )
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .execute()
    await db.schema
      .createIndex('device_approvals_by_session_hash_id')
      .on('device_approvals')
      .columns(['session_hash', 'id'])
      .execute()
    // Deleting a request looks its approvals up by this.
    await db.schema
      .createIndex('device_approvals_by_device_code_hash')
      .on('device_approvals')
      .columns(['device_code_hash'])
      .execute()
  },
}
