import { type UniqueField, UniqueViolation } from '../domain/store.ts'

/**
 * Runs an insert. Turns the database's complaint that a value is taken into a {@link UniqueViolation} of `field`, and
 * lets every other error through.
 */
export async function uniquely<T>(field: UniqueField, insert: () => Promise<T>): Promise<T> {
  try {
    return await insert()
  } catch (error) {
    if (isUniqueViolation(error)) throw new UniqueViolation(field, { cause: error })
    throw error
  }
}

/** SQLite's extended result codes for a unique index and for a primary key (sqlite.org/rescode.html). */
const sqliteCodes: readonly unknown[] = [2067, 1555]

/** PostgreSQL's SQLSTATE `unique_violation`. */
const postgresCode = '23505'

function isUniqueViolation(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if ('errcode' in error) return sqliteCodes.includes(error.errcode)
  return 'code' in error && error.code === postgresCode
}
