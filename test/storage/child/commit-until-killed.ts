/**
 * Appends to the audit log one transaction after another, and prints each sequence number once its commit was
 * acknowledged. Ends only by being killed.
 */
import { writeSync } from 'node:fs'
import { openSqliteStore } from '../../../src/storage/open-store.ts'
import { auditRecord } from '../../../src/testing/store-contract/samples.ts'

const store = await openSqliteStore({ path: String(process.argv[2]) })
for (let sequence = 1; ; sequence += 1) {
  await store.transaction((session) => session.audit.append(auditRecord(sequence)))
  writeSync(1, `${sequence}\n`)
}
