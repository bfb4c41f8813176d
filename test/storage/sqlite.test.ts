import { openSqliteStore } from '../../src/storage/open-store.ts'
import { describeStoreContract } from './store-contract.ts'

describeStoreContract('SQLite in memory', () => openSqliteStore({ path: ':memory:' }))
