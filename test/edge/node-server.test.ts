import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { listen } from '../../src/edge/node-server.ts'

const answering = () => listen(async () => new Response('done'), { port: 0, host: '127.0.0.1' })

test('a request that comes on an open connection just as the server is closed is answered, and ends it', async () => {
  const server = await answering()
  const socket = connect(server.port, '127.0.0.1')
  await once(socket, 'connect')
  // So that the server has taken the connection.
  await (await fetch(`http://127.0.0.1:${server.port}/`, { headers: { connection: 'close' } })).text()
  const closed = server.close()
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const answer = await text(socket)
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
  assert.match(answer, /\r\nconnection: close\r\n/i)
  assert.match(answer, /done/)
  await closed
})

test('a connection that brings nothing does not keep a server that is closed', async () => {
  const server = await answering()
  const socket = connect(server.port, '127.0.0.1')
  await once(socket, 'connect')
  await (await fetch(`http://127.0.0.1:${server.port}/`)).text()
  const since = performance.now()
  await server.close()
  assert.ok(performance.now() - since < 3000)
  socket.destroy()
})
