import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import { after, before, describe, type TestContext, test } from 'node:test'
import { sql } from 'kysely'
import type { StoreSession } from '../../src/domain/store.ts'
import { HallpassError } from '../../src/protocol/errors.ts'
import type { Database } from '../../src/storage/database.ts'
import { openPostgresStore } from '../../src/storage/open-store.ts'
import { postgresLocation } from '../../src/storage/postgres/address.ts'
import { openPostgres } from '../../src/storage/postgres/open-postgres.ts'
import { createStore } from '../../src/storage/store.ts'
import { auditRecord, hash, insertClient, now, userApiKey } from '../../src/testing/store-contract/samples.ts'
import { freshPostgresUrl, sharedPostgres } from '../fresh-postgres.ts'
import { databaseUrl, onServer } from '../postgres-template.ts'
import { type RunningPostgres, startPostgres } from '../running-postgres.ts'
import { freePort } from '../running-server.ts'

describe('openPostgres', () => {
  test('says where the database is, without the password', async (t) => {
    const url = new URL(await freshPostgresUrl())
    const database = await open(t, url.href)
    assert.equal(database.location, `postgres://postgres@${url.host}${url.pathname}`)
    assert.ok(!database.location.includes(url.password))
  })

  const role = `limited_${randomBytes(4).toString('hex')}`
  before(async () => {
    await onServer(await sharedPostgres(), `create role ${role} login password 'secret'`)
  })
  const failures: readonly (readonly [string, (url: URL) => unknown, string, RegExp])[] = [
    [
      'nothing listens',
      async (url) => Object.assign(url, { port: String(await freePort()) }),
      'database_unreachable',
      /nothing listens/,
    ],
    [
      'no such host',
      (url) => Object.assign(url, { hostname: 'nowhere.invalid' }),
      'database_unreachable',
      /host/,
    ],
    [
      'a wrong password',
      (url) => Object.assign(url, { password: 'wrong' }),
      'database_login_refused',
      /user and password/,
    ],
    [
      'no password',
      (url) => Object.assign(url, { password: '' }),
      'database_login_refused',
      /asks for a password, and none was given$/,
    ],
    [
      'an option with a value that it does not take',
      (url) => url.searchParams.set('statement_timeout', 'abc'),
      'configuration_invalid',
      /does not take a value in the address/,
    ],
    [
      'an sslmode that there is not',
      (url) => url.searchParams.set('sslmode', 'bogus'),
      'configuration_invalid',
      /sslmode/,
    ],
    [
      'no such database',
      (url) => Object.assign(url, { pathname: '/nowhere' }),
      'database_not_found',
      /does not exist/,
    ],
    [
      'no right to make tables',
      (url) => Object.assign(url, { username: role, password: 'secret' }),
      'database_not_writable',
      /does not let this user keep tables/,
    ],
    [
      'a server without TLS where it is asked for',
      (url) => url.searchParams.set('sslmode', 'verify-full'),
      'database_unreachable',
      /TLS/,
    ],
  ]
  for (const [what, change, reason, message] of failures) {
    test(`explains ${what}, and how to mend it`, async () => {
      const url = new URL(await freshPostgresUrl({ empty: true }))
      await change(url)
      const error = await refusalOf(openPostgresStore({ url: url.href }))
      assert.equal(error.reason, reason, error.message)
      assert.match(error.message, message)
      assert.ok(error.remedy)
      assert.ok(!`${error.message}${error.remedy}`.includes('secret'))
    })
  }

  // What is behind the first @ would be asked of name servers, and said in the log.
  for (const password of [
    'sec/ret',
    'sec@ret',
    'p@sec/w',
    'sec#ret',
    '12?sec',
    '12/sec',
    'sec%',
    'p@sec/w#rd%?&x',
  ]) {
    test(`refuses an address with the password ${password} as it is, and does not repeat it`, async () => {
      const error = await refusalOf(openPostgres({ url: `postgres://user:${password}@127.0.0.1:1/x` }))
      assert.equal(error.reason, 'configuration_invalid')
      assert.doesNotMatch(error.message, /sec/)
      assert.match(error.remedy, /%40/)
    })
  }

  test('says which socket it is', () => {
    assert.equal(postgresLocation('postgres:///hall?host=/run/pg'), 'postgres:///hall?host=/run/pg')
    assert.equal(postgresLocation('postgres:///hall'), 'postgres://localhost/hall')
    assert.equal(postgresLocation('postgres://a%40b:c%2Fd@[::1]:5/hall?x=y'), 'postgres://a@b@[::1]:5/hall')
  })

  test('refuses a database that keeps text in another encoding', async () => {
    const server = await sharedPostgres()
    const name = `latin_${randomBytes(4).toString('hex')}`
    await onServer(server, `create database ${name} encoding 'LATIN1' locale 'C' template template0`)
    const error = await refusalOf(openPostgres({ url: databaseUrl(server, name) }))
    assert.equal(error.reason, 'database_unreadable')
    assert.match(error.remedy, /UTF8/)
  })

  test('gives up on a server that accepts and does not answer', async (t) => {
    const silent = createServer().listen(0, '127.0.0.1')
    t.after(() => silent.close())
    await new Promise((resolve) => silent.once('listening', resolve))
    const address = silent.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const error = await refusalOf(openPostgres({ url: `postgres://u:p@127.0.0.1:${port}/x` }))
    assert.equal(error.reason, 'database_unreachable')
  })

  test('gives big integers as numbers', async (t) => {
    const database = await open(t)
    const { rows } = await sql<{ big: unknown }>`select ${2 ** 53 - 1}::bigint as big`.execute(
      database.tables<unknown>(),
    )
    assert.equal(rows[0]?.big, 2 ** 53 - 1)
  })

  test('texts are compared byte by byte, whatever the language of the database', async (t) => {
    const store = await createStore(await open(t))
    for (const name of ['b', 'B', 'a', 'ä', '_']) await store.settings.put({ name, value: '', updatedAt: 1 })
    assert.deepEqual(
      (await store.settings.all()).map(({ name }) => name),
      ['B', '_', 'a', 'b', 'ä'],
    )
  })

  // Anybody can send such text; a query that fails for it would answer 500.
  test('takes text with NUL and with half a surrogate pair, to write and to look up', async (t) => {
    const store = await createStore(await open(t))
    await store.clients.insert({ clientId: 'a\0b', applicationName: 'x\ud800y', createdAt: now })
    assert.equal((await store.clients.findByClientId('a\0b'))?.applicationName, 'x\ufffdy')
    assert.equal(await store.accounts.findByLogin('ali\0ce'), undefined)
  })

  // A cold look-up among ten million keys must not grow with their number.
  test('finds a key by its hash by one index, for keys, clients and scopes, in a statement prepared once', async (t) => {
    const database = await open(t)
    const store = await createStore(database)
    const client = await insertClient(store)
    await store.userApiKeys.insert(userApiKey(client))
    const db = database.tables<unknown>()
    await sql`insert into user_api_keys (user_id, user_api_key_client_id, key_hash, created_at, last_used_at)
      select number::text, ${client.id}, 'hash ' || number, 1, 1 from generate_series(1, 20000) as number`.execute(
      db,
    )
    await sql`insert into user_api_key_scopes select id, 0, 'read', null from user_api_keys where key_hash like 'hash%'`.execute(
      db,
    )
    await sql`analyze`.execute(db)
    await store.userApiKeys.findByHash(hash('a'))
    await db.connection().execute(async (one) => {
      const connection = await createStoreOn(database, one)
      await connection.userApiKeys.findByHash(hash('a'))
      await connection.userApiKeys.findByHash(hash('b'))
      const { rows } = await sql<{ statement: string; runs: number }>`
        select statement, generic_plans + custom_plans as runs from pg_prepared_statements
      `.execute(one)
      const prepared = rows.find(({ statement }) => statement.includes('user_api_keys'))
      assert.ok(prepared && prepared.runs >= 2)
      const { rows: plan } = await sql<{ 'QUERY PLAN': string }>`
        explain ${sql.raw(prepared.statement.replace('$1', `'${hash('a')}'`))}
      `.execute(one)
      const lines = plan.map((row) => row['QUERY PLAN']).join('\n')
      assert.match(lines, /Index Scan using user_api_keys_key_hash_key/)
      assert.match(lines, /user_api_key_scopes_key/)
      assert.doesNotMatch(lines, /Seq Scan on user_api_key(s|_scopes)/)
    })
  })

  test('audit_events is append-only: rows can be changed by nobody, nor all at once', async (t) => {
    const database = await open(t)
    const store = await createStore(database)
    await store.audit.append(auditRecord(1))
    for (const change of [
      `update audit_events set details = '{}'`,
      'delete from audit_events',
      'truncate audit_events',
      `insert into audit_events select * from audit_events on conflict (sequence) do update set details = '{}'`,
    ]) {
      const attempt = sql.raw(change).execute(database.tables<unknown>())
      await assert.rejects(attempt, /audit_events is append-only/, change)
    }
    assert.deepEqual(await store.audit.last(), auditRecord(1))
  })
})

describe('writing transactions of several nodes on PostgreSQL', () => {
  test('wait for each other, and none is lost', async (t) => {
    const url = await freshPostgresUrl()
    const stores = await Promise.all([1, 2, 3].map(() => openPostgresStore({ url })))
    t.after(() => Promise.all(stores.map((store) => store.close())))
    const increments = stores.flatMap((store) =>
      Array.from({ length: 20 }, () =>
        store.transaction(async (session) => {
          const [count] = await session.settings.all()
          const value = String(Number(count?.value ?? 0) + 1)
          await session.settings.put({ name: 'count', value, updatedAt: now })
        }),
      ),
    )
    await Promise.all(increments)
    assert.equal((await stores[0]?.settings.all())?.[0]?.value, '60')
  })

  test('lists of other nodes do not wait for them', async (t) => {
    const url = await freshPostgresUrl()
    const [writer, reader] = [await openPostgresStore({ url }), await openPostgresStore({ url })]
    t.after(() => Promise.all([writer.close(), reader.close()]))
    await writer.transaction(async (session) => {
      await session.audit.append(auditRecord(1))
      assert.deepEqual(await reader.apiKeys.list({ offset: 0, limit: 9 }), [])
    })
  })
})

describe('a PostgreSQL server that ends and comes back', () => {
  let server: RunningPostgres
  before(async () => {
    server = await startPostgres({ durable: true })
  })
  after(() => server.stop())

  test('is told of once, and heard of again; queries fail meanwhile and work afterwards; what was committed is there', async (t) => {
    const store = await openPostgresStore({ url: server.url })
    t.after(() => store.close())
    const other = await openPostgresStore({ url: server.url })
    t.after(() => other.close())
    const heard = signal()
    const lost = signal()
    await store.watch({ onCommit: heard.raise, onLost: lost.raise })
    const first = heard.next()
    await other.transaction((session) => change(session, 1))
    await first
    await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        other.transaction((session) => session.audit.append(auditRecord(index + 2))),
      ),
    )

    const down = lost.next()
    await server.kill9()
    await down
    await assert.rejects(store.ping())
    await assert.rejects(store.transaction((session) => session.audit.append(auditRecord(62))))
    const again = heard.next()
    await server.start()
    await again
    assert.equal((await store.audit.last())?.sequence, 61)
    await store.transaction((session) => session.audit.append(auditRecord(62)))
    const told = heard.next()
    await other.transaction((session) => change(session, 63))
    await told
  })
})

/** A change that others have to hear of, with its entry in the audit log. */
async function change(session: StoreSession, sequence: number): Promise<void> {
  await session.audit.append(auditRecord(sequence))
  const changes = [{ kind: 'user', value: '7' }] as const
  await session.changes.append({ sequence, at: now, origin: 'another', changes })
}

async function open(t: TestContext, url?: string): Promise<Database> {
  const database = await openPostgres({ url: url ?? (await freshPostgresUrl()) })
  t.after(() => database.close())
  return database
}

/** A store whose every query runs on one connection. */
function createStoreOn(database: Database, one: ReturnType<Database['tables']>) {
  return createStore({
    ...database,
    tables: <Tables>() => one as unknown as ReturnType<typeof database.tables<Tables>>,
  })
}

/** Something that happens again and again, and can be waited for. */
function signal(): { raise(): void; next(): Promise<void> } {
  let waiting = Promise.withResolvers<void>()
  return {
    raise() {
      waiting.resolve()
      waiting = Promise.withResolvers<void>()
    },
    next: () => waiting.promise,
  }
}

async function refusalOf(work: Promise<{ close(): Promise<void> }>): Promise<HallpassError> {
  const error = await work.then(
    async (opened) => {
      await opened.close()
      assert.fail('it went through')
    },
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof HallpassError, String(error))
  return error
}
