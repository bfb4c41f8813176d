import { type Kysely, type Selectable, sql } from 'kysely'
import type { ApiKeyRecord, StoreSession } from '../domain/store.ts'
import { preparedOnce } from './prepared-query.ts'
import type { HallpassTables } from './schema.ts'
import { touch } from './touch.ts'
import { uniquely } from './unique.ts'

/** The administrators' keys: `api_keys`. */
export function createApiKeys(db: Kysely<HallpassTables>): StoreSession['apiKeys'] {
  const rowsByHash = preparedOnce(db, (keyHash: string) =>
    db.selectFrom('api_keys').selectAll().where('key_hash', '=', keyHash),
  )

  return {
    async findByHash(keyHash) {
      const [row] = await rowsByHash(keyHash)
      return row && apiKeyOf(row)
    },

    async findById(id) {
      const row = await db.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst()
      return row && apiKeyOf(row)
    },

    async list({ offset, limit }) {
      const rows = await db
        .selectFrom('api_keys')
        .selectAll()
        .orderBy('revoked_at', (order) => order.desc().nullsFirst())
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .offset(offset)
        .limit(limit)
        .execute()
      return rows.map(apiKeyOf)
    },

    async count() {
      const { keys } = await db
        .selectFrom('api_keys')
        .select(sql<number>`count(*)`.as('keys'))
        .executeTakeFirstOrThrow()
      return Number(keys)
    },

    async insert(key) {
      const row = await uniquely('key_hash', () =>
        db
          .insertInto('api_keys')
          .values({
            user_id: key.userId,
            created_by_id: key.createdById,
            key_hash: key.keyHash,
            truncated_key: key.truncatedKey,
            description: key.description,
            created_at: key.createdAt,
            updated_at: key.createdAt,
          })
          .returningAll()
          .executeTakeFirstOrThrow(),
      )
      return apiKeyOf(row)
    },

    async setRevokedAt(id, revokedAt, updatedAt) {
      await db
        .updateTable('api_keys')
        .set({ revoked_at: revokedAt, updated_at: updatedAt })
        .where('id', '=', id)
        .execute()
    },

    touch: (uses) => touch(db, 'api_keys', uses),
  }
}

function apiKeyOf(row: Selectable<HallpassTables['api_keys']>): ApiKeyRecord {
  return {
    id: row.id,
    userId: row.user_id,
    createdById: row.created_by_id,
    keyHash: row.key_hash,
    truncatedKey: row.truncated_key,
    description: row.description,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
  }
}
