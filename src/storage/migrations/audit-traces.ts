import type { Migration } from '../migrate.ts'

/** Which trace an entry of the audit log belongs to. Those that are there already belong to none. */
export const auditTraces: Migration = {
  name: 'audit-traces',
  since: '0.2.0',
  kind: 'expand',
  async up(db) {
    await db.schema.alterTable('audit_events').addColumn('trace_id', 'text').execute()
  },
}
