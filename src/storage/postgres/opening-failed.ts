import { type Kysely, sql } from 'kysely'
import { HallpassError } from '../../protocol/errors.ts'

/** The oldest version of PostgreSQL that its makers still mend; Hallpass is tested with the newest. */
const oldestVersion = 14

/**
 * Asks the server what Hallpass needs of it.
 *
 * @throws HallpassError `database_too_old`, `database_unreadable` or `database_not_writable`, and as the connection does
 */
export async function checkServer(db: Kysely<unknown>, location: string): Promise<void> {
  const { rows } = await sql<{ version: string; encoding: string; standby: boolean; schema: string | null }>`
    select current_setting('server_version_num') as version, current_setting('server_encoding') as encoding,
      pg_is_in_recovery() as standby, current_schema() as schema
  `.execute(db)
  const server = rows[0]
  const major = Math.floor(Number(server?.version) / 10_000)
  if (major < oldestVersion) {
    throw new HallpassError(
      'database_too_old',
      `the database ${location} is on PostgreSQL ${major}; hallpass needs ${oldestVersion} or newer`,
      `upgrade the server to PostgreSQL ${oldestVersion} or newer`,
    )
  }
  if (server?.encoding !== 'UTF8') {
    throw new HallpassError(
      'database_unreadable',
      `the database ${location} keeps text as ${server?.encoding}, in which not every text can be written`,
      "make a database for hallpass with the encoding UTF8: create database name encoding 'UTF8' template template0",
    )
  }
  if (server.standby) {
    throw new HallpassError(
      'database_not_writable',
      `the database ${location} is a standby server, which only reads`,
      'name the primary server',
    )
  }
  if (server.schema === null) {
    throw new HallpassError(
      'database_not_writable',
      `the database ${location} has no schema in which this user may keep tables`,
      'create one and name it in search_path: create schema hallpass; alter role … set search_path to hallpass',
    )
  }
}

interface Explanation {
  readonly reason: string
  /** Goes on after «the database LOCATION». */
  readonly problem: string
  readonly remedy: string
  /** Whether the complaint itself adds nothing. */
  readonly isWhole?: boolean
}

const unreachable = {
  reason: 'database_unreachable',
  problem: 'cannot be reached',
  remedy:
    'start the server, or mend host and port in the address (DATABASE_URL or --database); from another machine it must listen there (listen_addresses) and no firewall may be between',
}

const loginRefused = {
  reason: 'database_login_refused',
  problem: 'refuses this user and password',
  remedy:
    'mend user and password in the address (DATABASE_URL or --database), or PGPASSWORD; the server’s pg_hba.conf says who may come from where',
}

const noPassword = {
  ...loginRefused,
  problem: 'asks for a password, and none was given',
  remedy: 'give it as PGPASSWORD, or in the address (DATABASE_URL), with percent-encoding',
  /** What the driver says of it is about its own code. */
  isWhole: true,
}

const noRights = {
  reason: 'database_not_writable',
  problem: 'does not let this user keep tables',
  remedy:
    'make the user the owner of the database: alter database name owner to user; or let it create tables: grant all on schema public to user',
}

const busy = {
  reason: 'database_busy',
  problem: 'takes no further connections',
  remedy:
    'raise max_connections of the server, or lower the pools of those that use it (HALLPASS_DATABASE_POOL, for each process)',
}

/** By the codes of the system and of PostgreSQL (SQLSTATE, postgresql.org/docs/current/errcodes-appendix.html). */
const explanations: Readonly<Record<string, Explanation>> = {
  ECONNREFUSED: { ...unreachable, problem: 'cannot be reached: nothing listens there' },
  ENOTFOUND: { ...unreachable, problem: 'cannot be reached: no such host is known' },
  EAI_AGAIN: { ...unreachable, problem: 'cannot be reached: no such host is known at the moment' },
  ENOENT: { ...unreachable, problem: 'cannot be reached: there is no such socket' },
  ETIMEDOUT: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ECONNRESET: { ...unreachable, problem: 'ended the connection' },
  '57P03': {
    ...unreachable,
    problem: 'is starting up or shutting down',
    remedy: 'wait a moment and start again',
  },
  '28P01': loginRefused,
  '28000': loginRefused,
  noPassword,
  '22023': {
    reason: 'configuration_invalid',
    problem: 'does not take a value in the address',
    remedy: 'mend the option behind the ? of the address; times are numbers of milliseconds',
  },
  '3D000': {
    reason: 'database_not_found',
    problem: 'does not exist',
    remedy: 'create it: createdb name, or mend the name at the end of the address',
  },
  '42501': noRights,
  '25006': { ...noRights, problem: 'is read-only', remedy: 'name the primary server' },
  '53100': {
    reason: 'database_not_writable',
    problem: 'has no room left on its disk',
    remedy: 'make room on the disk of the server',
  },
  '53300': busy,
  '57014': {
    ...busy,
    problem: 'is held by a transaction that does not end',
    remedy: 'see which it is in pg_stat_activity, end it, and start again',
  },
}

/** What is told by its words rather than by a code, and what means the same. */
const wordings: readonly (readonly [RegExp, string])[] = [
  [/timeout expired|connection timeout|Query read timeout/i, 'ETIMEDOUT'],
  [/Connection terminated/i, 'ECONNRESET'],
  [/password must be a string|empty password|no password/i, 'noPassword'],
]

/**
 * Turns what was complained of while a database was opened into a HallpassError that says what is wrong and how to mend
 * it. Answers with any other error as it is.
 */
export function openingFailed(location: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof HallpassError) return error
  const { message } = error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  const wording = wordings.find(([pattern]) => pattern.test(message))?.[1]
  const explanation = explanations[wording ?? code ?? '']
  if (explanation === undefined) {
    if (!/ssl|tls|certificate/i.test(`${message} ${code}`)) return error
    return new HallpassError(
      'database_unreachable',
      `the database ${location} cannot be reached over TLS: ${message}`,
      'say in the address what its certificate is: sslmode=verify-full with sslrootcert=FILE, or sslmode=disable for none',
      { cause: error },
    )
  }
  const { reason, problem, remedy, isWhole } = explanation
  const detail = message === '' || isWhole ? '' : ` (${message})`
  return new HallpassError(reason, `the database ${location} ${problem}${detail}`, remedy, { cause: error })
}
