import type { Migration } from '../migrate.ts'

/** What a registered client is found by when only its public key is known. No client was registered before this. */
export const registeredClients: Migration = {
  name: 'registered-clients',
  since: '0.2.0',
  kind: 'expand',
  blocks: ['user_api_key_clients'],
  async up(db) {
    await db.schema.alterTable('user_api_key_clients').addColumn('public_key_fingerprint', 'text').execute()
    await db.schema
      .createIndex('user_api_key_clients_by_public_key_fingerprint')
      .on('user_api_key_clients')
      .columns(['public_key_fingerprint'])
      .execute()
  },
}
