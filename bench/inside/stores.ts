/**
 * Measures cold verification and issuing in its own process, on several stores in turn:
 * `stores.ts <stores as JSON> <rounds> <batches of cold keys a round> <issuings a round>`. A store is `{ keys, path }` or `{ keys, url }`.
 *
 * There is no HTTP in between, which costs the same whatever the store and would hide what differs.
 */
import type { Store } from '../../src/domain/store.ts'
import { createHallpass } from '../../src/server/create-hallpass.ts'
import type { Hallpass } from '../../src/server/hallpass.ts'
import { openPostgresStore, openSqliteStore } from '../../src/storage/open-store.ts'
import { approvalForm } from '../fill/approval-form.ts'
import { keyText, sessionToken, spreadKeys } from '../fill/keys.ts'

/** A filled store to measure. */
export type FilledStore = { readonly keys: number } & ({ readonly path: string } | { readonly url: string })

/** What is printed after `STORES`, for each store: of each round the mean of one, in microseconds. */
export interface StoreRounds {
  readonly cold: readonly number[]
  /** Processor time of this process for a cold key; PostgreSQL’s own is not in it. */
  readonly coldProcessor: readonly number[]
  readonly issuing: readonly number[]
}

const [stores = '[]', rounds = '3', coldBatches = '2', issuings = '100'] = process.argv.slice(2)
const atOnce = 32
/** How many cold keys are presented to one Hallpass: the smallest store has few more, and none must come twice. */
const batch = 900
const form = approvalForm()

interface Measured {
  readonly keys: number
  readonly store: Store
  readonly cold: number[]
  readonly coldProcessor: number[]
  readonly issuing: number[]
  /** How many keys were presented so far. */
  presented: number
}

const all: Measured[] = []
for (const filled of JSON.parse(stores) as readonly FilledStore[]) {
  const store = await ('url' in filled ? openPostgresStore(filled) : openSqliteStore(filled))
  all.push({ keys: filled.keys, store, cold: [], coldProcessor: [], issuing: [], presented: 0 })
}
// The first round of each is thrown away: it is there to be compiled in, and to have the file mapped by so many keys more,
// which a server that has run for a while has done.
const moreAtFirst = 20
for (let round = 0; round <= Number(rounds); round += 1) {
  for (const measured of all) {
    const cold: Each[] = []
    const batches = Number(coldBatches) * (round === 0 ? moreAtFirst : 1)
    for (let each = 0; each < batches; each += 1) cold.push(await verifyCold(measured))
    const issuing = await issue(measured, round)
    if (round === 0) continue
    measured.cold.push(mean(cold.map(({ microseconds }) => microseconds)))
    measured.coldProcessor.push(mean(cold.map(({ processor }) => processor)))
    measured.issuing.push(issuing.microseconds)
  }
}
const report: readonly StoreRounds[] = all.map(({ cold, coldProcessor, issuing }) => ({
  cold,
  coldProcessor,
  issuing,
}))
console.log(`STORES ${JSON.stringify(report)}`)
for (const { store } of all) await store.close()
process.exit()

/** A Hallpass that has seen no key. */
function newHallpass(store: Store): Promise<Hallpass> {
  return createHallpass({
    store,
    baseUrl: 'http://bench.test',
    pinnedSettings: { disable_rate_limits: 'true' },
    background: false,
    flushIntervalMs: 0,
    log: () => {},
  })
}

async function verifyCold(measured: Measured): Promise<Each> {
  const { keys, store, presented } = measured
  measured.presented += batch
  const requests = spreadKeys(keys, batch, presented).map(
    (n) => new Request('http://bench.test/topics', { headers: { 'user-api-key': keyText(n) } }),
  )
  const hallpass = await newHallpass(store)
  const each = await timeEach(requests, async (request) => {
    const { outcome } = await hallpass.authenticate(request)
    if (outcome !== 'authenticated') throw new Error(`a key is not taken: ${outcome}`)
  })
  await hallpass.close()
  return each
}

async function issue({ store }: Measured, round: number): Promise<Each> {
  const hallpass = await newHallpass(store)
  const cookie = `_t=${sessionToken(1)}`
  const answer = await hallpass.fetch(
    new Request('http://bench.test/session/csrf.json', { headers: { cookie } }),
  )
  const { csrf } = (await answer.json()) as { csrf: string }
  const [secret = ''] = (answer.headers.get('set-cookie') ?? '').split(';')
  const headers = {
    accept: 'application/json',
    cookie: `${cookie}; ${secret}`,
    'x-csrf-token': csrf,
    'content-type': 'application/x-www-form-urlencoded',
  }
  const requests = Array.from({ length: Number(issuings) }, (_, i) => {
    const body = form.replaceAll('{n}', `${Date.now()}-${round}-${i}`)
    return new Request('http://bench.test/user-api-key', { method: 'POST', headers, body })
  })
  const each = await timeEach(requests, async (request) => {
    const { status } = await hallpass.fetch(request)
    if (status !== 200) throw new Error(`a key is not issued: ${status}`)
  })
  await hallpass.close()
  return each
}

/** What one of a list took, in microseconds. */
interface Each {
  readonly microseconds: number
  readonly processor: number
}

/** Works through a list with {@link atOnce} at a time. */
async function timeEach<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<Each> {
  const waiting = [...items]
  const usedBefore = process.cpuUsage()
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await work(item)
    }),
  )
  const microseconds = (performance.now() - startedAt) * 1000
  const { user, system } = process.cpuUsage(usedBefore)
  return { microseconds: microseconds / items.length, processor: (user + system) / items.length }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
