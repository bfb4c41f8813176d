/** A PostgreSQL database with as many keys as are asked for, filled by the server itself. */
import type pg from 'pg'
import { openPostgresStore } from '../../src/storage/open-store.ts'
import type { RunningPostgres } from '../measure/postgres.ts'
import { fewestUsers, usersOf } from './keys.ts'
import { fillForm } from './sqlite.ts'

const batch = 500_000
const tables = ['users', 'user_api_key_clients', 'user_api_keys', 'user_api_key_scopes']

/** The name of the database with `keys` keys. */
export function postgresName(keys: number): string {
  return `bench_${keys}_${fillForm}`
}

/** Whether {@link fillPostgres} has finished with that many keys. */
export async function isFilled(server: RunningPostgres, keys: number): Promise<boolean> {
  let found = false
  await server.run('postgres', async (client) => {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [
      postgresName(keys),
    ])
    found = rowCount === 1
  })
  return found
}

/** Makes and fills the database; `server` was started for filling. */
export async function fillPostgres(
  server: RunningPostgres,
  keys: number,
  progress: (text: string) => void,
): Promise<void> {
  const unfinished = `${postgresName(keys)}_unfinished`
  await server.run('postgres', async (client) => {
    await client.query(`drop database if exists ${unfinished} with (force)`)
    await client.query(`create database ${unfinished}`)
  })
  await (await openPostgresStore({ url: server.url(unfinished) })).close()
  await server.run(unfinished, async (client) => {
    const rebuilt = await dropIndexes(client)
    // The tables are emptied and filled in one transaction, so that none of it goes through the log.
    await client.query('begin')
    await client.query(`truncate ${tables.join(', ')} cascade`)
    // No look at the other table for every row: what is filled in fits together.
    await client.query('set local session_replication_role = replica')
    await insertAll(client, keys, progress)
    await client.query('commit')
    for (const statement of rebuilt) {
      if (keys > batch) progress(`filling PostgreSQL: ${statement.slice(0, 80)}`)
      await client.query(statement)
    }
    await insertSessions(client)
    await client.query('vacuum analyze')
    await client.query('checkpoint')
  })
  await server.run('postgres', async (client) => {
    await client.query(`alter database ${unfinished} rename to ${postgresName(keys)}`)
  })
}

/** Drops every index but those of primary keys; answers with what makes them again. */
async function dropIndexes(client: pg.Client): Promise<readonly string[]> {
  const { rows: constraints } = await client.query<{ table: string; name: string; definition: string }>(
    `select conrelid::regclass::text as table, conname as name, pg_get_constraintdef(oid) as definition
      from pg_constraint where contype = 'u' and conrelid::regclass::text = any($1)`,
    [tables],
  )
  for (const { table, name } of constraints)
    await client.query(`alter table ${table} drop constraint "${name}"`)
  const { rows: indexes } = await client.query<{ name: string; definition: string }>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
      from pg_index where not indisprimary and indrelid::regclass::text = any($1)`,
    [tables],
  )
  for (const { name } of indexes) await client.query(`drop index ${name}`)
  return [
    ...constraints.map(
      ({ table, name, definition }) => `alter table ${table} add constraint "${name}" ${definition}`,
    ),
    ...indexes.map(({ definition }) => definition),
  ]
}

/** What fill/sqlite.ts fills in, in the words of PostgreSQL; key texts as fill/keys.ts makes them. */
async function insertAll(client: pg.Client, keys: number, progress: (text: string) => void): Promise<void> {
  const users = usersOf(keys)
  const now = Date.now()
  await client.query(
    `insert into users (id, username, username_lower, name, email, email_lower, password_hash, admin, moderator,
      trust_level, active, created_at)
    select n, 'user' || n, 'user' || n, 'User ' || n, 'user' || n || '@example.com', 'user' || n || '@example.com', '',
      0, 0, 1, 1, ${now} from generate_series(1, ${users}) as n`,
  )
  for (let from = 1; from <= keys; from += batch) {
    const to = Math.min(keys, from + batch - 1)
    const series = `generate_series(${from}, ${to}) as n`
    await client.query(`
      insert into user_api_key_clients (id, client_id, application_name, created_at)
      select n, 'bench-client-' || lpad(n::text, 19, '0'), 'Bench app', ${now} from ${series}`)
    await client.query(`
      insert into user_api_keys (id, user_id, user_api_key_client_id, key_hash, created_at, last_used_at, revoked_at)
      select n, ((n - 1) % ${users} + 1)::text, n,
        encode(sha256(convert_to(md5('bench key ' || n), 'UTF8')), 'hex'), ${now}, ${now},
        case when n % 100 = 0 then ${now} end from ${series}`)
    await client.query(`
      insert into user_api_key_scopes (user_api_key_id, position, name)
      select n, position, case when n % 100 = 1 then 'notifications' else name end
      from ${series}, (values (0, 'read'), (1, 'write')) as scope (position, name)
      where n % 100 <> 1 or position = 0`)
    if (keys > batch)
      progress(`filling PostgreSQL: ${to.toLocaleString('en')} of ${keys.toLocaleString('en')} keys`)
  }
  for (const [table, last] of [
    ['users', users],
    ['user_api_key_clients', keys],
    ['user_api_keys', keys],
  ]) {
    await client.query(`select setval(pg_get_serial_sequence('${table}', 'id'), ${last})`)
  }
}

async function insertSessions(client: pg.Client): Promise<void> {
  const now = Date.now()
  await client.query(
    `insert into sessions (token_hash, user_id, created_at, expires_at)
    select encode(sha256(convert_to(encode(sha256(convert_to('bench session ' || n, 'UTF8')), 'hex'), 'UTF8')), 'hex'),
      n::text, ${now}, ${now + 3000 * 86_400_000} from generate_series(1, ${fewestUsers}) as n`,
  )
}
