import { type InferResult, type Kysely, type RawBuilder, sql } from 'kysely'
import type {
  GrantedScope,
  NewUserApiKey,
  StoreSession,
  UserApiKeyAge,
  UserApiKeyRecord,
} from '../domain/store.ts'
import { isAfter } from './age-page.ts'
import { ownerAccountId, ownerColumns, ownerOf } from './key-owner.ts'
import { prepared, preparedRows } from './prepared-query.ts'
import type { HallpassTables } from './schema.ts'
import { touch } from './touch.ts'
import { inTransaction } from './transaction.ts'
import { uniquely } from './unique.ts'

/** The keys that users gave to apps: `user_api_keys` and their scopes. */
export function createUserApiKeys(db: Kysely<HallpassTables>): StoreSession['userApiKeys'] {
  return {
    async findByHash(keyHash) {
      return userApiKeysOf(await rowsByHash(db, { keyHash }))[0]
    },

    async findByHashWithAccount(keyHash) {
      const rows = await rowsWithOwner(db, { keyHash })
      const [key] = userApiKeysOf(rows)
      return key && rows[0] && { key, account: ownerOf(rows[0]) }
    },

    findById: (id) => findById(db, id),

    async listByUser(userId) {
      const rows = await selectUserApiKeys(db)
        .where('key.user_id', '=', userId)
        .orderBy('key.created_at', 'desc')
        .orderBy('key.id', 'desc')
        .orderBy('scope.position')
        .execute()
      return userApiKeysOf(rows)
    },

    insert: (key) =>
      inTransaction(db, async (transaction) => {
        const [row] = await uniquely('key_hash', () => insertKey(transaction, key))
        if (row === undefined) throw new Error('a user API key was inserted and is not there')
        const scopes = key.scopes.map(({ name, allowedParameters }, position) => ({
          keyId: row.id,
          position,
          name,
          allowedParameters: allowedParameters && JSON.stringify(allowedParameters),
        }))
        if (scopes.length > 0) await insertScopes(transaction, scopes)
        return { ...userApiKeyOf(row), scopes: key.scopes }
      }),

    deleteByUserAndClient: (userId, clientRowId) =>
      inTransaction(db, async (transaction) => {
        const keys = userApiKeysOf(await rowsByUserAndClient(transaction, { userId, clientRowId }))
        if (keys.length === 0) return []
        // Their scopes go with them, by the foreign key. What is answered is what this statement deleted, whatever
        // happened since the reading.
        const deleted = await transaction
          .deleteFrom('user_api_keys')
          .where(
            'id',
            'in',
            keys.map(({ id }) => id),
          )
          .returning('id')
          .execute()
        const ids = new Set(deleted.map(({ id }) => id))
        return keys.filter(({ id }) => ids.has(id))
      }),

    async setRevokedAt(id, revokedAt) {
      await db.updateTable('user_api_keys').set({ revoked_at: revokedAt }).where('id', '=', id).execute()
    },

    async setClient(id, clientRowId) {
      await db
        .updateTable('user_api_keys')
        .set({ user_api_key_client_id: clientRowId })
        .where('id', '=', id)
        .execute()
    },

    async hasOtherOwner(clientRowId, userId) {
      const row = await db
        .selectFrom('user_api_keys')
        .select('id')
        .where('user_api_key_client_id', '=', clientRowId)
        .where('user_id', '!=', userId)
        .limit(1)
        .executeTakeFirst()
      return row !== undefined
    },

    async listUnrevoked(by, { before, after, limit }) {
      const time = by === 'lastUsedAt' ? 'key.last_used_at' : 'key.created_at'
      const page = selectAges(db)
        .where('key.revoked_at', 'is', null)
        .where(time, '<', before)
        .orderBy(time)
        .orderBy('key.id')
        .limit(limit)
      const rest = after ? page.where(isAfter(time, 'key.id', after)) : page
      return (await rest.execute()).map(userApiKeyAgeOf)
    },

    async revokeAll(ids, revokedAt) {
      if (ids.length === 0) return
      await db.updateTable('user_api_keys').set({ revoked_at: revokedAt }).where('id', 'in', ids).execute()
    },

    deleteByClient: (clientRowId, limit) =>
      inTransaction(db, async (transaction) => {
        const keys = await selectAges(transaction)
          .where('key.user_api_key_client_id', '=', clientRowId)
          .limit(limit)
          .execute()
        const ids = keys.map(({ id }) => id)
        if (ids.length > 0) await transaction.deleteFrom('user_api_keys').where('id', 'in', ids).execute()
        return keys.map(userApiKeyAgeOf)
      }),

    touch: (uses) => touch(db, 'user_api_keys', uses),
  }
}

// The cold verification path: one statement, for two smaller ones cost more than the one join.
const rowsByHash = prepared((db, given: { readonly keyHash: string }) =>
  selectUserApiKeys(db).where('key.key_hash', '=', given.keyHash).orderBy('scope.position'),
)

const rowsWithOwner = prepared((db, given: { readonly keyHash: string }) =>
  selectUserApiKeys(db)
    .leftJoin('users as owner', (join) => join.on('owner.id', '=', ownerAccountId()))
    .select([...ownerColumns])
    .where('key.key_hash', '=', given.keyHash)
    .orderBy('scope.position'),
)

const rowsByUserAndClient = prepared((db, given: { readonly userId: string; readonly clientRowId: number }) =>
  selectUserApiKeys(db)
    .where('key.user_id', '=', given.userId)
    .where('key.user_api_key_client_id', '=', given.clientRowId)
    .orderBy('key.id')
    .orderBy('scope.position'),
)

/** Answers with the key as it is kept, and with its client, which spares reading it. */
const insertKey = prepared((db, key: NewUserApiKey) =>
  db
    .insertInto('user_api_keys')
    .values({
      user_id: key.userId,
      user_api_key_client_id: key.clientRowId,
      key_hash: key.keyHash,
      push_url: key.pushUrl,
      created_at: key.createdAt,
      last_used_at: key.createdAt,
      expires_at: key.expiresAt,
    })
    .returning([
      'id',
      'user_id',
      'key_hash',
      'push_url',
      'use_count',
      'created_at',
      'last_used_at',
      'revoked_at',
      'expires_at',
      'user_api_key_client_id as client_row_id',
      ofItsClient('client_id').as('client_id'),
      ofItsClient('application_name').as('application_name'),
    ]),
)

/** A column of the client that a key is inserted for. */
function ofItsClient(column: 'client_id' | 'application_name'): RawBuilder<string> {
  return sql<string>`(select client.${sql.ref(column)} from user_api_key_clients as client
    where client.id = user_api_keys.user_api_key_client_id)`
}

const insertScopes = preparedRows(
  (
    db,
    scopes: readonly {
      readonly keyId: number
      readonly position: number
      readonly name: string
      readonly allowedParameters: string | null
    }[],
  ) =>
    db.insertInto('user_api_key_scopes').values(
      scopes.map((scope) => ({
        user_api_key_id: scope.keyId,
        position: scope.position,
        name: scope.name,
        allowed_parameters: scope.allowedParameters,
      })),
    ),
)

async function findById(db: Kysely<HallpassTables>, id: number): Promise<UserApiKeyRecord | undefined> {
  const rows = await selectUserApiKeys(db).where('key.id', '=', id).orderBy('scope.position').execute()
  return userApiKeysOf(rows)[0]
}

/** A row for every key, without its scopes. */
function selectAges(db: Kysely<HallpassTables>) {
  return db
    .selectFrom('user_api_keys as key')
    .innerJoin('user_api_key_clients as client', 'client.id', 'key.user_api_key_client_id')
    .select([...ageColumns])
}

/** A row for every scope of every key, and one for a key without any. The caller narrows and orders it. */
function selectUserApiKeys(db: Kysely<HallpassTables>) {
  return db
    .selectFrom('user_api_keys as key')
    .innerJoin('user_api_key_clients as client', 'client.id', 'key.user_api_key_client_id')
    .leftJoin('user_api_key_scopes as scope', 'scope.user_api_key_id', 'key.id')
    .select([
      ...ageColumns,
      'key.push_url',
      'key.use_count',
      'scope.name as scope_name',
      'scope.allowed_parameters as scope_parameters',
    ])
}

const ageColumns = [
  'key.id',
  'key.user_id',
  'key.key_hash',
  'key.created_at',
  'key.last_used_at',
  'key.revoked_at',
  'key.expires_at',
  'client.id as client_row_id',
  'client.client_id',
  'client.application_name',
] as const

type AgeRow = InferResult<ReturnType<typeof selectAges>>[number]
type Row = InferResult<ReturnType<typeof selectUserApiKeys>>[number]

/** Puts the rows of each key together; keys and scopes keep the order of the rows. */
function userApiKeysOf(rows: readonly Row[]): readonly UserApiKeyRecord[] {
  const keys = new Map<number, UserApiKeyRecord & { readonly scopes: GrantedScope[] }>()
  for (const row of rows) {
    const key = keys.get(row.id) ?? userApiKeyOf(row)
    keys.set(row.id, key)
    if (row.scope_name !== null) {
      const parameters = row.scope_parameters
      key.scopes.push({ name: row.scope_name, allowedParameters: parameters && JSON.parse(parameters) })
    }
  }
  return [...keys.values()]
}

function userApiKeyOf(
  row: AgeRow & Pick<Row, 'push_url' | 'use_count'>,
): UserApiKeyRecord & { readonly scopes: GrantedScope[] } {
  return { ...userApiKeyAgeOf(row), scopes: [], pushUrl: row.push_url, useCount: row.use_count }
}

function userApiKeyAgeOf(row: AgeRow): UserApiKeyAge {
  return {
    id: row.id,
    userId: row.user_id,
    client: { id: row.client_row_id, clientId: row.client_id, applicationName: row.application_name },
    keyHash: row.key_hash,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
    expiresAt: row.expires_at,
  }
}
