import { HallpassError } from '../../protocol/errors.ts'

/**
 * Turns what SQLite or the system complained about while a database was opened into a HallpassError that says what is
 * wrong and how to mend it: `database_busy`, `database_unreadable` or `database_not_writable`. Answers with any other
 * error as it is.
 */
export function openingFailed(path: string, error: unknown): unknown {
  // SQLite's errors have its result code, those of the file system a path: all else is not about this database.
  if (!(error instanceof Error) || error instanceof HallpassError) return error
  if (resultCode(error) === undefined && !('path' in error)) return error
  const problem = error.message
  if (isBusy(error)) {
    return new HallpassError(
      'database_busy',
      `the database ${path} is locked by another process`,
      'stop the other process, or wait until it is done, and start again',
      { cause: error },
    )
  }
  const code = resultCode(error)
  if (code === notADatabase || code === corrupt) {
    return new HallpassError(
      'database_unreadable',
      `${path} is not a database that hallpass can read: ${problem}. nothing was changed`,
      'name another file, or restore this one from a backup',
      { cause: error },
    )
  }
  return new HallpassError(
    'database_not_writable',
    `the database ${path} cannot be opened for writing: ${problem}`,
    'give the user that runs hallpass the right to write to the file and to its folder, or name another file',
    { cause: error },
  )
}

/** Whether another connection holds what was asked for. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === busy
}

// SQLite's primary result codes (sqlite.org/rescode.html).
const busy = 5
const corrupt = 11
const notADatabase = 26

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined
  // The low byte; the rest tells variants of one code apart.
  return error.errcode & 0xff
}
