import type { Kysely } from 'kysely'
import type { StoreSession } from '../domain/store.ts'
import { prepared } from './prepared-query.ts'
import type { HallpassTables } from './schema.ts'
import { uniquely } from './unique.ts'

/** The sessions of browsers: `sessions`. */
export function createSessions(db: Kysely<HallpassTables>): StoreSession['sessions'] {
  return {
    async find(tokenHash) {
      const [row] = await rowByHash(db, { tokenHash })
      return (
        row && {
          tokenHash: row.token_hash,
          userId: row.user_id,
          createdAt: row.created_at,
          expiresAt: row.expires_at,
        }
      )
    },

    async insert(session) {
      const row = {
        token_hash: session.tokenHash,
        user_id: session.userId,
        created_at: session.createdAt,
        expires_at: session.expiresAt,
      }
      await uniquely('token_hash', () => db.insertInto('sessions').values(row).execute())
    },

    async extend(tokenHash, expiresAt) {
      await db
        .updateTable('sessions')
        .set({ expires_at: expiresAt })
        .where('token_hash', '=', tokenHash)
        .execute()
    },

    async delete(tokenHash) {
      await db.deleteFrom('sessions').where('token_hash', '=', tokenHash).execute()
    },

    async deleteByUser(userId) {
      await db.deleteFrom('sessions').where('user_id', '=', userId).execute()
    },
  }
}

// Every request of a signed-in browser asks this.
const rowByHash = prepared((db, given: { readonly tokenHash: string }) =>
  db
    .selectFrom('sessions')
    .select(['token_hash', 'user_id', 'created_at', 'expires_at'])
    .where('token_hash', '=', given.tokenHash),
)
