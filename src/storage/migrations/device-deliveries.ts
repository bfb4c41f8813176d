import type { Migration } from '../migrate.ts'

/** How a device request's key is delivered: sealed, as in the protocol's own flow, or open, as in RFC 8628. */
export const deviceDeliveries: Migration = {
  name: 'device-deliveries',
  since: '0.2.0',
  kind: 'expand',
  async up(db) {
    await db.schema
      .alterTable('device_requests')
      .addColumn('delivery', 'text', (column) => column.notNull().defaultTo('sealed'))
      .execute()
  },
}
