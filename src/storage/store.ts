/**
 * The Store port on Kysely; nothing here or in the entities' files knows which database answers. `sqlite/` holds what
 * SQLite does in its own way, `migrations/` the tables' history, `database.ts` the seam between the two halves.
 */
import { type Kysely, sql } from 'kysely'
import type { Store, StoreSession } from '../domain/store.ts'
import { createAccounts } from './accounts.ts'
import { createApiKeys } from './api-keys.ts'
import { createAuditEvents } from './audit-events.ts'
import { createCacheChanges } from './cache-changes.ts'
import { createClients } from './clients.ts'
import type { Database } from './database.ts'
import { createDeviceApprovals } from './device-approvals.ts'
import { createDeviceRequests } from './device-requests.ts'
import { deleteExpired } from './expired.ts'
import { createExternalAccounts } from './external-accounts.ts'
import { createJobRuns } from './job-runs.ts'
import { migrate } from './migrate.ts'
import { hallpassMigrations } from './migrations/hallpass-migrations.ts'
import { createOneTimePasswords } from './one-time-passwords.ts'
import { createParkedRequests } from './parked-requests.ts'
import { createPushDeliveries } from './push-deliveries.ts'
import type { HallpassTables } from './schema.ts'
import { createSessions } from './sessions.ts'
import { createSigningKeyStore } from './signing-keys.ts'
import { createSiteSettings } from './site-settings.ts'
import { inTransaction, observeCommits } from './transaction.ts'
import { createUserApiKeys } from './user-api-keys.ts'

/**
 * Brings Hallpass's tables in `database` up to date and makes the store on them. Closing the store closes the database.
 *
 * @throws HallpassError as `migrate` does
 */
export async function createStore(database: Database): Promise<Store> {
  await migrate(database, { name: 'hallpass', migrations: hallpassMigrations })
  const db = database.tables<HallpassTables>()
  return {
    ...createSession(db, database),
    transaction: (work) => inTransaction(db, (transaction) => work(createSession(transaction, database))),
    async ping() {
      await sql`select 1`.execute(db)
    },
    watch: (listener) => database.watch(listener),
    giveUpAfter: (timeoutMs) => database.giveUpAfter?.(timeoutMs),
    observe: (observer) => observeCommits(db, (works) => observer.committed(works)),
    close: () => database.close(),
  }
}

function createSession(db: Kysely<HallpassTables>, database: Database): StoreSession {
  return {
    clients: createClients(db),
    userApiKeys: createUserApiKeys(db),
    apiKeys: createApiKeys(db),
    accounts: createAccounts(db),
    externalAccounts: createExternalAccounts(db),
    sessions: createSessions(db),
    parkedRequests: createParkedRequests(db),
    oneTimePasswords: createOneTimePasswords(db),
    deviceRequests: createDeviceRequests(db),
    deviceApprovals: createDeviceApprovals(db),
    pushDeliveries: createPushDeliveries(db),
    settings: createSiteSettings(db),
    audit: createAuditEvents(db),
    jobRuns: createJobRuns(db),
    signingKeys: createSigningKeyStore(db),
    changes: createCacheChanges(db, (transaction, changes) => database.announce(transaction, changes)),
    deleteExpired: (now, limit) => deleteExpired(db, now, limit),
  }
}
