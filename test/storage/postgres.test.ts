import { openPostgresStore } from '../../src/storage/open-store.ts'
import { describeStoreContract } from '../../src/testing/store-contract/describe-store-contract.ts'
import { freshPostgresUrl } from '../fresh-postgres.ts'

describeStoreContract('PostgreSQL', async () => openPostgresStore({ url: await freshPostgresUrl() }))
