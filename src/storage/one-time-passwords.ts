import type { Kysely } from 'kysely'
import type { StoreSession } from '../domain/store.ts'
import type { HallpassTables } from './schema.ts'
import { uniquely } from './unique.ts'

/** One-time passwords that nobody has used yet: `one_time_passwords`. */
export function createOneTimePasswords(db: Kysely<HallpassTables>): StoreSession['oneTimePasswords'] {
  return {
    async find(tokenHash) {
      const row = await db
        .selectFrom('one_time_passwords')
        .selectAll()
        .where('token_hash', '=', tokenHash)
        .executeTakeFirst()
      return (
        row && {
          tokenHash: row.token_hash,
          userId: row.user_id,
          username: row.username,
          createdAt: row.created_at,
          expiresAt: row.expires_at,
        }
      )
    },

    async insert(password) {
      const row = {
        token_hash: password.tokenHash,
        user_id: password.userId,
        username: password.username,
        created_at: password.createdAt,
        expires_at: password.expiresAt,
      }
      await uniquely('token_hash', () => db.insertInto('one_time_passwords').values(row).execute())
    },

    async take(tokenHash, now) {
      const { numDeletedRows } = await db
        .deleteFrom('one_time_passwords')
        .where('token_hash', '=', tokenHash)
        .where('expires_at', '>', now)
        .executeTakeFirst()
      return numDeletedRows > 0n
    },
  }
}
