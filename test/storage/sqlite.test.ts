import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe } from 'node:test'
import { openSqliteStore } from '../../src/storage/open-store.ts'
import { describeStoreContract } from '../../src/testing/store-contract/describe-store-contract.ts'
import { unlessSqlite } from '../test-database.ts'

const folder = mkdtempSync(join(tmpdir(), 'hallpass-storage-'))
after(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
describe('SQLite', { skip: unlessSqlite }, () => {
  describeStoreContract('SQLite in a file', () => {
    files += 1
    return openSqliteStore({ path: join(folder, `${files}.db`) })
  })

  describeStoreContract('SQLite in memory', () => openSqliteStore({ path: ':memory:' }))
})
