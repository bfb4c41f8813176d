import { type Kysely, type RawBuilder, type Selectable, sql } from 'kysely'
import type { AuditRecord, StoreSession } from '../domain/store.ts'
import { prepared } from './prepared-query.ts'
import type { HallpassTables } from './schema.ts'
import { uniquely } from './unique.ts'

/** The audit log: `audit_events`, to which the database lets nothing happen but that it grows. */
export function createAuditEvents(db: Kysely<HallpassTables>): StoreSession['audit'] {
  return {
    async last() {
      const [row] = await lastRow(db, {})
      return row && auditRecordOf(row)
    },

    async append(entry) {
      await uniquely('sequence', () => insertEntry(db, entry))
    },

    async list({ from, before, limit }, filter = {}) {
      let page = newestFirst(db).limit(limit)
      if (from !== undefined) page = page.where('sequence', '>=', from)
      if (before !== undefined) page = page.where('sequence', '<', before)
      if (filter.action !== undefined) page = page.where('action', '=', filter.action)
      if (filter.actorUserId !== undefined) page = page.where('actor_user_id', '=', filter.actorUserId)
      if (filter.actorVia !== undefined) page = page.where('actor_via', '=', filter.actorVia)
      if (filter.since !== undefined) page = page.where('at', '>=', filter.since)
      if (filter.traceId !== undefined) page = page.where('trace_id', '=', filter.traceId)
      if (filter.until !== undefined) page = page.where('at', '<', filter.until)
      for (const [name, value] of Object.entries(filter.details ?? {})) {
        page = page.where(holds(name, value))
      }
      return (await page.execute()).map(auditRecordOf)
    },

    async listAfter(sequence, limit) {
      const rows = await db
        .selectFrom('audit_events')
        .selectAll()
        .where('sequence', '>', sequence)
        .orderBy('sequence')
        .limit(limit)
        .execute()
      return rows.map(auditRecordOf)
    },
  }
}

const columns = [
  'sequence',
  'at',
  'actor_user_id',
  'actor_via',
  'actor_address',
  'action',
  'details',
  'trace_id',
  'previous_hash',
  'hash',
] as const

function newestFirst(db: Kysely<HallpassTables>) {
  return db.selectFrom('audit_events').select(columns).orderBy('sequence', 'desc')
}

const lastRow = prepared((db) => newestFirst(db).limit(sql.lit(1)))

const insertEntry = prepared((db, entry: AuditRecord) =>
  db.insertInto('audit_events').values({
    sequence: entry.sequence,
    at: entry.at,
    actor_user_id: entry.actorUserId,
    actor_via: entry.actorVia,
    actor_address: entry.actorAddress,
    action: entry.action,
    details: entry.details,
    trace_id: entry.traceId,
    previous_hash: entry.previousHash,
    hash: entry.hash,
  }),
)

/** Details are compact JSON of one level, so that a member is found as text, in the same way on every database. */
function holds(name: string, value: string | number): RawBuilder<boolean> {
  const member = JSON.stringify({ [name]: value }).slice(1, -1)
  const pattern = `%${member.replace(/[%_\\]/g, (special) => `\\${special}`)}`
  return sql<boolean>`(details like ${`${pattern},%`} escape '\\' or details like ${`${pattern}}`} escape '\\')`
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
    traceId: row.trace_id,
    previousHash: row.previous_hash,
    hash: row.hash,
  }
}
