/**
 * Whether an error says that the database cannot be asked at the moment, rather than that it was asked for something
 * wrong: SQLite’s result codes (sqlite.org/rescode.html), PostgreSQL’s SQLSTATE, what the system says of a connection, and
 * the drivers’ words where they give no code.
 */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown }
  if (typeof errcode === 'number') return sqliteCodes.includes(errcode & 0xff)
  if (typeof code === 'string' && (systemCodes.includes(code) || sqlStates.test(code))) return true
  return driverWords.test(error.message)
}

/** BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL. */
const sqliteCodes = [5, 6, 8, 10, 13, 14, 15]

const systemCodes = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
]

/** The connection; too few resources; the server shuts down or starts; a server that only answers questions. */
const sqlStates = /^(?:08...|53...|57P0.|25006)$/

const driverWords =
  /^(?:database is not open|statement has been finalized|driver has already been destroyed|connection terminated|timeout exceeded when trying to connect|query read timeout|client has encountered a connection error|cannot use a pool after calling end|client was closed)/i
