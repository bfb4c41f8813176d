import { describe } from 'node:test'
import { accountsContract } from './accounts.ts'
import { agesContract } from './ages.ts'
import { apiKeysContract } from './api-keys.ts'
import { auditContract } from './audit.ts'
import { changesContract } from './changes.ts'
import { clientsContract } from './clients.ts'
import { deviceRequestsContract } from './device-requests.ts'
import { jobRunsContract } from './job-runs.ts'
import { pushDeliveriesContract } from './push-deliveries.ts'
import { signingInContract } from './signing-in.ts'
import { signingKeysContract } from './signing-keys.ts'
import type { OpenStore } from './store-test.ts'
import { transactionContract } from './transaction.ts'
import { userApiKeysContract } from './user-api-keys.ts'

/**
 * What every implementation of the Store port must do, as tests of `node:test`. Each test asks `openStore` for a store
 * of its own, which must be empty, and closes it.
 */
export function describeStoreContract(name: string, openStore: OpenStore): void {
  describe(`the store contract: ${name}`, () => {
    clientsContract(openStore)
    userApiKeysContract(openStore)
    apiKeysContract(openStore)
    accountsContract(openStore)
    signingInContract(openStore)
    deviceRequestsContract(openStore)
    pushDeliveriesContract(openStore)
    auditContract(openStore)
    changesContract(openStore)
    jobRunsContract(openStore)
    signingKeysContract(openStore)
    agesContract(openStore)
    transactionContract(openStore)
  })
}
