import type { PostgresPool, PostgresPoolClient } from 'kysely'
import type { Pool, PoolClient, PoolConfig } from 'pg'
import { preparedTexts } from '../prepared-query.ts'

/** How long a query may take until somebody says it, in milliseconds: a little longer than the server itself allows. */
export const silentAfterMs = 12_000

/**
 * What every connection is opened with; the options of the address are stronger.
 *
 * - `connectionTimeoutMillis`: as long as SQLite waits for its file; then the request fails, and the next may succeed
 * - `statement_timeout`: no query of Hallpass takes a second; what takes ten waits for something that does not come
 * - `query_timeout`: the same when the server cannot even say so, because the network is gone; a running Hallpass says itself how
 *   long it waits
 * - `idle_in_transaction_session_timeout`: a node that stops in the middle of a transaction holds the lock for writing,
 *   so the server ends it for all others; it is longer than any pause of a process that goes on
 * - `keepAlive`, `tcp_keepalives_*`: both ends notice within half a minute that the other is gone
 * - `idleTimeoutMillis`, `maxLifetimeSeconds`: a pool shrinks when the load is over, and finds a new primary within an hour
 */
export const connectionOptions: PoolConfig = {
  application_name: 'hallpass',
  connectionTimeoutMillis: 5000,
  statement_timeout: 10_000,
  query_timeout: silentAfterMs,
  idle_in_transaction_session_timeout: 10_000,
  keepAlive: true,
  keepAliveInitialDelayMillis: 5000,
  idleTimeoutMillis: 30_000,
  maxLifetimeSeconds: 3600,
}

/** Said in a transaction that may take as long as it takes; until its end, nothing on its connection is timed. */
export const withoutTimeouts =
  'set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0'

/** In the words of `pg`'s own time limit, see {@link within}. */
class Unanswered extends Error {
  override message = 'Query read timeout'
}

/** The system's own, also where a test has put the clock into its own hands. */
const [later, afterThisTurn] = [setTimeout, setImmediate] as const

/**
 * The answer, or {@link Unanswered} where it does not come in time. A process that stood still finds that the time is over
 * before it has read the answer that is there; `pg`'s own limit would give that up, and the connection with it.
 */
function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = later(() => afterThisTurn(() => reject(new Unanswered())), ms)
    const settle = (): void => clearTimeout(timer)
    answer.finally(settle).then(resolve, reject)
  })
}

/** What a statement answers that has no rows. */
const nothing = { command: '', rowCount: 0, rows: [] }

/** The longest that a timer waits, in milliseconds: 24 days. */
const practicallyForever = 2 ** 31 - 1

/**
 * A pool in the shape that Kysely expects, which prepares the statements that every request may need, once on each
 * connection, lets nothing through that PostgreSQL refuses to keep, and gives up a query, and its connection, that is not
 * answered within `timeoutMs`.
 */
export function preparingPool(pool: Pool, timeoutMs: () => number): PostgresPool {
  const clients = new WeakMap<PoolClient, PostgresPoolClient>()
  return {
    options: pool.options,
    async connect() {
      const client = await pool.connect()
      const known = clients.get(client) ?? preparingClient(client, timeoutMs)
      clients.set(client, known)
      return known
    },
    end: () => pool.end(),
  }
}

function preparingClient(client: PoolClient, timeoutMs: () => number): PostgresPoolClient {
  let broken = false
  let unanswered: Error | undefined
  let timed = true

  async function query(text: string, parameters: readonly unknown[]): Promise<unknown> {
    if (unanswered) {
      // The end of the connection, which is what becomes of it, undoes the same.
      if (text === 'rollback') return nothing
      throw unanswered
    }
    if (text === withoutTimeouts) timed = false
    else if (text === 'commit' || text === 'rollback') timed = true
    const answer = client.query({
      text,
      values: parameters.map(storable),
      ...(preparedTexts.has(text) && { name: nameOf(text) }),
      query_timeout: practicallyForever,
    } as { text: string })
    try {
      return await (timed ? within(timeoutMs(), answer) : answer)
    } catch (error) {
      // It still waits for the answer that did not come, or is still in a transaction: it is of no use to others.
      if (error instanceof Unanswered) unanswered = error
      broken ||= text === 'rollback' || unanswered !== undefined
      throw error
    }
  }

  return {
    query: query as PostgresPoolClient['query'],
    release: (destroy = false) => client.release(destroy || broken),
  }
}

/**
 * A value as PostgreSQL can keep it. Its texts hold every character but NUL, which becomes U+FFFD, the character that
 * stands for what cannot be written; half a surrogate pair becomes that on its way to every database.
 */
export function storable(value: unknown): unknown {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value
}

const names = new Map<string, string>()

/** Names of prepared statements belong to a connection, so it is enough that they differ within a process. */
function nameOf(text: string): string {
  const name = names.get(text) ?? `hallpass_${names.size + 1}`
  names.set(text, name)
  return name
}
