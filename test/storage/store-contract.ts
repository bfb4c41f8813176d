import { describe } from 'node:test'
import { accountsContract } from './contract/accounts.ts'
import { agesContract } from './contract/ages.ts'
import { apiKeysContract } from './contract/api-keys.ts'
import { auditContract } from './contract/audit.ts'
import { clientsContract } from './contract/clients.ts'
import { deviceRequestsContract } from './contract/device-requests.ts'
import { jobRunsContract } from './contract/job-runs.ts'
import { pushDeliveriesContract } from './contract/push-deliveries.ts'
import { signingInContract } from './contract/signing-in.ts'
import type { OpenStore } from './contract/store-test.ts'
import { transactionContract } from './contract/transaction.ts'
import { userApiKeysContract } from './contract/user-api-keys.ts'

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
    jobRunsContract(openStore)
    agesContract(openStore)
    transactionContract(openStore)
  })
}
