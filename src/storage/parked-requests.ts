import type { Kysely, Selectable } from 'kysely'
import type { ParkedRequestRecord, StoreSession } from '../domain/store.ts'
import type { HallpassTables } from './schema.ts'
import { uniquely } from './unique.ts'

/** Authorization requests that wait for their user to sign in: `authorization_requests`. */
export function createParkedRequests(db: Kysely<HallpassTables>): StoreSession['parkedRequests'] {
  return {
    async find(id) {
      const row = await db
        .selectFrom('authorization_requests')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst()
      return row && parkedRequestOf(row)
    },

    async insert(request) {
      const row = {
        id: request.id,
        parameters: JSON.stringify(request.parameters),
        created_at: request.createdAt,
        expires_at: request.expiresAt,
      }
      await uniquely('request_id', () => db.insertInto('authorization_requests').values(row).execute())
    },

    async take(id) {
      const row = await db
        .deleteFrom('authorization_requests')
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirst()
      return row && parkedRequestOf(row)
    },
  }
}

function parkedRequestOf(row: Selectable<HallpassTables['authorization_requests']>): ParkedRequestRecord {
  return {
    id: row.id,
    parameters: JSON.parse(row.parameters),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }
}
