import type { Store } from '../domain/store.ts'
import type { NodeListeners } from '../edge/node-server.ts'
import type { Hallpass } from '../server/hallpass.ts'
import { storeOn } from '../storage/open-store.ts'
import { openGuardedSite, type ProcessOptions } from './guarded-site.ts'
import { openDatabase } from './open-data.ts'
import type { ServeOptions } from './serve-options.ts'

export interface OpenSite {
  readonly store: Store
  readonly hallpass: Hallpass
  readonly listeners: NodeListeners
  /** Where the data is, without a password. */
  readonly location: string
  close(): Promise<void>
}

/** Hallpass and its site on its database. `address` is the one that people reach it by. */
export async function openSite(
  address: string,
  options: ServeOptions,
  forProcess: ProcessOptions,
): Promise<OpenSite> {
  const database = await openDatabase(options)
  const store = await storeOn(database)
  const { hallpass, listeners } = await openGuardedSite(database, store, address, options, forProcess)
  return {
    store,
    hallpass,
    listeners,
    location: options.database === undefined ? options.data : database.location,
    async close() {
      await hallpass.close()
      await store.close()
    },
  }
}
