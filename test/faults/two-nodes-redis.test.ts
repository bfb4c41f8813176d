/** A site of two nodes whose Redis ends or stands still, and comes back, under a stream of requests through both. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { eventually } from '../eventually.ts'
import { ask, linesOf, type NodeName, skip, startTwoNodes, type TwoNodeSite } from './two-node-site.ts'

const limit = 10
const names = ['A', 'B'] as const

describe('two nodes whose Redis fails', { skip }, () => {
  let site: TwoNodeSite

  before(async () => {
    site = await startTwoNodes()
    // Of keys of the administration; the stream's are users' own.
    await eventually(() => isShared(true))
  })
  after(async () => {
    await site?.stop()
  })

  async function isShared(wanted: boolean): Promise<boolean> {
    const states = await Promise.all(names.map((name) => ask(site.nodes[name], '/readyz')))
    return states.every(({ status, body }) => status === 200 && JSON.parse(body).limits.shared === wanted)
  }

  /** A key of the administration, whose limit is lowered for the time of `work`. */
  async function limitedKey(): Promise<string> {
    const { key } = await site.call('A', 'POST', '/admin/api/keys.json', {
      key: { description: 'limited', username: 'admin' },
    })
    return key.key
  }

  /** How many requests with a key a node lets in, one after the other, with a pause in which nodes exchange. */
  async function letIn(name: NodeName, key: string): Promise<number> {
    for (let count = 0; ; count += 1) {
      const { status } = await ask(site.nodes[name], '/session/current.json', { 'api-key': key })
      if (status === 429) return count
      assert.equal(status, 200)
      assert.ok(count <= 3 * limit, 'there is no limit')
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
  }

  async function setLimit(value: number): Promise<void> {
    await site.set('max_admin_api_reqs_per_minute', String(value))
    const has = async () => {
      const headers = { 'api-key': site.adminApiKey, 'api-username': 'admin' }
      return (await ask(site.nodes.B, '/admin/site_settings.json', headers)).status
    }
    await eventually(has, (status) => status === 200 || status === 429)
  }

  for (const [how, fault] of [
    ['is killed', 'killed'],
    ['stands still', 'frozen'],
  ] as const) {
    test(`Redis ${how}, count_alone: each node counts alone, and together again afterwards`, async (t) => {
      const { redis, stream } = site
      const [before, during, later] = [await limitedKey(), await limitedKey(), await limitedKey()]
      await setLimit(limit)
      t.after(() => pinLimit(100_000))
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
      assert.deepEqual(lines, linesBefore.map((count) => count + 1))

      if (fault === 'killed') await redis.start()
      else redis.thaw()
      const backAt = performance.now()
      await eventually(() => isShared(true), Boolean, 10_000)
      t.diagnostic(`shared again after ${Math.round(performance.now() - backAt)} ms`)
      const again = (await letIn('A', later)) + (await letIn('B', later))
      assert.ok(again >= limit && again <= limit + 2, `${again} were let in together`)
      assert.deepEqual(new Set(stream.since(since).map(({ status }) => status)), new Set([200, 403]))
    })
  }

  /** Past the limit itself, which the administrator's key is over. */
  async function pinLimit(value: number): Promise<void> {
    const { key } = { key: site.adminApiKey }
    const put = () =>
      ask(site.nodes.A, `/admin/site_settings/max_admin_api_reqs_per_minute.json?max_admin_api_reqs_per_minute=${value}`, {
        'api-key': key,
        'api-username': 'admin',
      }, { method: 'PUT' })
    await eventually(put, ({ status }) => status === 200, 61_000)
  }

  test('Redis is killed, refuse: 503 limits_unavailable on both, and all is well afterwards', async () => {
    const { redis, stream } = site
    await site.set('limits_without_redis', 'refuse')
    const key = await site.newKey('A')
    await redis.kill()
    for (const name of names) {
      const asked = (path: string) => ask(site.nodes[name], path, { 'user-api-key': key })
      const { reason } = await eventually(() => asked('/session/current.json'), ({ status }) => status === 503, 5000)
      assert.equal(reason, 'limits_unavailable')
      const ready = await asked('/readyz')
      assert.deepEqual([ready.status, ready.reason], [503, 'limits_unavailable'])
      assert.equal((await asked('/healthz')).status, 200)
    }
    await redis.start()
    await eventually(() => isShared(true), Boolean, 10_000)
    const since = performance.now()
    await eventually(() => stream.since(since).length >= 100)
    assert.deepEqual(new Set(stream.since(since).map(({ status }) => status)), new Set([200, 403]))
  })

  test('of all requests, none was answered wrongly', async (t) => {
    const faults = await site.stream.stop()
    t.diagnostic(`${site.stream.seen.length} requests`)
    assert.deepEqual(faults.slice(0, 20), [])
  })
})
