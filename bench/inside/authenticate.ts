/** Measures `authenticate()` in its own process: `authenticate.ts <data folder> <rounds> <calls a round>`. */
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { getHeapStatistics } from 'node:v8'
import { createHallpass } from '../../src/server/create-hallpass.ts'
import { openSqliteStore } from '../../src/storage/open-store.ts'
import { goodKey, keyText } from '../fill/keys.ts'

/** A round's means of a call. */
export interface Round {
  readonly nanoseconds: number
  readonly bytes: number
}

/** What is printed after `CALLS`. */
export interface Calls {
  readonly ours: readonly Round[]
  readonly hash: readonly Round[]
}

const [data = '.', rounds = '5', calls = '100000'] = process.argv.slice(2)
const store = await openSqliteStore({ path: join(data, 'hallpass.sqlite') })
const hallpass = await createHallpass({
  store,
  baseUrl: 'https://bench.test',
  pinnedSettings: { disable_rate_limits: 'true' },
  background: false,
})
const key = keyText(goodKey(0))
const request = new Request('https://bench.test/topics', { headers: { 'user-api-key': key } })

const found = await hallpass.authenticate(request)
if (found.outcome !== 'authenticated') throw new Error(`the key is not taken: ${JSON.stringify(found)}`)

async function authenticateOften(times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) await hallpass.authenticate(request)
}

let sink = 0
async function hashOften(times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) sink += hash('sha256', key).length
}

async function round(work: (times: number) => Promise<void>): Promise<Round> {
  const times = Number(calls)
  const allocated = getHeapStatistics().total_allocated_bytes
  const startedAt = process.hrtime.bigint()
  await work(times)
  const nanoseconds = Number(process.hrtime.bigint() - startedAt)
  return {
    nanoseconds: nanoseconds / times,
    bytes: (getHeapStatistics().total_allocated_bytes - allocated) / times,
  }
}

await round(authenticateOften)
await round(hashOften)
const result: { ours: Round[]; hash: Round[] } = { ours: [], hash: [] }
for (let i = 0; i < Number(rounds); i += 1) {
  result.ours.push(await round(authenticateOften))
  result.hash.push(await round(hashOften))
}
if (sink === 0) throw new Error('nothing was hashed')
console.log(`CALLS ${JSON.stringify(result satisfies Calls)}`)
await hallpass.close()
await store.close()
process.exit()
