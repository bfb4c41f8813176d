import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes the file and its folder when they are not there, readable for their owner only: SQLite itself would let the
 * umask decide, and its log files take their mode from the database. Modes of what exists are left as they are.
 *
 * @throws the system's error when the file cannot be opened for writing
 */
export function createDatabaseFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeSync(openSync(path, 'a', 0o600))
}
