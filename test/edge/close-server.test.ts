import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { test } from 'node:test'
import { listen } from '../../src/edge/node-server.ts'

// What callers would gain: a request on a connection that the server had offered to keep, answered by a reset.
test('while a server drains, a connection that was kept is answered once more, and told that it is the end', async (t) => {
  const server = await listen(async () => new Response('here'), { port: 0, host: '127.0.0.1' })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const ask = async (): Promise<string | undefined> => {
    const asked = request({ port: server.port, host: '127.0.0.1', agent }).end()
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    answer.resume()
    await once(answer, 'end')
    return answer.headers.connection
  }
  assert.equal(await ask(), 'keep-alive')
  const closed = server.close(5000, 60_000)
  assert.equal(await ask(), 'close')
  // With its last connection the server is closed, however long it might have waited.
  await closed
})
