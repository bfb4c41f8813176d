import { type InferResult, type Kysely, type Selectable, sql } from 'kysely'
import type { ApiKeyRecord, GrantedApiKeyScope, StoreSession } from '../domain/store.ts'
import { isAfter } from './age-page.ts'
import { ownerAccountId, ownerColumns, ownerOf } from './key-owner.ts'
import { prepared } from './prepared-query.ts'
import type { HallpassTables } from './schema.ts'
import { touch } from './touch.ts'
import { inSnapshot, inTransaction } from './transaction.ts'
import { uniquely } from './unique.ts'

/** The administrators' keys: `api_keys` and their scopes. */
export function createApiKeys(db: Kysely<HallpassTables>): StoreSession['apiKeys'] {
  return {
    async findByHash(keyHash) {
      return joinedApiKeyOf(await rowsByHash(db, { keyHash }))
    },

    async findByHashWithAccount(keyHash) {
      const rows = await rowsWithOwner(db, { keyHash })
      const key = joinedApiKeyOf(rows)
      return key && rows[0] && { key, account: ownerOf(rows[0]) }
    },

    findById: (id) => findById(db, id),

    list: ({ offset, limit }) =>
      inSnapshot(db, async (transaction) => {
        const rows = await transaction
          .selectFrom('api_keys')
          .selectAll()
          .where('hidden', '=', 0)
          .orderBy('revoked_at', (order) => order.desc().nullsFirst())
          .orderBy('created_at', 'desc')
          .orderBy('id', 'desc')
          .offset(offset)
          .limit(limit)
          .execute()
        const scopesOf = await findScopes(
          transaction,
          rows.map(({ id }) => id),
        )
        return rows.map((row) => apiKeyOf(row, scopesOf(row.id)))
      }),

    async count() {
      const { keys } = await db
        .selectFrom('api_keys')
        .select(sql<number>`count(*)`.as('keys'))
        .executeTakeFirstOrThrow()
      return Number(keys)
    },

    insert: (key) =>
      inTransaction(db, async (transaction) => {
        const { id } = await uniquely('key_hash', () =>
          transaction
            .insertInto('api_keys')
            .values({
              user_id: key.userId,
              created_by_id: key.createdById,
              key_hash: key.keyHash,
              truncated_key: key.truncatedKey,
              description: key.description,
              scope_mode: key.scopeMode,
              allowed_ips: addressText(key.allowedIps),
              hidden: Number(key.hidden),
              created_at: key.createdAt,
              updated_at: key.createdAt,
            })
            .returning('id')
            .executeTakeFirstOrThrow(),
        )
        if (key.scopes.length > 0) {
          const scopes = key.scopes.map(({ resource, action, allowedParameters }, position) => ({
            api_key_id: id,
            position,
            resource,
            action,
            allowed_parameters: allowedParameters && JSON.stringify(allowedParameters),
          }))
          await transaction.insertInto('api_key_scopes').values(scopes).execute()
        }
        const inserted = await findById(transaction, id)
        if (inserted === undefined) throw new Error(`the API key ${id} was inserted and is not there`)
        return inserted
      }),

    async update(id, { description, allowedIps }, updatedAt) {
      await db
        .updateTable('api_keys')
        .set({
          updated_at: updatedAt,
          ...(description === undefined ? {} : { description }),
          ...(allowedIps === undefined ? {} : { allowed_ips: addressText(allowedIps) }),
        })
        .where('id', '=', id)
        .execute()
    },

    async delete(id) {
      // Its scopes go with it, by the foreign key.
      await db.deleteFrom('api_keys').where('id', '=', id).execute()
    },

    async setRevokedAt(id, revokedAt, updatedAt) {
      await db
        .updateTable('api_keys')
        .set({ revoked_at: revokedAt, updated_at: updatedAt })
        .where('id', '=', id)
        .execute()
    },

    async listUnrevoked({ before, after, limit }) {
      const page = db
        .selectFrom('api_keys')
        .select(['id', 'user_id', 'key_hash', 'created_at', 'updated_at', 'last_used_at'])
        .where('revoked_at', 'is', null)
        .where('created_at', '<', before)
        .orderBy('created_at')
        .orderBy('id')
        .limit(limit)
      const rest = after ? page.where(isAfter('created_at', 'id', after)) : page
      const rows = await rest.execute()
      return rows.map((row) => ({
        id: row.id,
        userId: row.user_id,
        keyHash: row.key_hash,
        createdAt: row.created_at,
        updatedAt: row.updated_at,
        lastUsedAt: row.last_used_at,
      }))
    },

    async revokeAll(ids, revokedAt) {
      if (ids.length === 0) return
      await db
        .updateTable('api_keys')
        .set({ revoked_at: revokedAt, updated_at: revokedAt })
        .where('id', 'in', ids)
        .execute()
    },

    touch: (uses) => touch(db, 'api_keys', uses),
  }
}

const rowsByHash = prepared((db, given: { readonly keyHash: string }) =>
  selectApiKeys(db).where('key.key_hash', '=', given.keyHash).orderBy('scope.position'),
)

const rowsWithOwner = prepared((db, given: { readonly keyHash: string }) =>
  selectApiKeys(db)
    .leftJoin('users as owner', (join) => join.on('owner.id', '=', ownerAccountId()))
    .select([...ownerColumns])
    .where('key.key_hash', '=', given.keyHash)
    .orderBy('scope.position'),
)

async function findById(db: Kysely<HallpassTables>, id: number): Promise<ApiKeyRecord | undefined> {
  const rows = await selectApiKeys(db).where('key.id', '=', id).orderBy('scope.position').execute()
  return joinedApiKeyOf(rows)
}

/** A row for every scope of a key, and one for a key without any. The caller says which key, and orders the rows. */
function selectApiKeys(db: Kysely<HallpassTables>) {
  return db
    .selectFrom('api_keys as key')
    .leftJoin('api_key_scopes as scope', 'scope.api_key_id', 'key.id')
    .select([
      'key.id',
      'key.user_id',
      'key.created_by_id',
      'key.key_hash',
      'key.truncated_key',
      'key.description',
      'key.scope_mode',
      'key.allowed_ips',
      'key.hidden',
      'key.created_at',
      'key.updated_at',
      'key.last_used_at',
      'key.use_count',
      'key.revoked_at',
      'scope.resource',
      'scope.action',
      'scope.allowed_parameters',
    ])
}

/** Puts the rows of one key together; its scopes keep the order of the rows. */
function joinedApiKeyOf(
  rows: readonly InferResult<ReturnType<typeof selectApiKeys>>[number][],
): ApiKeyRecord | undefined {
  const [first] = rows
  if (!first) return undefined
  const scopes = rows.flatMap(({ resource, action, allowed_parameters }) =>
    resource === null || action === null ? [] : [grantedScopeOf({ resource, action, allowed_parameters })],
  )
  return apiKeyOf(first, scopes)
}

/** The scopes of many keys, each key's in their order. */
async function findScopes(
  db: Kysely<HallpassTables>,
  ids: readonly number[],
): Promise<(id: number) => readonly GrantedApiKeyScope[]> {
  if (ids.length === 0) return () => []
  const rows = await db
    .selectFrom('api_key_scopes')
    .selectAll()
    .where('api_key_id', 'in', ids)
    .orderBy('api_key_id')
    .orderBy('position')
    .execute()
  return (id) => rows.filter((row) => row.api_key_id === id).map(grantedScopeOf)
}

function grantedScopeOf({
  resource,
  action,
  allowed_parameters: allowed,
}: Pick<
  Selectable<HallpassTables['api_key_scopes']>,
  'resource' | 'action' | 'allowed_parameters'
>): GrantedApiKeyScope {
  return { resource, action, allowedParameters: allowed === null ? null : JSON.parse(allowed) }
}

function apiKeyOf(
  row: Selectable<HallpassTables['api_keys']>,
  scopes: readonly GrantedApiKeyScope[],
): ApiKeyRecord {
  return {
    id: row.id,
    userId: row.user_id,
    createdById: row.created_by_id,
    keyHash: row.key_hash,
    truncatedKey: row.truncated_key,
    description: row.description,
    scopeMode: row.scope_mode,
    scopes,
    allowedIps: row.allowed_ips === null ? [] : JSON.parse(row.allowed_ips),
    hidden: row.hidden !== 0,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastUsedAt: row.last_used_at,
    useCount: row.use_count,
    revokedAt: row.revoked_at,
  }
}

function addressText(allowedIps: readonly string[]): string | null {
  return allowedIps.length === 0 ? null : JSON.stringify(allowedIps)
}
