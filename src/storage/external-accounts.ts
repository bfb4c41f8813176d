import type { Kysely } from 'kysely'
import type { StoreSession } from '../domain/store.ts'
import type { HallpassTables } from './schema.ts'
import { uniquely } from './unique.ts'

/** Which local account stands for which account at another service: `external_accounts`. */
export function createExternalAccounts(db: Kysely<HallpassTables>): StoreSession['externalAccounts'] {
  return {
    async findAccountId({ provider, subject }) {
      const row = await db
        .selectFrom('external_accounts')
        .select('user_id')
        .where('provider', '=', provider)
        .where('subject', '=', subject)
        .executeTakeFirst()
      return row?.user_id
    },

    async insert({ provider, subject }, accountId, createdAt) {
      const row = { provider, subject, user_id: accountId, created_at: createdAt }
      await uniquely('external_account', () => db.insertInto('external_accounts').values(row).execute())
    },
  }
}
