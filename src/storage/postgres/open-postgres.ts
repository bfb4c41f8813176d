import { randomUUID } from 'node:crypto'
import { Kysely, sql } from 'kysely'
import type { Pool } from 'pg'
import type { Database } from '../database.ts'
import { refuseQueriesBesideTransaction, transactionsOver } from '../transaction.ts'
import { postgresLocation } from './address.ts'
import { SerialPostgresDialect } from './dialect.ts'
import { type ListeningConnection, listen } from './listen.ts'
import { changesChannel, notice } from './notice.ts'
import { checkServer, openingFailed } from './opening-failed.ts'
import { connectionOptions, preparingPool, silentAfterMs } from './pool.ts'
import { promptClient } from './prompt-client.ts'
import { postgresSchema } from './schema-dialect.ts'
import { Sockets } from './sockets.ts'

export interface PostgresOptions {
  /**
   * Address of the database, such as `postgres://user:password@host:5432/name?sslmode=verify-full`. What it leaves out
   * is taken from the variables that PostgreSQL's own programs read, such as `PGPASSWORD`.
   */
  readonly url: string
  /**
   * How many connections there may be at once. Default 10: one writes, the others read, and a reading takes less than
   * a millisecond.
   */
  readonly poolSize?: number
}

/**
 * Opens a PostgreSQL database; its tables are up to `createStore` and `migrate`. A commit that was acknowledged
 * survives whatever the server's `synchronous_commit` promises: by default the end of the server and a power cut.
 *
 * A connection that is lost later makes the query fail that needed it; the next query makes another.
 *
 * @throws HallpassError `configuration_invalid`, `database_unreachable`, `database_login_refused`,
 * `database_not_found`, `database_not_writable`, `database_busy`, `database_too_old` or `database_unreadable`
 */
export async function openPostgres({ url, poolSize = 10 }: PostgresOptions): Promise<Database> {
  const location = postgresLocation(url)
  // Only now: a server on SQLite need not load it.
  const { default: pg } = await import('pg')
  const config = {
    ...connectionOptions,
    connectionString: url,
    types: {
      // Times and counts are below 2^53; text, as which a bigint comes by default, would be no number any more.
      getTypeParser: (type: number, format?: 'text' | 'binary') =>
        type === int8 ? Number : pg.types.getTypeParser(type, format as 'text'),
    } as typeof pg.types,
  }
  const sockets = new Sockets()
  const pool: Pool = new pg.Pool({
    ...config,
    max: poolSize,
    // For those that the pool gives up while it goes on.
    Client: promptClient(pg.Client),
    stream: sockets.create,
  })
  // Whoever uses the connection hears of its end by the query that fails. Unheard, it would end the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => void client.on('error', () => {}))
  let timeoutMs = (): number => silentAfterMs
  const kysely: Kysely<unknown> = new Kysely<unknown>({
    dialect: new SerialPostgresDialect({ pool: preparingPool(pool, () => timeoutMs()) }),
    plugins: [refuseQueriesBesideTransaction(() => kysely)],
  })
  try {
    await checkServer(kysely, location)
  } catch (error) {
    await sockets.endWithin(listenerPatienceMs, () => kysely.destroy())
    throw openingFailed(location, error)
  }

  async function connect(signal: AbortSignal): Promise<ListeningConnection> {
    const own = new Sockets()
    const client = new pg.Client({ ...config, stream: own.create })
    client.on('error', () => {})
    const end = () => own.endWithin(listenerPatienceMs, () => client.end().catch(() => {}))
    signal.addEventListener('abort', own.takeAway)
    try {
      await client.connect()
      return { client, end }
    } catch (error) {
      await end()
      throw error
    } finally {
      signal.removeEventListener('abort', own.takeAway)
    }
  }

  // By this it knows its own commits, of which it need not hear.
  const origin = randomUUID()
  const watching = new Set<() => Promise<void>>()
  let closing: Promise<void> | undefined

  async function close(): Promise<void> {
    await Promise.all([...watching].map((stop) => stop()))
    await sockets.endWithin(closePatienceMs, async () => {
      await transactionsOver(kysely)
      await kysely.destroy()
    })
  }

  return {
    tables: <Tables>() => kysely as Kysely<Tables>,
    schema: postgresSchema,
    explain: (error) => openingFailed(location, error),
    location,
    giveUpAfter(given) {
      timeoutMs = given
    },
    async watch(listener) {
      if (closing) throw new Error('the database is closed')
      const end = await listen(connect, origin, listener)
      const stop = async (): Promise<void> => {
        watching.delete(stop)
        await end()
      }
      watching.add(stop)
      return stop
    },
    async announce(db, changes) {
      await sql`select pg_notify(${changesChannel}, ${notice(origin, changes)})`.execute(db)
    },
    close() {
      closing ??= close()
      return closing
    },
  }
}

/** How long the transactions that were asked for have until the database is closed without them, in milliseconds. */
const closePatienceMs = 5000

/** The same for a connection that only listens, which owes nobody anything. */
const listenerPatienceMs = 500

/** The number that PostgreSQL has for the type bigint. */
const int8 = 20
