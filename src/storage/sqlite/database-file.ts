import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes the file and its folder when they are not there, readable for their owner only: SQLite itself would let the
 * umask decide, and its log files take their mode from the database. Modes of what exists are left as they are.
 *
 * @throws the system's error when the file cannot be opened for writing
 */
export function createDatabaseFile(path: string): void {
  makeFolder(dirname(path))
  closeSync(openSync(path, 'a', 0o600))
}

/**
 * One folder after the other: asked to make them all, Node tries for ever where there can be none, as below /proc, whose
 * word for that is the one for a parent that is not there.
 */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  if (dirname(path) !== path) makeFolder(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process that starts now may have been quicker.
    if (!existsSync(path)) throw error
  }
}
