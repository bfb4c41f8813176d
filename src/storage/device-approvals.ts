import type { Kysely } from 'kysely'
import type { StoreSession } from '../domain/store.ts'
import type { HallpassTables } from './schema.ts'
import { inTransaction } from './transaction.ts'
import { uniquely } from './unique.ts'

/** What lets browser sessions decide on device requests: `device_approvals`. They go when their request goes. */
export function createDeviceApprovals(db: Kysely<HallpassTables>): StoreSession['deviceApprovals'] {
  return {
    async find(tokenHash) {
      const row = await db
        .selectFrom('device_approvals')
        .selectAll()
        .where('token_hash', '=', tokenHash)
        .executeTakeFirst()
      return (
        row && {
          tokenHash: row.token_hash,
          sessionHash: row.session_hash,
          userId: row.user_id,
          deviceCodeHash: row.device_code_hash,
          createdAt: row.created_at,
        }
      )
    },

    insert: (approval, keep) =>
      inTransaction(db, async (transaction) => {
        const row = {
          token_hash: approval.tokenHash,
          session_hash: approval.sessionHash,
          user_id: approval.userId,
          device_code_hash: approval.deviceCodeHash,
          created_at: approval.createdAt,
        }
        await uniquely('token_hash', () => transaction.insertInto('device_approvals').values(row).execute())
        const newest = transaction
          .selectFrom('device_approvals')
          .select('id')
          .where('session_hash', '=', approval.sessionHash)
          .orderBy('id', 'desc')
          .limit(keep)
        await transaction
          .deleteFrom('device_approvals')
          .where('session_hash', '=', approval.sessionHash)
          .where('id', 'not in', newest)
          .execute()
      }),
  }
}
