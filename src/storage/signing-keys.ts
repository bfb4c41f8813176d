import type { Kysely } from 'kysely'
import type { StoreSession } from '../domain/store.ts'
import type { HallpassTables } from './schema.ts'

/** The keys that sign identities: `signing_keys`. */
export function createSigningKeyStore(db: Kysely<HallpassTables>): StoreSession['signingKeys'] {
  return {
    async list() {
      const rows = await db
        .selectFrom('signing_keys')
        .selectAll()
        .orderBy('active_from')
        .orderBy('kid')
        .execute()
      return rows.map((row) => ({
        kid: row.kid,
        privateKey: row.private_key,
        createdAt: row.created_at,
        activeFrom: row.active_from,
      }))
    },

    async insert({ kid, privateKey, createdAt, activeFrom }) {
      await db
        .insertInto('signing_keys')
        .values({ kid, private_key: privateKey, created_at: createdAt, active_from: activeFrom })
        .execute()
    },

    async delete(kid) {
      await db.deleteFrom('signing_keys').where('kid', '=', kid).execute()
    },
  }
}
