import type { Kysely, Selectable } from 'kysely'
import type { DeviceRequestRecord, StoreSession } from '../domain/store.ts'
import type { HallpassTables } from './schema.ts'
import { uniquely } from './unique.ts'

/** The device flow's requests: `device_requests`. Each change of state is one statement, so that one caller wins it. */
export function createDeviceRequests(db: Kysely<HallpassTables>): StoreSession['deviceRequests'] {
  type HashColumn = 'device_code_hash' | 'user_code_hash' | 'request_token_hash'
  const findBy = async (column: HashColumn, hash: string): Promise<DeviceRequestRecord | undefined> => {
    const row = await db.selectFrom('device_requests').selectAll().where(column, '=', hash).executeTakeFirst()
    return row && deviceRequestOf(row)
  }
  const updatePending = (deviceCodeHash: string, now: number) =>
    db
      .updateTable('device_requests')
      .where('device_code_hash', '=', deviceCodeHash)
      .where('status', '=', 'pending')
      .where('expires_at', '>', now)

  return {
    find: (hash) => findBy('device_code_hash', hash),
    findByUserCode: (hash) => findBy('user_code_hash', hash),
    findByRequestToken: (hash) => findBy('request_token_hash', hash),

    async insert(request) {
      const row = {
        device_code_hash: request.deviceCodeHash,
        user_code_hash: request.userCodeHash,
        request_token_hash: request.requestTokenHash,
        delivery: request.delivery,
        status: 'pending',
        parameters: JSON.stringify(request.parameters),
        key_expires_at: request.keyExpiresAt,
        created_at: request.createdAt,
        expires_at: request.expiresAt,
      } as const
      await uniquely('device_request', () => db.insertInto('device_requests').values(row).execute())
    },

    async bind(deviceCodeHash, userId, now) {
      const { numUpdatedRows } = await updatePending(deviceCodeHash, now)
        .where((or) => or.or([or('user_id', 'is', null), or('user_id', '=', userId)]))
        .set({ user_id: userId })
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },

    async authorize(deviceCodeHash, userId, { payload, expiresAt, now }) {
      const { numUpdatedRows } = await updatePending(deviceCodeHash, now)
        .where('user_id', '=', userId)
        .set({
          status: 'authorized',
          payload,
          expires_at: expiresAt,
          user_code_hash: null,
          request_token_hash: null,
        })
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },

    async deny(deviceCodeHash, userId, now) {
      const { numUpdatedRows } = await updatePending(deviceCodeHash, now)
        .where('user_id', '=', userId)
        .set({ status: 'denied' })
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },

    async take(deviceCodeHash, now) {
      const row = await db
        .deleteFrom('device_requests')
        .where('device_code_hash', '=', deviceCodeHash)
        .where('status', '=', 'authorized')
        .where('expires_at', '>', now)
        .returningAll()
        .executeTakeFirst()
      return row && deviceRequestOf(row)
    },
  }
}

function deviceRequestOf(row: Selectable<HallpassTables['device_requests']>): DeviceRequestRecord {
  return {
    deviceCodeHash: row.device_code_hash,
    userCodeHash: row.user_code_hash,
    requestTokenHash: row.request_token_hash,
    delivery: row.delivery,
    status: row.status,
    parameters: JSON.parse(row.parameters),
    keyExpiresAt: row.key_expires_at,
    userId: row.user_id,
    payload: row.payload,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }
}
