import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { KeyUse, Store, StoreSession } from '../../src/domain/store.ts'
import { LastUse } from '../../src/verify/last-use.ts'

function lastUse(batchSize = 500) {
  const batches: { readonly kind: string; readonly uses: readonly KeyUse[] }[] = []
  const at = { now: 100, failure: undefined as Error | undefined, fails: (_index: number) => false }
  const touching = (kind: string) => ({
    touch: async (uses: readonly KeyUse[]) => {
      if (at.failure || at.fails(batches.length)) throw at.failure ?? new Error('no')
      batches.push({ kind, uses })
    },
  })
  const session = { userApiKeys: touching('user'), apiKeys: touching('api') } as unknown as StoreSession
  const store = { transaction: (work: (given: StoreSession) => unknown) => work(session) } as unknown as Store
  let full = 0
  const use = new LastUse(
    store,
    { now: () => at.now },
    {
      batchSize: () => batchSize,
      onFull: () => {
        full += 1
      },
    },
  )
  return { use, batches, at, full: () => full }
}

describe('LastUse', () => {
  test('writes when each key was last used, and how often, and then has nothing to write', async () => {
    const { use, batches, at } = lastUse()
    use.userApiKeyUsed(1)
    at.now = 200
    use.userApiKeyUsed(1)
    use.apiKeyUsed(1)
    await use.flush()
    await use.flush()
    assert.deepEqual(batches, [
      { kind: 'user', uses: [{ id: 1, lastUsedAt: 200, count: 2 }] },
      { kind: 'api', uses: [{ id: 1, lastUsedAt: 200, count: 1 }] },
    ])
  })

  test('writes in transactions of no more keys than it is told', async () => {
    const { use, batches } = lastUse(10)
    for (let id = 1; id <= 25; id += 1) use.userApiKeyUsed(id)
    await use.flush()
    assert.deepEqual(
      batches.map(({ uses }) => uses.length),
      [10, 10, 5],
    )
  })

  test('keeps what a store refused, adds what came meanwhile, and counts nothing twice', async () => {
    const { use, batches, at } = lastUse(10)
    for (let id = 1; id <= 15; id += 1) use.userApiKeyUsed(id)
    at.fails = (index) => index === 1
    const failing = use.flush()
    await new Promise((resolve) => setImmediate(resolve))
    at.now = 300
    use.userApiKeyUsed(12)
    use.userApiKeyUsed(1)
    await assert.rejects(failing)
    at.fails = () => false
    batches.length = 0
    await use.flush()
    const uses = new Map(batches.flatMap((batch) => batch.uses).map((one) => [one.id, one]))
    assert.equal(uses.size, 6)
    assert.deepEqual(uses.get(12), { id: 12, lastUsedAt: 300, count: 2 })
    assert.deepEqual(uses.get(11), { id: 11, lastUsedAt: 100, count: 1 })
    assert.deepEqual(uses.get(1), { id: 1, lastUsedAt: 300, count: 1 })
  })

  test('whoever asks for a flush during another is told once theirs is over', async () => {
    const { use, batches } = lastUse()
    use.userApiKeyUsed(1)
    const first = use.flush()
    use.userApiKeyUsed(2)
    await use.flush()
    await first
    assert.deepEqual(
      batches.flatMap(({ uses }) => uses.map(({ id }) => id)),
      [1, 2],
    )
  })

  test('asks to be written early when much has gathered, and is bounded when nobody takes it', async () => {
    const { use, batches, at, full } = lastUse(10_000)
    at.failure = new Error('down')
    for (let id = 1; id <= 250_001; id += 1) use.userApiKeyUsed(id)
    assert.equal(full(), 1)
    await assert.rejects(use.flush())
    at.failure = undefined
    await use.flush()
    const ids = batches.flatMap(({ uses }) => uses.map(({ id }) => id))
    assert.equal(ids.length, 250_000)
    assert.equal(Math.min(...ids.slice(0, 10)), 2)
  })
})
