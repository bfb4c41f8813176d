import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Store } from '../domain/store.ts'
import { HallpassError } from '../protocol/errors.ts'
import { loadConfig } from './load-config.ts'

/** The file of the embedded database in a data folder. */
export function databasePath(folder: string): string {
  return join(folder, 'hallpass.sqlite')
}

/** What the option `--data` says in `--help`, for commands that work on a server's own data. */
export const dataOption = '--data <folder>'
export const dataOptionHelp =
  'folder of the embedded database (HALLPASS_DATA; default: as the config file here says, or ./data)'

/**
 * Opens the store of a server on this machine, which may be running, lets `work` use it, and closes it.
 *
 * @throws HallpassError `data_not_found` where there is none: this makes no database
 */
export async function withData<T>(
  folder: string | undefined,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const data = folder ?? (process.env.HALLPASS_DATA || ((await loadConfig()).data ?? './data'))
  const path = databasePath(data)
  if (!existsSync(path)) {
    throw new HallpassError(
      'data_not_found',
      `there is no database at ${path}`,
      'name the folder that the server keeps its data in: --data FOLDER, or HALLPASS_DATA',
    )
  }
  // Only now, so that a command that is not understood need not wait for it.
  const { openSqliteStore } = await import('../storage/open-store.ts')
  const store = await openSqliteStore({ path })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}
