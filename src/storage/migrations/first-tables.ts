import type { ColumnDefinitionBuilder, Kysely } from 'kysely'
import type { SchemaDialect } from '../database.ts'
import type { Migration } from '../migrate.ts'

/** The tables of version 0.1.0, with an index for every query. */
export const firstTables: Migration = {
  name: 'first-tables',
  since: '0.1.0',
  kind: 'expand',
  async up(db, schema) {
    await createClientTables(db, schema)
    await createUserApiKeyTables(db, schema)
    await createApiKeyTables(db, schema)
    await createUserTables(db, schema)
    await createOtherTables(db, schema)
    await schema.makeAppendOnly(db, 'audit_events')
  },
}

const required = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull()
const unique = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull().unique()
const key = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull().primaryKey()

/** A reference to a row whose deletion deletes this one too. */
function partOf(target: string): (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder {
  return (column) => column.notNull().references(target).onDelete('cascade')
}

async function createClientTables(db: Kysely<unknown>, schema: SchemaDialect): Promise<void> {
  await schema
    .withId(db.schema.createTable('user_api_key_clients'))
    .addColumn('client_id', 'text', unique)
    .addColumn('application_name', 'text', required)
    .addColumn('public_key', 'text')
    .addColumn('auth_redirect', 'text')
    .addColumn('created_at', 'bigint', required)
    .execute()

  await schema
    .clustered(db.schema.createTable('user_api_key_client_scopes'))
    .addColumn('user_api_key_client_id', 'bigint', partOf('user_api_key_clients.id'))
    .addColumn('position', 'integer', required)
    .addColumn('name', 'text', required)
    .addPrimaryKeyConstraint('user_api_key_client_scopes_key', ['user_api_key_client_id', 'position'])
    .execute()
}

async function createUserApiKeyTables(db: Kysely<unknown>, schema: SchemaDialect): Promise<void> {
  await schema
    .withId(db.schema.createTable('user_api_keys'))
    .addColumn('user_id', 'text', required)
    .addColumn('user_api_key_client_id', 'bigint', partOf('user_api_key_clients.id'))
    .addColumn('key_hash', 'text', unique)
    .addColumn('push_url', 'text')
    .addColumn('created_at', 'bigint', required)
    .addColumn('last_used_at', 'bigint', required)
    .addColumn('revoked_at', 'bigint')
    .addColumn('expires_at', 'bigint')
    .execute()
  await createIndex(db, 'user_api_keys', ['user_id', 'created_at', 'id'])
  await createIndex(db, 'user_api_keys', ['user_api_key_client_id', 'user_id'])

  await schema
    .clustered(db.schema.createTable('user_api_key_scopes'))
    .addColumn('user_api_key_id', 'bigint', partOf('user_api_keys.id'))
    .addColumn('position', 'integer', required)
    .addColumn('name', 'text', required)
    .addColumn('allowed_parameters', 'text')
    .addPrimaryKeyConstraint('user_api_key_scopes_key', ['user_api_key_id', 'position'])
    .execute()
}

async function createApiKeyTables(db: Kysely<unknown>, schema: SchemaDialect): Promise<void> {
  await schema
    .withId(db.schema.createTable('api_keys'))
    .addColumn('user_id', 'text')
    .addColumn('created_by_id', 'text')
    .addColumn('key_hash', 'text', unique)
    .addColumn('truncated_key', 'text', required)
    .addColumn('description', 'text', required)
    .addColumn('created_at', 'bigint', required)
    .addColumn('updated_at', 'bigint', required)
    .addColumn('last_used_at', 'bigint')
    .addColumn('revoked_at', 'bigint')
    .execute()
  await createIndex(db, 'api_keys', ['revoked_at', 'created_at', 'id'])

  await schema
    .clustered(db.schema.createTable('api_key_scopes'))
    .addColumn('api_key_id', 'bigint', partOf('api_keys.id'))
    .addColumn('position', 'integer', required)
    .addColumn('resource', 'text', required)
    .addColumn('action', 'text', required)
    .addColumn('allowed_parameters', 'text')
    .addPrimaryKeyConstraint('api_key_scopes_key', ['api_key_id', 'position'])
    .execute()
}

async function createUserTables(db: Kysely<unknown>, schema: SchemaDialect): Promise<void> {
  await schema
    .withId(db.schema.createTable('users'))
    .addColumn('username', 'text', required)
    .addColumn('username_lower', 'text', unique)
    .addColumn('name', 'text', required)
    .addColumn('email', 'text', required)
    .addColumn('email_lower', 'text', required)
    .addColumn('password_hash', 'text', required)
    .addColumn('admin', 'integer', required)
    .addColumn('moderator', 'integer', required)
    .addColumn('trust_level', 'integer', required)
    .addColumn('active', 'integer', required)
    .addColumn('suspended_until', 'bigint')
    .addColumn('created_at', 'bigint', required)
    .execute()
  await createIndex(db, 'users', ['email_lower', 'id'])

  await db.schema
    .createTable('sessions')
    .addColumn('token_hash', 'text', key)
    .addColumn('user_id', 'text', required)
    .addColumn('created_at', 'bigint', required)
    .addColumn('expires_at', 'bigint', required)
    .execute()
  await createIndex(db, 'sessions', ['user_id'])
  await createIndex(db, 'sessions', ['expires_at'])
}

async function createOtherTables(db: Kysely<unknown>, schema: SchemaDialect): Promise<void> {
  await db.schema
    .createTable('authorization_requests')
    .addColumn('id', 'text', key)
    .addColumn('parameters', 'text', required)
    .addColumn('created_at', 'bigint', required)
    .addColumn('expires_at', 'bigint', required)
    .execute()
  await createIndex(db, 'authorization_requests', ['expires_at'])

  await db.schema
    .createTable('site_settings')
    .addColumn('name', 'text', key)
    .addColumn('value', 'text', required)
    .addColumn('updated_at', 'bigint', required)
    .execute()

  await db.schema
    .createTable('audit_events')
    .addColumn('sequence', schema.longInteger, key)
    .addColumn('at', 'bigint', required)
    .addColumn('actor_user_id', 'text')
    .addColumn('actor_via', 'text', required)
    .addColumn('actor_address', 'text')
    .addColumn('action', 'text', required)
    .addColumn('details', 'text', required)
    .addColumn('previous_hash', 'text', required)
    .addColumn('hash', 'text', required)
    .execute()
}

async function createIndex(db: Kysely<unknown>, table: string, columns: readonly string[]): Promise<void> {
  await db.schema
    .createIndex(`${table}_by_${columns.join('_')}`)
    .on(table)
    .columns([...columns])
    .execute()
}
