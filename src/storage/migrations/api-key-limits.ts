import type { Migration } from '../migrate.ts'

/**
 * What an API key is limited to (protocol §11.8). The keys that are there already may do everything from everywhere,
 * as they could before.
 */
export const apiKeyLimits: Migration = {
  name: 'api-key-limits',
  since: '0.2.0',
  kind: 'expand',
  async up(db) {
    await db.schema
      .alterTable('api_keys')
      .addColumn('scope_mode', 'text', (column) => column.notNull().defaultTo('global'))
      .execute()
    await db.schema.alterTable('api_keys').addColumn('allowed_ips', 'text').execute()
    await db.schema
      .alterTable('api_keys')
      .addColumn('hidden', 'integer', (column) => column.notNull().defaultTo(0))
      .execute()
  },
}
