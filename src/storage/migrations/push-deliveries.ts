import type { Migration } from '../migrate.ts'

/** The outbox of pushes. */
export const pushDeliveries: Migration = {
  name: 'push-deliveries',
  since: '0.2.0',
  kind: 'expand',
  async up(db, schema) {
    await schema
      .withId(db.schema.createTable('push_deliveries'))
      .addColumn('target_url', 'text', (column) => column.notNull())
      .addColumn('user_id', 'text', (column) => column.notNull())
      .addColumn('body', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('attempts', 'integer', (column) => column.notNull())
      .addColumn('next_attempt_at', 'bigint', (column) => column.notNull())
      .addColumn('lease', 'text')
      .addColumn('leased_until', 'bigint')
      .addColumn('last_status', 'integer')
      .addColumn('last_error', 'text')
      .addColumn('finished_at', 'bigint')
      .execute()
    const indexes = [
      // The first that waits for an address, and all that wait for it.
      ['state', 'target_url', 'id'],
      // Whether anybody is sending to an address.
      ['state', 'target_url', 'leased_until'],
      // The administrators' list.
      ['state', 'id'],
      ['target_url', 'id'],
      // What has been kept long enough.
      ['state', 'finished_at'],
    ]
    for (const columns of indexes) {
      await db.schema
        .createIndex(`push_deliveries_by_${columns.join('_')}`)
        .on('push_deliveries')
        .columns(columns)
        .execute()
    }
  },
}
