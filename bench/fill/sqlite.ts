/** A SQLite store with as many keys as are asked for, filled as fast as SQLite can. */
import { hash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openSqliteStore } from '../../src/storage/open-store.ts'
import { fewestUsers, keyText, sessionToken, usersOf } from './keys.ts'

/**
 * Changes with what is filled in: a store of another form is not used again. Tables that Hallpass has changed meanwhile
 * are no reason, because it brings a store up to date when it opens it.
 */
export const fillForm = 'v1'

/** Rows that are inserted by one statement. */
const batch = 200_000

/**
 * The data folder of a store with `keys` keys, as `hallpass serve --data` takes it; filled when it is not in `cache`. It
 * is shared by all that is measured and grows by what they issue: copy it before revoking anything.
 */
export async function filledSqlite(
  cache: string,
  keys: number,
  progress: (text: string) => void,
): Promise<string> {
  const folder = join(cache, `sqlite-${keys}-${fillForm}`)
  if (existsSync(folder)) return folder
  const unfinished = `${folder}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true, mode: 0o700 })
  const path = join(unfinished, 'hallpass.sqlite')
  const store = await openSqliteStore({ path })
  await store.close()
  fill(path, keys, progress)
  renameSync(unfinished, folder)
  return folder
}

function fill(path: string, keys: number, progress: (text: string) => void): void {
  const db = new DatabaseSync(path)
  db.exec(fastPragmas)
  db.function('key_hash', { deterministic: true }, (n) => hash('sha256', keyText(Number(n))))
  const indexes = db
    .prepare(`select name, sql from sqlite_schema where type = 'index' and sql is not null and tbl_name in
      ('user_api_key_clients', 'user_api_keys', 'user_api_key_scopes', 'users')`)
    .all()
  for (const { name } of indexes) db.exec(`drop index "${name}"`)
  const now = Date.now()
  const users = usersOf(keys)
  inBatches(users, (from, to) => db.exec(insertUsers(from, to, now)))
  inBatches(keys, (from, to) => {
    db.exec('begin')
    for (const statement of insertKeys(from, to, users, now)) db.exec(statement)
    db.exec('commit')
    if (keys > batch)
      progress(`filling SQLite: ${to.toLocaleString('en')} of ${keys.toLocaleString('en')} keys`)
  })
  const session = db.prepare(
    'insert into sessions (token_hash, user_id, created_at, expires_at) values (?, ?, ?, ?)',
  )
  for (let id = 1; id <= fewestUsers; id += 1) {
    session.run(hash('sha256', sessionToken(id)), String(id), now, now + 3000 * 86_400_000)
  }
  for (const { name, sql } of indexes) {
    if (keys > batch) progress(`filling SQLite: index ${name}`)
    db.exec(String(sql))
  }
  db.exec('pragma journal_mode = wal')
  db.close()
}

/** Nothing is lost when this breaks off: the database is begun anew. */
const fastPragmas = `
  pragma journal_mode = off;
  pragma synchronous = off;
  pragma foreign_keys = off;
  pragma locking_mode = exclusive;
  pragma cache_size = -2000000;
`

function inBatches(count: number, work: (from: number, to: number) => void): void {
  for (let from = 1; from <= count; from += batch) work(from, Math.min(count, from + batch - 1))
}

const series = (from: number, to: number): string =>
  `with recursive series(n) as (select ${from} union all select n + 1 from series where n < ${to})`

function insertUsers(from: number, to: number, now: number): string {
  return `${series(from, to)}
    insert into users (id, username, username_lower, name, email, email_lower, password_hash, admin, moderator,
      trust_level, active, created_at)
    select n, 'user' || n, 'user' || n, 'User ' || n, 'user' || n || '@example.com', 'user' || n || '@example.com', '',
      0, 0, 1, 1, ${now} from series`
}

/** Every key is of a client of its own, as with apps that make their client id on each device. */
function insertKeys(from: number, to: number, users: number, now: number): readonly string[] {
  return [
    `${series(from, to)}
      insert into user_api_key_clients (id, client_id, application_name, created_at)
      select n, printf('bench-client-%019d', n), 'Bench app', ${now} from series`,
    `${series(from, to)}
      insert into user_api_keys (id, user_id, user_api_key_client_id, key_hash, created_at, last_used_at, revoked_at)
      select n, cast((n - 1) % ${users} + 1 as text), n, key_hash(n), ${now}, ${now},
        case when n % 100 = 0 then ${now} end from series`,
    `${series(from, to)}
      insert into user_api_key_scopes (user_api_key_id, position, name)
      select n, position, case when n % 100 = 1 then 'notifications' else name end
      from series, (select 0 as position, 'read' as name union all select 1, 'write')
      where n % 100 <> 1 or position = 0`,
  ]
}
