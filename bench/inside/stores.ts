/**
 * Measures cold verification and issuing in its own process, on several stores in turn:
 * `stores.ts <stores as JSON> <rounds> <keys a round> <issuings a round>`. A store is `{ keys, path }` or `{ keys, url }`.
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
  readonly issuing: readonly number[]
}

const [stores = '[]', rounds = '3', coldKeys = '500', issuings = '100'] = process.argv.slice(2)
const atOnce = 32
const form = approvalForm()

interface Measured {
  readonly keys: number
  readonly store: Store
  readonly cold: number[]
  readonly issuing: number[]
  /** How many keys were presented so far. */
  presented: number
}

const all: Measured[] = []
for (const filled of JSON.parse(stores) as readonly FilledStore[]) {
  const store = await ('url' in filled ? openPostgresStore(filled) : openSqliteStore(filled))
  all.push({ keys: filled.keys, store, cold: [], issuing: [], presented: 0 })
}
// The first round of each is thrown away: it is there to be compiled in.
for (let round = 0; round <= Number(rounds); round += 1) {
  for (const measured of all) {
    const cold = await verifyCold(measured)
    const issuing = await issue(measured, round)
    if (round === 0) continue
    measured.cold.push(cold)
    measured.issuing.push(issuing)
  }
}
const report: readonly StoreRounds[] = all.map(({ cold, issuing }) => ({ cold, issuing }))
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

async function verifyCold(measured: Measured): Promise<number> {
  const { keys, store, presented } = measured
  // In the smallest store there are no more, and none must come twice.
  const count = Math.min(Number(coldKeys), 900)
  measured.presented += count
  const requests = spreadKeys(keys, count, presented).map(
    (n) => new Request('http://bench.test/topics', { headers: { 'user-api-key': keyText(n) } }),
  )
  const hallpass = await newHallpass(store)
  const microseconds = await timeEach(requests, async (request) => {
    const { outcome } = await hallpass.authenticate(request)
    if (outcome !== 'authenticated') throw new Error(`a key is not taken: ${outcome}`)
  })
  await hallpass.close()
  return microseconds
}

async function issue({ store }: Measured, round: number): Promise<number> {
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
  const microseconds = await timeEach(requests, async (request) => {
    const { status } = await hallpass.fetch(request)
    if (status !== 200) throw new Error(`a key is not issued: ${status}`)
  })
  await hallpass.close()
  return microseconds
}

/** Works through a list with {@link atOnce} at a time; answers with the time for each, in microseconds. */
async function timeEach<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<number> {
  const waiting = [...items]
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await work(item)
    }),
  )
  return ((performance.now() - startedAt) * 1000) / items.length
}
