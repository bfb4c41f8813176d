import type { InferResult, Kysely, Selectable } from 'kysely'
import type { ClientRecord, StoreSession } from '../domain/store.ts'
import { isAfter } from './age-page.ts'
import { prepared } from './prepared-query.ts'
import type { HallpassTables } from './schema.ts'
import { inTransaction } from './transaction.ts'
import { uniquely } from './unique.ts'

/** The installations of apps: `user_api_key_clients` and their scopes. */
export function createClients(db: Kysely<HallpassTables>): StoreSession['clients'] {
  return {
    async findByClientId(clientId) {
      return clientOf(await rowsByClientId(db, { clientId }))
    },

    async findByPublicKey(fingerprint) {
      const first = db
        .selectFrom('user_api_key_clients')
        .select(({ fn }) => fn.min('id').as('id'))
        .where('public_key_fingerprint', '=', fingerprint)
      return clientOf(await selectClients(db).where('client.id', '=', first).execute())
    },

    async insert({ clientId, applicationName, createdAt, registration }) {
      const row = {
        client_id: clientId,
        application_name: applicationName,
        created_at: createdAt,
        public_key: registration?.publicKey ?? null,
        public_key_fingerprint: registration?.publicKeyFingerprint ?? null,
        auth_redirect: registration?.authRedirect ?? null,
      }
      const registeredScopes = registration?.scopes ?? []
      return inTransaction(db, async (transaction) => {
        const [inserted] = await uniquely('client_id', () => insertClient(transaction, row))
        if (inserted === undefined) throw new Error('a client was inserted and is not there')
        const { id } = inserted
        const scopes = registeredScopes.map((name, position) => ({
          user_api_key_client_id: id,
          position,
          name,
        }))
        if (scopes.length > 0)
          await transaction.insertInto('user_api_key_client_scopes').values(scopes).execute()
        return {
          id,
          clientId,
          applicationName,
          publicKey: row.public_key,
          authRedirect: row.auth_redirect,
          registeredScopes,
          createdAt,
        }
      })
    },

    async rename(id, applicationName) {
      await db
        .updateTable('user_api_key_clients')
        .set({ application_name: applicationName })
        .where('id', '=', id)
        .execute()
    },

    async listUnused({ before, after, limit }) {
      const page = db
        .selectFrom('user_api_key_clients as client')
        .select(['client.id', 'client.client_id', 'client.application_name', 'client.created_at'])
        .where('client.auth_redirect', 'is not', null)
        .where('client.created_at', '<', before)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('user_api_keys as key')
                .select('key.id')
                .whereRef('key.user_api_key_client_id', '=', 'client.id')
                .where('key.last_used_at', '>=', before),
            ),
          ),
        )
        .orderBy('client.created_at')
        .orderBy('client.id')
        .limit(limit)
      const rest = after ? page.where(isAfter('client.created_at', 'client.id', after)) : page
      const rows = await rest.execute()
      return rows.map((row) => ({
        id: row.id,
        clientId: row.client_id,
        applicationName: row.application_name,
        createdAt: row.created_at,
      }))
    },

    async delete(id) {
      await db.deleteFrom('user_api_key_clients').where('id', '=', id).execute()
    },
  }
}

/** With their scopes in one statement: without them, a registered client would seem to have no bounds. */
function selectClients(db: Kysely<HallpassTables>) {
  return db
    .selectFrom('user_api_key_clients as client')
    .leftJoin('user_api_key_client_scopes as scope', 'scope.user_api_key_client_id', 'client.id')
    .select([
      'client.id',
      'client.client_id',
      'client.application_name',
      'client.public_key',
      'client.auth_redirect',
      'client.created_at',
      'scope.name as scope_name',
    ])
    .orderBy('scope.position')
}

const rowsByClientId = prepared((db, given: { readonly clientId: string }) =>
  selectClients(db).where('client.client_id', '=', given.clientId),
)

const insertClient = prepared((db, row: Omit<Selectable<HallpassTables['user_api_key_clients']>, 'id'>) =>
  db
    .insertInto('user_api_key_clients')
    .values({
      client_id: row.client_id,
      application_name: row.application_name,
      created_at: row.created_at,
      public_key: row.public_key,
      public_key_fingerprint: row.public_key_fingerprint,
      auth_redirect: row.auth_redirect,
    })
    .returning('id'),
)

type Row = InferResult<ReturnType<typeof selectClients>>[number]

/** One client, from its rows: one for each scope, or one without. */
function clientOf(rows: readonly Row[]): ClientRecord | undefined {
  const row = rows[0]
  return (
    row && {
      id: row.id,
      clientId: row.client_id,
      applicationName: row.application_name,
      publicKey: row.public_key,
      authRedirect: row.auth_redirect,
      registeredScopes: rows.flatMap(({ scope_name: name }) => (name === null ? [] : [name])),
      createdAt: row.created_at,
    }
  )
}
