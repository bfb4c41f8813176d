import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { metricsCatalogue } from '../../src/server/metrics-catalogue.ts'
import { prometheusObserver } from '../../src/server/prometheus-observer.ts'
import { createTestSite, siteUrl, type TestSite } from '../test-site.ts'

let site: TestSite
before(async () => {
  const observer = await prometheusObserver()
  site = await createTestSite({ observer })
})
after(() => site.close())

/** The value of a series, by its text before the space. */
async function series(name: string): Promise<number> {
  const text = await (await site.asAdmin('/hallpass/metrics')).text()
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  assert.ok(line, `${name} is not there`)
  return Number(line.slice(name.length))
}

describe('GET /hallpass/metrics', () => {
  test('tells every metric of the catalogue, and those of the process', async () => {
    const answer = await site.asAdmin('/hallpass/metrics')
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    const text = await answer.text()
    for (const [name, { kind }] of Object.entries(metricsCatalogue)) {
      assert.ok(text.includes(`# TYPE ${name} ${kind}\n`), name)
    }
    for (const name of [
      'nodejs_eventloop_lag_p99_seconds',
      'nodejs_gc_duration_seconds',
      'process_start_time_seconds',
    ]) {
      assert.ok(text.includes(`# TYPE ${name} `), name)
    }
  })

  // What an attacker would gain: how many requests come, and which limits are nearly reached.
  test('is not there for anybody but an administrator', async () => {
    for (const headers of [{}, { 'user-api-key': 'f'.repeat(32) }]) {
      const answer = await site.request('/hallpass/metrics', { headers })
      assert.ok([403, 404].includes(answer.status), String(answer.status))
      assert.doesNotMatch(await answer.text(), /hallpass_/)
    }
  })

  test('is not there at all where nobody keeps metrics', async () => {
    const other = await createTestSite()
    assert.equal((await other.asAdmin('/hallpass/metrics')).status, 404)
    await other.close()
  })

  test('leaves /metrics to the application unless it is told otherwise', async () => {
    const request = new Request(`${siteUrl}/metrics`)
    assert.equal(await site.hallpass.handle(request), undefined)
    const other = await createTestSite({ observer: await prometheusObserver(), metricsPath: '/metrics' })
    assert.equal((await other.asAdmin('/metrics')).status, 200)
    await other.close()
  })
})

describe('prometheusObserver', () => {
  test('counts verifications by what they came to', async () => {
    const name = 'hallpass_verifications_total{credential="user_api_key",result="user_api_key_invalid"}'
    await site.request('/session/current.json', { headers: { 'user-api-key': 'f'.repeat(32) } })
    const first = await series(name)
    await site.request('/session/current.json', { headers: { 'user-api-key': 'f'.repeat(32) } })
    assert.equal(await series(name), first + 1)
  })

  test('counts the commits of the store, and what each held', async () => {
    const before = await series('hallpass_commit_transactions_count')
    await site.asAdmin('/admin/api/keys.json', { json: { key: { description: 'x' } } })
    assert.ok((await series('hallpass_commit_transactions_count')) > before)
  })

  // What an attacker would gain: memory, a series for each name that they invent.
  test('makes no series out of what callers send', async () => {
    for (const [index, method] of ['GET', 'PROPFIND', 'X-INVENTED'].entries()) {
      const headers = { 'user-api-key': `${index}`.repeat(32), traceparent: `invented-${index}` }
      await site.request(`/invented-${index}/session`, { method, headers })
      await site.request(`/session/invented-${index}.json`, { method, headers })
    }
    const text = await (await site.asAdmin('/hallpass/metrics')).text()
    assert.doesNotMatch(text, /invented/i)
    assert.doesNotMatch(text, /PROPFIND/)
  })

  test('goes on while the store does not answer', async () => {
    const observer = await prometheusObserver({ processMetrics: false })
    observer.watch({
      cachedKeys: () => 3,
      busAgeMs: () => 1500,
      isBusTrusted: () => false,
      outbox: () => Promise.reject(new Error('no store')),
    })
    const { text } = await observer.expose()
    assert.match(text, /^hallpass_cache_keys 3$/m)
    assert.match(text, /^hallpass_bus_age_seconds 1\.5$/m)
    assert.match(text, /^hallpass_bus_trusted 0$/m)
  })
})
