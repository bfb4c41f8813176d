/** Writes inside a transaction, says so, and never ends it. */
import { writeSync } from 'node:fs'
import { openSqliteStore } from '../../../src/storage/open-store.ts'
import { auditRecord } from '../../../src/testing/store-contract/samples.ts'

const store = await openSqliteStore({ path: String(process.argv[2]) })
await store.audit.append(auditRecord(1))
await store.transaction(async (session) => {
  await session.audit.append(auditRecord(2))
  writeSync(1, 'written\n')
  setInterval(() => {}, 1000)
  await new Promise(() => {})
})
