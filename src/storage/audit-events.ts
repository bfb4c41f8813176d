import type { Kysely, Selectable } from 'kysely'
import type { AuditRecord, StoreSession } from '../domain/store.ts'
import type { HallpassTables } from './schema.ts'
import { uniquely } from './unique.ts'

/** The audit log: `audit_events`, to which the database lets nothing happen but that it grows. */
export function createAuditEvents(db: Kysely<HallpassTables>): StoreSession['audit'] {
  const newestFirst = db.selectFrom('audit_events').selectAll().orderBy('sequence', 'desc')

  return {
    async last() {
      const row = await newestFirst.limit(1).executeTakeFirst()
      return row && auditRecordOf(row)
    },

    async append(entry) {
      const row = {
        sequence: entry.sequence,
        at: entry.at,
        actor_user_id: entry.actorUserId,
        actor_via: entry.actorVia,
        actor_address: entry.actorAddress,
        action: entry.action,
        details: entry.details,
        previous_hash: entry.previousHash,
        hash: entry.hash,
      }
      await uniquely('sequence', () => db.insertInto('audit_events').values(row).execute())
    },

    async list({ before, limit }) {
      const page = newestFirst.limit(limit)
      const rows = await (before === undefined ? page : page.where('sequence', '<', before)).execute()
      return rows.map(auditRecordOf)
    },
  }
}

function auditRecordOf(row: Selectable<HallpassTables['audit_events']>): AuditRecord {
  return {
    sequence: row.sequence,
    at: row.at,
    actorUserId: row.actor_user_id,
    actorVia: row.actor_via,
    actorAddress: row.actor_address,
    action: row.action,
    details: row.details,
    previousHash: row.previous_hash,
    hash: row.hash,
  }
}
