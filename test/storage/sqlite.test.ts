import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { openSqliteStore } from '../../src/storage/open-store.ts'
import { describeStoreContract } from '../../src/testing/store-contract/describe-store-contract.ts'

const folder = mkdtempSync(join(tmpdir(), 'hallpass-storage-'))
after(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
describeStoreContract('SQLite in a file', () => {
  files += 1
  return openSqliteStore({ path: join(folder, `${files}.db`) })
})

describeStoreContract('SQLite in memory', () => openSqliteStore({ path: ':memory:' }))
