/** Says that it is ready, waits for a line, opens the database, and leaves a row in it. */
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { openSqliteStore } from '../../../src/storage/open-store.ts'
import { now } from '../../../src/testing/store-contract/samples.ts'

const [path, name] = process.argv.slice(2)
writeSync(1, 'ready\n')
await once(process.stdin, 'data')
const store = await openSqliteStore({ path: String(path) })
await store.settings.put({ name: String(name), value: '', updatedAt: now })
await store.close()
process.exit()
