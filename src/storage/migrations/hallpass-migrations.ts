import type { Migration } from '../migrate.ts'
import { apiKeyLimits } from './api-key-limits.ts'
import { auditTraces } from './audit-traces.ts'
import { cacheChanges } from './cache-changes.ts'
import { deviceDeliveries } from './device-deliveries.ts'
import { deviceRequests } from './device-requests.ts'
import { externalAccounts } from './external-accounts.ts'
import { firstTables } from './first-tables.ts'
import { jobRuns } from './job-runs.ts'
import { oneTimePasswords } from './one-time-passwords.ts'
import { pushDeliveries } from './push-deliveries.ts'
import { registeredClients } from './registered-clients.ts'
import { signingKeys } from './signing-keys.ts'
import { useCounts } from './use-counts.ts'

/** The history of Hallpass's tables, oldest first. A step that was released is never changed, moved or taken out. */
export const hallpassMigrations: readonly Migration[] = [
  firstTables,
  deviceRequests,
  apiKeyLimits,
  pushDeliveries,
  oneTimePasswords,
  registeredClients,
  deviceDeliveries,
  jobRuns,
  externalAccounts,
  signingKeys,
  auditTraces,
  cacheChanges,
  useCounts,
]
