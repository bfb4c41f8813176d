/** Says that it is ready, waits for a line, and counts a setting up by one in each of 200 transactions. */
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { openSqliteStore } from '../../../src/storage/open-store.ts'
import { now } from '../../../src/testing/store-contract/samples.ts'

const store = await openSqliteStore({ path: String(process.argv[2]) })
writeSync(1, 'ready\n')
await once(process.stdin, 'data')
for (let index = 0; index < 200; index += 1) {
  await store.transaction(async (session) => {
    const [count] = await session.settings.all()
    await session.settings.put({
      name: 'count',
      value: String(Number(count?.value ?? 0) + 1),
      updatedAt: now,
    })
  })
}
await store.close()
process.exit()
