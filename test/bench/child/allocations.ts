/**
 * Says how many bytes a call of `authenticate()` with a warm key allocates. A process of its own, because the test runner
 * follows every promise of the process that it runs in.
 */
import { getHeapStatistics } from 'node:v8'
import { siteAddress, siteWithKey } from '../site-with-key.ts'

const { hallpass, key } = await siteWithKey()
const request = new Request(`${siteAddress}/topics`, { headers: { 'user-api-key': key } })

async function allocatedBy(calls: number): Promise<number> {
  const before = getHeapStatistics().total_allocated_bytes
  for (let i = 0; i < calls; i += 1) await hallpass.authenticate(request)
  return (getHeapStatistics().total_allocated_bytes - before) / calls
}

// Long enough to be compiled; what is compiled allocates less than what is not.
await allocatedBy(20_000)
console.log(`bytes ${Math.round(await allocatedBy(20_000))}`)
process.exit()
