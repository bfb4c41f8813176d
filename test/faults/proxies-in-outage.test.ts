/** What the proxies of examples/proxies make of a Hallpass whose database is away. */
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { eventually } from '../eventually.ts'
import { type RunningPostgres, startPostgres } from '../running-postgres.ts'
import { proxies, startProxy } from '../running-proxy.ts'
import { type RunningServer, startServer } from '../running-server.ts'
import { authorizationParameters, openSealed } from '../test-site.ts'
import { ask } from './two-node-site.ts'

const skip = process.platform === 'linux' ? false : 'needs Linux, for its /proc'

describe('proxies in front of a Hallpass whose database is away', { skip }, () => {
  let postgres: RunningPostgres
  let server: RunningServer
  let application: Server
  let appPort: number
  let key: string
  let reached = 0

  before(async () => {
    application = createServer((_incoming, outgoing) => {
      reached += 1
      outgoing.end('the application')
    })
    await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve))
    appPort = (application.address() as AddressInfo).port
    postgres = await startPostgres()
    server = await startServer({
      flags: ['--no-forum', '--trusted-proxy', '127.0.0.1'],
      env: { DATABASE_URL: postgres.url },
    })
    const issued = await fetch(`${server.baseUrl}/user-api-key.json`, {
      method: 'POST',
      headers: { 'api-key': server.adminApiKey, 'api-username': 'admin', 'content-type': 'application/json' },
      body: JSON.stringify(authorizationParameters()),
    })
    key = String(openSealed(((await issued.json()) as { payload: string }).payload).key)
  })
  after(async () => {
    application?.close()
    await server?.stop()
    await postgres?.stop()
  })

  for (const proxy of proxies) {
    test(`${proxy.name} answers 503 with when to come again, and the application hears nothing`, {
      skip: proxy.skip,
    }, async (t) => {
      const running = await startProxy(proxy, { hallpassPort: server.port, appPort })
      t.after(() => running.stop())
      const asked = (headers: Record<string, string>) => ask(running, '/orders', headers)
      assert.equal((await asked({ 'user-api-key': key })).status, 200)
      postgres.freeze()
      t.after(() => postgres.thaw())
      // Until what is in memory may be believed no more.
      await eventually(
        () => asked({ 'user-api-key': key }),
        ({ status }) => status !== 200,
      )
      reached = 0
      for (const headers of [{ 'user-api-key': key }, { 'user-api-key': 'e'.repeat(32) }]) {
        const { status, headers: told, reason } = await asked(headers)
        assert.deepEqual([status, told['retry-after'], reason], [503, '1', 'store_unavailable'])
      }
      assert.equal(reached, 0)
      postgres.thaw()
      await eventually(
        () => asked({ 'user-api-key': key }),
        ({ status }) => status === 200,
        10_000,
      )
    })
  }
})
