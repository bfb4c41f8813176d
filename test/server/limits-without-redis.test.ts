import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { redisLimits } from '../../src/server/redis-limits.ts'
import { eventually } from '../eventually.ts'
import { type RunningRedis, redisServer, startRedis } from '../redis-server.ts'
import { createTestSite, type TestSite } from '../test-site.ts'

async function siteOn(t: TestContext, redis: RunningRedis, without: string): Promise<TestSite> {
  const site = await createTestSite({
    sharedLimits: redisLimits(redis),
    log: () => {},
    pinnedSettings: { limits_without_redis: without },
  })
  t.after(() => site.close())
  return site
}

async function readiness(site: TestSite): Promise<{ status: number; shared: unknown; reason: unknown }> {
  const answer = await site.request('/readyz')
  const body = (await answer.json()) as { limits?: { shared: unknown }; reason?: string }
  return { status: answer.status, shared: body.limits?.shared, reason: body.reason }
}

describe('a site whose Redis is killed', { skip: redisServer.skip }, () => {
  test('goes on with count_alone, and says on /readyz that it counts alone', async (t) => {
    const redis = await startRedis(t)
    const site = await siteOn(t, redis, 'count_alone')
    const headers = { 'user-api-key': await site.approvedKey() }
    await eventually(async () => (await readiness(site)).shared === true)
    await redis.kill()
    await eventually(async () => (await readiness(site)).shared === false)
    for (let nth = 0; nth < 20; nth += 1) {
      assert.equal((await site.request('/session/current.json', { headers })).status, 200)
    }
    assert.equal((await readiness(site)).status, 200)
    await redis.start()
    await eventually(async () => (await readiness(site)).shared === true)
  })

  test('answers 503 with refuse, until it is back', async (t) => {
    const redis = await startRedis(t)
    const site = await siteOn(t, redis, 'refuse')
    await eventually(async () => (await readiness(site)).shared === true)
    const headers = { 'user-api-key': await site.approvedKey() }
    const ask = (): Promise<Response> => site.request('/session/current.json', { headers })
    assert.equal((await ask()).status, 200)
    await redis.kill()
    const refused = await eventually(ask, ({ status }) => status !== 200)
    assert.equal(refused.status, 503)
    assert.equal(refused.headers.get('retry-after'), '2')
    assert.equal(((await refused.json()) as { reason: string }).reason, 'limits_unavailable')
    assert.deepEqual(await readiness(site), { status: 503, shared: undefined, reason: 'limits_unavailable' })
    assert.equal((await site.request('/healthz')).status, 200)
    await redis.start()
    await eventually(ask, ({ status }) => status === 200)
  })
})
