/** A site of two nodes whose PostgreSQL ends or stands still, and comes back, under a stream of requests through both. */
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { eventually } from '../eventually.ts'
import { leaksIn } from '../recording-proxy.ts'
import { startCommand } from '../running-command.ts'
import { hallpassCommand } from '../running-server.ts'
import type { Seen } from './request-stream.ts'
import {
  type Answer,
  ask,
  boundMs,
  linesOf,
  residentMb,
  skip,
  startTwoNodes,
  type TwoNodeSite,
} from './two-node-site.ts'

/** How long the database is away once both nodes refuse, in milliseconds. */
const awayMs = Number(process.env.HALLPASS_TEST_OUTAGE_MS ?? 4000)
/** How much a node may grow meanwhile, in MB: what a busy garbage collector leaves, whatever the time. */
const mostGrowthMb = 150

function assertUnavailable({ status, headers, reason }: Answer, what: string): void {
  assert.deepEqual([status, headers['retry-after'], reason], [503, '1', 'store_unavailable'], what)
}

describe('two nodes whose PostgreSQL fails', { skip }, () => {
  let site: TwoNodeSite
  let application: Server
  let reached = 0
  const issued: string[] = []

  before(async () => {
    application = createServer((_incoming, outgoing) => {
      reached += 1
      outgoing.end('the application')
    })
    await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve))
    const { port } = application.address() as AddressInfo
    site = await startTwoNodes({ flagsOfB: ['--upstream', `http://127.0.0.1:${port}`, '--require-sign-in'] })
  })
  after(async () => {
    application?.close()
    await site?.stop()
  })

  for (const [how, fault] of [
    ['is killed', 'killed'],
    ['stands still', 'frozen'],
  ] as const) {
    test(`PostgreSQL ${how} and comes back`, async (t) => {
      const { nodes, postgres, stream } = site
      const key = await site.newKey('A')
      stream.add(key)
      const cold = await site.newKey('A')
      for (const node of [nodes.A, nodes.B]) {
        assert.equal((await ask(node, '/session/current.json', { 'user-api-key': key })).status, 200)
      }
      // What the gateway signs with is read when it is first needed.
      assert.equal((await ask(nodes.B, '/orders', { 'user-api-key': key })).status, 200)
      const linesBefore = { A: linesOf(nodes.A, /fault/).length, B: linesOf(nodes.B, /fault/).length }
      const memoryBefore = { A: residentMb(nodes.A.pid), B: residentMb(nodes.B.pid) }

      // Issues keys until it cannot: what was acknowledged has to be there afterwards.
      const issuing = (async () => {
        for (let nth = 0; ; nth += 1) issued.push(await site.newKey(nth % 2 === 0 ? 'A' : 'B', false))
      })().catch(() => {})
      await eventually(
        () => issued.length % 10,
        (count) => count >= 3,
      )

      if (fault === 'killed') await postgres.killAll()
      else {
        postgres.freeze()
        // Whatever fails below, the tests after this one have a database.
        t.after(() => postgres.thaw())
      }
      const failedAt = performance.now()
      // What is in memory is let in, through the gateway too.
      const forwardAuth = { 'user-api-key': key, 'x-forwarded-method': 'GET', 'x-forwarded-uri': '/orders' }
      for (const node of [nodes.A, nodes.B]) {
        assert.equal((await ask(node, '/hallpass/forward-auth', forwardAuth)).status, 200)
      }
      assert.equal((await ask(nodes.B, '/orders', { 'user-api-key': key })).status, 200)
      const askedAt = performance.now()
      await issuing

      const isWarm = ({ kind, path }: Seen): boolean => kind === 'good' && path === '/hallpass/forward-auth'
      const refusedAt: Record<string, number> = {}
      for (const name of ['A', 'B'] as const) {
        refusedAt[name] = await eventually(
          () => stream.since(failedAt, name).find((one) => isWarm(one) && one.status === 503)?.startedAt ?? 0,
          Boolean,
        )
        const inMemory = stream.since(failedAt, name).filter((one) => isWarm(one) && one.status === 200)
        const last = Math.max(askedAt, ...inMemory.map(({ startedAt }) => startedAt))
        t.diagnostic(`${name}: memory serves for ${Math.round(last - failedAt)} ms, of ${boundMs}`)
        assert.ok(last - failedAt <= boundMs, `${name} believes its memory for ${last - failedAt} ms`)
      }

      await eventually(
        () => performance.now() - Math.max(...Object.values(refusedAt)),
        (ms) => ms >= 1000,
      )
      const refusing = performance.now()
      for (const [name, node] of Object.entries(nodes)) {
        assertUnavailable(await ask(node, '/session/current.json', { 'user-api-key': key }), `${name}, warm`)
        assertUnavailable(await ask(node, '/session/current.json', { 'user-api-key': cold }), `${name}, cold`)
        assertUnavailable(
          await ask(node, '/session/current.json', { cookie: `_t=${'a'.repeat(64)}` }),
          `${name}, session`,
        )
        assertUnavailable(await ask(node, '/hallpass/forward-auth', forwardAuth), `${name}, forward-auth`)
        assertUnavailable(await ask(node, '/readyz'), `${name}, readyz`)
        assert.equal((await ask(node, '/healthz')).status, 200)
      }
      reached = 0
      for (const headers of [{ 'user-api-key': key }, { cookie: `_t=${'a'.repeat(64)}` }] as const) {
        assertUnavailable(await ask(nodes.B, '/orders', headers), 'gateway')
      }
      assert.equal(reached, 0)
      await eventually(
        () => performance.now() - refusing,
        (ms) => ms >= awayMs,
        awayMs + 20_000,
      )

      const duringOutage = stream.since(refusing)
      assert.deepEqual(new Set(duringOutage.map(({ status }) => status)), new Set([503]))
      const slowest = Math.max(...duringOutage.map(({ startedAt, endedAt }) => endedAt - startedAt))
      const awaySeconds = (performance.now() - failedAt) / 1000
      for (const name of ['A', 'B'] as const) {
        const lines = linesOf(nodes[name], /fault/).length - linesBefore[name]
        const growth = residentMb(nodes[name].pid) - memoryBefore[name]
        t.diagnostic(
          `${name}: ${lines} lines of faults and ${growth.toFixed(0)} MB more in ${awaySeconds.toFixed(0)} s`,
        )
        assert.ok(lines >= 1 && lines <= 10 + 3 * awaySeconds, `${lines} lines`)
        assert.ok(growth < mostGrowthMb, `${growth} MB more`)
      }
      t.diagnostic(`slowest 503: ${Math.round(slowest)} ms; ${duringOutage.length} requests`)

      if (fault === 'killed') await postgres.start()
      else postgres.thaw()
      const backAt = performance.now()
      for (const node of [nodes.A, nodes.B]) {
        await eventually(
          () => ask(node, '/readyz'),
          ({ status }) => status === 200,
          10_000,
        )
        await eventually(
          () => ask(node, '/session/current.json', { 'user-api-key': key }),
          ({ status }) => status === 200,
          10_000,
        )
      }
      t.diagnostic(`both let in again after ${Math.round(performance.now() - backAt)} ms`)
      for (const text of issued) {
        assert.equal((await ask(nodes.B, '/session/current.json', { 'user-api-key': text })).status, 200)
      }
      // What one commits the other hears of again.
      await site.revoke('A', key)
      await eventually(
        () => ask(nodes.B, '/session/current.json', { 'user-api-key': key }),
        ({ status, reason }) => status === 403 && reason === 'user_api_key_revoked',
        boundMs,
      )
    })
  }

  test('the audit log verifies, and nothing secret is in the logs', async () => {
    const { status, stdout } = await startCommand(
      process.execPath,
      [hallpassCommand, 'audit', 'verify', '--database', site.databaseUrl],
      { ...process.env, NO_COLOR: '1' },
    ).ended
    assert.equal(status, 0, stdout)
    const password = new URL(site.databaseUrl).password
    const { A, B } = site.nodes
    const secrets: [secret: string, where: string][] = issued.map((key) => [key, 'a key'])
    secrets.push([password, 'the database’s password'], [site.adminApiKey, 'the administrator’s key'])
    assert.deepEqual(leaksIn(A.output() + B.output(), secrets), [])
  })

  test('of all requests, none was answered wrongly', async (t) => {
    const faults = await site.stream.stop()
    t.diagnostic(`${site.stream.seen.length} requests`)
    assert.deepEqual(faults.slice(0, 20), [])
  })
})
