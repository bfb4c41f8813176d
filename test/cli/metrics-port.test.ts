import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startServer } from '../running-server.ts'

/** The address that the server says its metrics are at. */
function metricsAddress(output: string): string {
  const [, address] = /^ {2}metrics +(\S+)$/m.exec(output) ?? []
  assert.ok(address, output)
  return address
}

describe('hallpass serve --metrics-port', () => {
  test('tells whoever reaches the port, and nothing else there', async (t) => {
    const server = await startServer({ flags: ['--metrics-port', '0'] })
    t.after(() => server.stop())
    const address = metricsAddress(server.output())
    const answer = await fetch(address)
    assert.equal(answer.status, 200)
    assert.match(await answer.text(), /^hallpass_cache_keys 1$/m)
    assert.equal((await fetch(address.replace('/metrics', '/session/current.json'))).status, 404)
    assert.equal((await fetch(`${server.baseUrl}/metrics`)).status, 404)
  })

  test('tells of all workers together', async (t) => {
    const server = await startServer({ flags: ['--metrics-port', '0', '--workers', '2'] })
    t.after(() => server.stop())
    const headers = { 'api-key': server.adminApiKey, 'api-username': 'admin' }
    const count = async (): Promise<number> => {
      const text = await (await fetch(metricsAddress(server.output()))).text()
      const name = 'hallpass_verifications_total{credential="api_key",result="authenticated"}'
      return Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${name} `))
          ?.slice(name.length),
      )
    }
    const before = await count()
    for (let nth = 0; nth < 6; nth += 1) {
      // A connection each, so that both workers get some.
      const answer = await fetch(`${server.baseUrl}/session/current.json`, {
        headers: { ...headers, connection: 'close' },
      })
      assert.equal(answer.status, 200)
      await answer.arrayBuffer()
    }
    assert.equal(await count(), before + 6)
  })
})
