import type { Store } from '../domain/store.ts'
import type { NodeListeners } from '../edge/node-server.ts'
import type { Hallpass } from '../server/hallpass.ts'
import { openSqlite } from '../storage/sqlite/open-sqlite.ts'
import { createStore } from '../storage/store.ts'
import { openGuardedSite, type ProcessOptions } from './guarded-site.ts'
import { databasePath } from './open-data.ts'
import type { ServeOptions } from './serve-options.ts'

export interface OpenSite {
  readonly store: Store
  readonly hallpass: Hallpass
  readonly listeners: NodeListeners
  close(): Promise<void>
}

/** Hallpass and its site on the embedded database. `address` is the one that people reach it by. */
export async function openSite(
  address: string,
  options: ServeOptions,
  forProcess: ProcessOptions,
): Promise<OpenSite> {
  const database = await openSqlite({ path: databasePath(options.data) })
  const store = await createStore(database)
  const { hallpass, listeners } = await openGuardedSite(database, store, address, options, forProcess)
  return {
    store,
    hallpass,
    listeners,
    async close() {
      await hallpass.close()
      await store.close()
    },
  }
}
