/** A site of two nodes whose Redis ends or stands still, and comes back, under a stream of requests through both. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { eventually } from '../eventually.ts'
import {
  ask,
  assertMostlyAnswered,
  linesOf,
  type NodeName,
  skip,
  startTwoNodes,
  type TwoNodeSite,
} from './two-node-site.ts'

const limit = 10
const names = ['A', 'B'] as const

describe('two nodes whose Redis fails', { skip }, () => {
  let site: TwoNodeSite

  before(async () => {
    site = await startTwoNodes()
    await eventually(() => isShared(true))
  })
  after(async () => {
    await site?.stop()
  })

  async function isShared(wanted: boolean): Promise<boolean> {
    const states = await Promise.all(names.map((name) => ask(site.nodes[name], '/readyz')))
    return states.every(({ status, body }) => status === 200 && JSON.parse(body).limits.shared === wanted)
  }

  /** How many requests with a key a node lets in, one after the other, with a pause in which nodes exchange. */
  async function letIn(name: NodeName, key: string): Promise<number> {
    for (let count = 0; ; count += 1) {
      // A database that a busy machine makes slow is asked again, and has counted nothing.
      const { status } = await eventually(
        () => ask(site.nodes[name], '/session/current.json', { 'user-api-key': key }),
        ({ reason }) => reason !== 'store_unavailable',
      )
      if (status === 429) return count
      assert.equal(status, 200)
      assert.ok(count <= 3 * limit, 'there is no limit')
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
  }

  /** Sets the limit of each key, and waits until both nodes go by it. */
  async function setLimit(value: number): Promise<void> {
    const name = 'max_user_api_reqs_per_minute'
    await site.set(name, String(value))
    const headers = { 'api-key': site.adminApiKey, 'api-username': 'admin' }
    const shown = () => ask(site.nodes.B, '/admin/site_settings.json', headers)
    // Others have the same value.
    await eventually(shown, ({ body }) => body.includes(`"setting":"${name}","value":"${value}"`))
  }

  for (const [how, fault] of [
    ['is killed', 'killed'],
    ['stands still', 'frozen'],
  ] as const) {
    test(`Redis ${how}, count_alone: each node counts alone, and together again afterwards`, async (t) => {
      const { redis, stream } = site
      const [before, during, later] = [await site.newKey('A'), await site.newKey('A'), await site.newKey('A')]
      stream.mayBeLimited = true
      await setLimit(limit)
      t.after(() => setLimit(100_000))
      const together = (await letIn('A', before)) + (await letIn('B', before))
      assert.ok(together >= limit && together <= limit + 2, `${together} were let in together`)

      const linesBefore = names.map((name) => linesOf(site.nodes[name], /limits_not_shared/).length)
      const since = performance.now()
      if (fault === 'killed') await redis.kill()
      else redis.freeze()
      await eventually(() => isShared(false), Boolean, 5000)
      t.diagnostic(`noticed within ${Math.round(performance.now() - since)} ms`)
      assert.equal(await letIn('A', during), limit)
      assert.equal(await letIn('B', during), limit)
      const lines = names.map((name) => linesOf(site.nodes[name], /limits_not_shared/).length)
      assert.deepEqual(
        lines,
        linesBefore.map((count) => count + 1),
      )

      if (fault === 'killed') await redis.start()
      else redis.thaw()
      const backAt = performance.now()
      await eventually(() => isShared(true), Boolean, 10_000)
      t.diagnostic(`shared again after ${Math.round(performance.now() - backAt)} ms`)
      const again = (await letIn('A', later)) + (await letIn('B', later))
      assert.ok(again >= limit && again <= limit + 2, `${again} were let in together`)
      assertMostlyAnswered(stream.since(since))
    })
  }

  test('Redis is killed, refuse: 503 limits_unavailable on both, and all is well afterwards', async () => {
    const { redis, stream } = site
    await site.set('limits_without_redis', 'refuse')
    const key = await site.newKey('A')
    await redis.kill()
    for (const name of names) {
      const asked = (path: string) => ask(site.nodes[name], path, { 'user-api-key': key })
      const { reason } = await eventually(
        () => asked('/session/current.json'),
        ({ status }) => status === 503,
        5000,
      )
      assert.equal(reason, 'limits_unavailable')
      const ready = await asked('/readyz')
      assert.deepEqual([ready.status, ready.reason], [503, 'limits_unavailable'])
      assert.equal((await asked('/healthz')).status, 200)
    }
    await redis.start()
    await eventually(() => isShared(true), Boolean, 10_000)
    // Windows of the minute that the limit was low.
    const since = performance.now()
    await eventually(() => stream.since(since).length >= 100)
    assertMostlyAnswered(stream.since(since))
  })

  test('of all requests, none was answered wrongly', async (t) => {
    const faults = await site.stream.stop()
    t.diagnostic(`${site.stream.seen.length} requests`)
    assert.deepEqual(faults.slice(0, 20), [])
  })
})
