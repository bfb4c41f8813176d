/** A site of two nodes, one of which ends or stands still, under a stream of requests through both. */
import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { eventually } from '../eventually.ts'
import { onServer } from '../postgres-template.ts'
import { authorizationParameters, openSealed } from '../test-site.ts'
import { ask, assertMostlyAnswered, boundMs, skip, startTwoNodes, type TwoNodeSite } from './two-node-site.ts'

describe('two nodes, one of which fails', { skip }, () => {
  let site: TwoNodeSite

  before(async () => {
    site = await startTwoNodes()
    for (const username of ['sam', 'kim']) {
      await site.call('A', 'POST', '/users.json', { username, password: 'correct horse battery' })
    }
    const pushUrl = `${site.receiver.url}/publish`
    await site.set('allowed_user_api_push_urls', pushUrl)
    await site.set('push_timeout_seconds', '1')
    const parameters = authorizationParameters({
      scopes: 'notifications',
      push_url: pushUrl,
      client_id: 'phone',
    })
    const { payload } = await site.call('A', 'POST', '/user-api-key.json', parameters, 'kim')
    assert.equal(openSealed(payload).push, true)
  })
  after(async () => {
    await site?.stop()
  })

  const post = (node: 'A' | 'B', text: string): Promise<unknown> =>
    site.call(
      node,
      'POST',
      '/posts.json',
      { title: `A topic to talk about: ${text}`, raw: `${text} @kim` },
      'sam',
    )

  /** The pushes that have come, in order, each once. */
  function arrived(): readonly string[] {
    const all = site.receiver.received.map(({ body }) => JSON.parse(body).notifications[0].excerpt as string)
    return [...new Set(all)]
  }

  function pending(isRight: (pushes: number) => boolean): Promise<number> {
    const ask = async () => {
      const { push_deliveries: pushes } = await site.call('B', 'GET', '/hallpass/push.json?state=pending')
      return (pushes as readonly unknown[]).length
    }
    return eventually(ask, isRight, 30_000)
  }

  for (const [how, failing] of [
    ['is killed', 'killed'],
    ['stands still', 'frozen'],
  ] as const) {
    test(`node A ${how} while it sends a push: B goes on, and all pushes arrive, in order`, async () => {
      const before = arrived().length
      const received = site.receiver.received.length
      const expected = ['one', 'two', 'three'].map((text) => `${failing} ${text} @kim`)
      const since = performance.now()
      site.answers.push(() => {})
      await post('A', `${failing} one`)
      await site.receiver.arrived(received + 1)
      await post('A', `${failing} two`)
      // The answer to a post does not wait for its pushes to be in the outbox.
      await pending((pushes) => pushes === 2)
      const bringBack = failing === 'killed' ? await site.kill('A') : site.freeze('A')
      try {
        // A node that stands still may do so while it alone may write: PostgreSQL ends that after ten seconds.
        await eventually(
          () => post('B', `${failing} three`).then(() => true, String),
          (outcome) => outcome === true,
        )
        await eventually(arrived, (all) => all.length === before + 3, 30_000)
        assert.deepEqual(arrived().slice(before), expected)
        assertMostlyAnswered(site.stream.since(since, 'B'))
      } finally {
        await bringBack()
      }
      const key = await site.newKey('B')
      await eventually(
        () => ask(site.nodes.A, '/session/current.json', { 'user-api-key': key }),
        ({ status }) => status === 200,
      )
      await pending((pushes) => pushes === 0)
      assert.deepEqual(arrived().slice(before), expected)
    })
  }

  // What an attacker would gain: one more request with a revoked key at each node on a machine that was paused.
  test('node B stands still while a key is revoked at A: its first answer refuses', async (t) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    t.after(() => agent.destroy())
    const key = await site.newKey('A')
    const asked = () => ask(site.nodes.B, '/session/current.json', { 'user-api-key': key }, { agent })
    assert.equal((await asked()).status, 200)
    const goOn = site.freeze('B')
    t.after(goOn)
    site.stream.add(key)
    await site.revoke('A', key)
    await new Promise((resolve) => setTimeout(resolve, boundMs + 100))
    const first = asked()
    goOn()
    const { status, reason } = await first
    assert.deepEqual([status, reason], [403, 'user_api_key_revoked'])
  })

  test('a job that was running on a node that is killed is another’s once the lease is up', async (t) => {
    const name = 'delete-expired'
    // The job waits for this, and is killed so.
    const lease = async () => {
      const rows = await onServer<{ lease_owner: string | null; lease_until: string }>(
        site.databaseUrl,
        `select lease_owner, lease_until from job_runs where name = '${name}'`,
      )
      return rows[0]
    }
    // Of a run of its own accord, which a node may have been at when it was killed above.
    await eventually(lease, (row) => row?.lease_owner == null || Number(row.lease_until) < Date.now(), 61_000)
    const holding = new pg.Client(site.databaseUrl)
    await holding.connect()
    await holding.query('begin; lock table authorization_requests in access exclusive mode')
    const running = site
      .call('A', 'POST', `/hallpass/jobs/${name}/run.json`, undefined, 'admin', false)
      .catch(() => 'lost')
    const held = await eventually(lease, (row) => row?.lease_owner != null)
    const left = Number(held?.lease_until) - Date.now()
    assert.ok(left > 30_000 && left <= 60_000, `the lease is ${left} ms long`)
    const bringBack = await site.kill('A')
    t.after(bringBack)
    assert.equal(await running, 'lost')
    await holding.query('rollback')
    await holding.end()
    const headers = { 'api-key': site.adminApiKey, 'api-username': 'admin' }
    const run = () => ask(site.nodes.B, `/hallpass/jobs/${name}/run.json`, headers, { method: 'POST' })
    const early = await run()
    assert.deepEqual([early.status, early.reason], [409, 'job_running'])
    // In the place of a minute's wait.
    await onServer(
      site.databaseUrl,
      `update job_runs set lease_until = lease_until - 60000 where name = '${name}'`,
    )
    assert.equal((await run()).status, 200)
    assert.equal((await lease())?.lease_owner, null)
  })

  test('node A stands still while it alone may write: B is refused with 503, and writes after ten seconds', async (t) => {
    const holding = new pg.Client(site.databaseUrl)
    await holding.connect()
    await holding.query('begin; lock table authorization_requests in access exclusive mode')
    const running = site
      .call('A', 'POST', '/hallpass/jobs/delete-expired/run.json', undefined, 'admin', false)
      .catch(() => 'failed')
    const waiting = `select pid from pg_stat_activity where wait_event_type = 'Lock' and query like '%authorization_requests%'`
    await eventually(
      () => onServer(site.databaseUrl, waiting),
      ({ length }) => length > 0,
    )
    const goOn = site.freeze('A')
    t.after(goOn)
    // What it waited for is there, and it does not go on.
    await holding.query('rollback')
    await holding.end()
    const since = performance.now()
    const write = () =>
      site.newKey('B', false).then(
        () => 'written',
        (error: unknown) => String(error),
      )
    assert.match(await write(), /store_unavailable/)
    await eventually(write, (outcome) => outcome === 'written')
    const took = performance.now() - since
    t.diagnostic(`${Math.round(took)} ms`)
    assert.ok(took < 15_000)
    assertMostlyAnswered(site.stream.since(since, 'B'))
    goOn()
    await running
  })

  test('of all requests, none was answered wrongly', async (t) => {
    const faults = await site.stream.stop()
    t.diagnostic(`${site.stream.seen.length} requests`)
    assert.deepEqual(faults, [])
  })
})
