import { type Kysely, sql } from 'kysely'
import type { Migration } from '../migrate.ts'

/** What is known of the jobs, and the order in which they look through keys and registered clients. */
export const jobRuns: Migration = {
  name: 'job-runs',
  since: '0.2.0',
  kind: 'expand',
  blocks: ['user_api_keys', 'user_api_key_clients'],
  async up(db) {
    await db.schema
      .createTable('job_runs')
      .addColumn('name', 'text', (column) => column.notNull().primaryKey())
      .addColumn('last_started_at', 'bigint')
      .addColumn('last_finished_at', 'bigint')
      .addColumn('outcome', 'text')
      .addColumn('summary', 'text', (column) => column.notNull())
      .addColumn('failures', 'integer', (column) => column.notNull())
      .addColumn('next_run_at', 'bigint', (column) => column.notNull())
      .addColumn('lease_owner', 'text')
      .addColumn('lease_until', 'bigint')
      .execute()
    // A revoked key leaves these, so that what a job reads is what it may still have to do.
    await createIndexOfUnrevokedKeys(db, 'last_used_at')
    await createIndexOfUnrevokedKeys(db, 'created_at')
    // Nearly all clients are unregistered ones.
    await db.schema
      .createIndex('user_api_key_clients_registered_by_created_at_id')
      .on('user_api_key_clients')
      .columns(['created_at', 'id'])
      .where(sql.ref('auth_redirect'), 'is not', null)
      .execute()
  },
}

async function createIndexOfUnrevokedKeys(db: Kysely<unknown>, time: string): Promise<void> {
  await db.schema
    .createIndex(`user_api_keys_unrevoked_by_${time}_id`)
    .on('user_api_keys')
    .columns([time, 'id'])
    .where(sql.ref('revoked_at'), 'is', null)
    .execute()
}
