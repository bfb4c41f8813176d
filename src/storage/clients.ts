import type { Kysely } from 'kysely'
import type { StoreSession } from '../domain/store.ts'
import type { HallpassTables } from './schema.ts'
import { uniquely } from './unique.ts'

/** The installations of apps: `user_api_key_clients` and their scopes. */
export function createClients(db: Kysely<HallpassTables>): StoreSession['clients'] {
  return {
    async findByClientId(clientId) {
      const rows = await db
        .selectFrom('user_api_key_clients as client')
        .leftJoin('user_api_key_client_scopes as scope', 'scope.user_api_key_client_id', 'client.id')
        .selectAll('client')
        .select('scope.name as scope_name')
        .where('client.client_id', '=', clientId)
        .orderBy('scope.position')
        .execute()
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
    },

    async insert({ clientId, applicationName, createdAt }) {
      const { id } = await uniquely('client_id', () =>
        db
          .insertInto('user_api_key_clients')
          .values({ client_id: clientId, application_name: applicationName, created_at: createdAt })
          .returning('id')
          .executeTakeFirstOrThrow(),
      )
      return {
        id,
        clientId,
        applicationName,
        publicKey: null,
        authRedirect: null,
        registeredScopes: [],
        createdAt,
      }
    },

    async rename(id, applicationName) {
      await db
        .updateTable('user_api_key_clients')
        .set({ application_name: applicationName })
        .where('id', '=', id)
        .execute()
    },
  }
}
