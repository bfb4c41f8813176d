/** Both directions are streams: nothing waits for the end of anything, and nothing is kept. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import {
  echo,
  readAll,
  sendRaw,
  startApplication,
  startGateway,
  startRawApplication,
  until,
} from './gateway-site.ts'

const megabyte = 1024 * 1024

describe('a body on its way', () => {
  test('200 MB go up and come back whole', async (t) => {
    const { url } = await startApplication(t, (incoming, outgoing) => incoming.pipe(outgoing))
    const gateway = await startGateway(t, url)
    const chunk = Buffer.alloc(megabyte, 'hallpass')
    const sent = createHash('sha256')
    const got = createHash('sha256')
    const sending = httpRequest(gateway.url, {
      method: 'POST',
      headers: { 'content-length': 200 * megabyte },
    })
    const answered = once(sending, 'response') as Promise<[IncomingMessage]>
    const reading = answered.then(async ([answer]) => {
      let length = 0
      for await (const part of answer) {
        length += (part as Buffer).length
        got.update(part as Buffer)
      }
      return length
    })
    for (let count = 0; count < 200; count += 1) {
      sent.update(chunk)
      if (!sending.write(chunk)) await once(sending, 'drain')
    }
    sending.end()
    assert.equal(await reading, 200 * megabyte)
    assert.equal(got.digest('hex'), sent.digest('hex'))
  })

  test('a caller that does not read holds the application back', async (t) => {
    let written = 0
    let isEnded = false
    const { url } = await startApplication(t, (_incoming, outgoing) => {
      outgoing.on('close', () => {
        isEnded = true
      })
      const chunk = Buffer.alloc(megabyte)
      const more = (): void => {
        while (written < 500 && !outgoing.destroyed) {
          written += 1
          if (!outgoing.write(chunk)) break
        }
      }
      outgoing.on('drain', more)
      more()
    })
    const gateway = await startGateway(t, url, { idleTimeoutMs: 1000 })
    const socket = connect(gateway.port, '127.0.0.1')
    t.after(() => socket.destroy())
    socket.on('error', () => {})
    socket.pause()
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    // The idle limit ends an exchange that stands still.
    await until('the application’s connection is ended', () => isEnded)
    assert.ok(written < 60, `the application wrote ${written} MB to somebody who read nothing`)
  })

  test('an application that does not read holds the caller back', async (t) => {
    const { url } = await startApplication(t, (incoming) => incoming.pause())
    const gateway = await startGateway(t, url)
    const sending = httpRequest(gateway.url, {
      method: 'POST',
      headers: { 'content-length': 500 * megabyte },
    })
    sending.on('error', () => {})
    t.after(() => sending.destroy())
    const chunk = Buffer.alloc(megabyte)
    let count = 0
    while (sending.write(chunk) && count < 500) count += 1
    const drained = once(sending, 'drain')
    for (;;) {
      const isDrained = await Promise.race([
        drained.then(() => true),
        new Promise((go) => setTimeout(go, 500)),
      ])
      if (isDrained !== true) break
      count += 1
      if (count > 100 || !sending.write(chunk)) break
    }
    assert.ok(count < 100, `${count} MB were taken from the caller`)
  })

  test('server-sent events arrive one by one, the head before the first', async (t) => {
    const { promise: go, resolve: send } = Promise.withResolvers<void>()
    const { url } = await startApplication(t, async (_incoming, outgoing) => {
      outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
      outgoing.flushHeaders()
      await go
      outgoing.write('data: one\n\n')
    })
    const gateway = await startGateway(t, url)
    const answer = await fetch(gateway.url)
    assert.equal(answer.headers.get('content-type'), 'text/event-stream')
    send()
    const reader = answer.body?.getReader()
    const first = await reader?.read()
    assert.equal(new TextDecoder().decode(first?.value), 'data: one\n\n')
    await reader?.cancel()
  })

  test('a caller that goes away ends the request to the application', async (t) => {
    let isClosed = false
    const { url } = await startApplication(t, (_incoming, outgoing) => {
      outgoing.write('x')
      outgoing.on('close', () => {
        isClosed = true
      })
    })
    const gateway = await startGateway(t, url)
    const controller = new AbortController()
    await fetch(gateway.url, { signal: controller.signal })
    controller.abort()
    await until('the application hears of it', () => isClosed)
  })
})

describe('the forms of HTTP', () => {
  test('a caller that expects 100 Continue hears it from the application, and only then sends', async (t) => {
    let isAsked = false
    const { url, server } = await startApplication(t, echo)
    server.on('checkContinue', (incoming, outgoing) => {
      isAsked = true
      outgoing.writeContinue()
      server.emit('request', incoming, outgoing)
    })
    const gateway = await startGateway(t, url)
    const sending = httpRequest(gateway.url, {
      method: 'PUT',
      headers: { expect: '100-continue', 'content-length': megabyte },
    })
    await once(sending, 'continue')
    assert.equal(isAsked, true)
    sending.end(Buffer.alloc(megabyte, 'a'))
    const [answer] = (await once(sending, 'response')) as [IncomingMessage]
    assert.equal(answer.statusCode, 200)
    answer.resume()
  })

  test('a refusal spares a caller that expects 100 Continue the body, and ends its connection', async (t) => {
    const { url } = await startApplication(t, echo)
    const gateway = await startGateway(t, url)
    const key = await gateway.site.approvedKey({ scopes: 'read' })
    const head = `PUT / HTTP/1.1\r\nHost: x\r\nUser-Api-Key: ${key}\r\nExpect: 100-continue\r\nContent-Length: ${megabyte}\r\n\r\n`
    const answer = await sendRaw(gateway.port, head)
    assert.match(answer, /^HTTP\/1\.1 403 /)
    assert.match(answer, /connection: close/i)
    assert.match(answer, /scope_insufficient/)
  })

  test('a small body need not wait, for Hallpass’s own routes neither', async (t) => {
    const { url } = await startApplication(t, echo)
    const gateway = await startGateway(t, url)
    for (const path of ['/orders', '/session.json']) {
      const sending = httpRequest(gateway.url + path, {
        method: 'POST',
        headers: {
          expect: '100-continue',
          'content-length': 7,
          'content-type': 'application/x-www-form-urlencoded',
        },
      })
      await once(sending, 'continue')
      sending.end('login=x')
      const [answer] = (await once(sending, 'response')) as [IncomingMessage]
      await readAll(answer)
      assert.equal(answer.statusCode, path === '/orders' ? 200 : 403)
    }
  })

  test('early hints, trailers, 204 and 304 without a body, HEAD with its length', async (t) => {
    const { url } = await startApplication(t, (incoming, outgoing) => {
      if (incoming.url === '/hints') {
        outgoing.writeEarlyHints({ link: '</a.css>; rel=preload' })
        outgoing.writeHead(200, { trailer: 'x-sum' })
        outgoing.write('body')
        outgoing.addTrailers({ 'x-sum': '42' })
        outgoing.end()
      } else if (incoming.url === '/empty') outgoing.writeHead(204, { 'x-a': '1' }).end()
      else if (incoming.url === '/same') outgoing.writeHead(304, { etag: '"1"', 'content-length': '9' }).end()
      else outgoing.writeHead(200, { 'content-length': '1234' }).end()
    })
    const gateway = await startGateway(t, url)
    const sending = httpRequest(`${gateway.url}/hints`).end()
    const answered = once(sending, 'response') as Promise<[IncomingMessage]>
    const [hints] = (await once(sending, 'information')) as [
      { statusCode: number; headers: { link?: string } },
    ]
    assert.deepEqual([hints.statusCode, hints.headers.link], [103, '</a.css>; rel=preload'])
    const [answer] = await answered
    assert.equal((await readAll(answer)).toString(), 'body')
    assert.deepEqual(answer.trailers, { 'x-sum': '42' })
    const empty = await sendRaw(gateway.port, 'GET /empty HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    assert.match(empty, /^HTTP\/1\.1 204 /)
    assert.match(empty, /\r\n\r\n$/)
    assert.equal(/content-length|transfer-encoding/i.test(empty), false)
    const same = await sendRaw(gateway.port, 'GET /same HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    assert.match(same, /^HTTP\/1\.1 304 [\s\S]*\r\n\r\n$/)
    const head = await fetch(gateway.url, { method: 'HEAD' })
    assert.equal(head.headers.get('content-length'), '1234')
  })

  test('an answer that comes before the body is read reaches its caller', async (t) => {
    const { url } = await startApplication(t, (_incoming, outgoing) => {
      outgoing.writeHead(413).end('too much')
    })
    const gateway = await startGateway(t, url)
    const sending = httpRequest(gateway.url, {
      method: 'POST',
      headers: { 'content-length': 300 * megabyte },
    })
    sending.on('error', () => {})
    sending.write(Buffer.alloc(megabyte))
    const [answer] = (await once(sending, 'response')) as [IncomingMessage]
    assert.equal(answer.statusCode, 413)
    assert.equal((await readAll(answer)).toString(), 'too much')
    sending.destroy()
  })

  test('HTTP/1.0 callers get an answer that ends with the connection', async (t) => {
    const { url } = await startApplication(t, (_incoming, outgoing) => {
      outgoing.write('a')
      outgoing.end('b')
    })
    const gateway = await startGateway(t, url)
    const answer = await sendRaw(gateway.port, 'GET / HTTP/1.0\r\nHost: x\r\n\r\n')
    assert.match(answer, /\r\n\r\nab$/)
  })
})

async function startSocketApplication(t: Parameters<typeof startGateway>[0]) {
  const { url, server } = await startApplication(t, echo)
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket, { headers }) => {
    socket.send(
      JSON.stringify({ user: headers['x-hallpass-user'] ?? null, key: headers['user-api-key'] ?? null }),
    )
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  })
  t.after(() => sockets.close())
  return url
}

async function firstMessage(socket: WebSocket): Promise<unknown> {
  const [data] = (await once(socket, 'message')) as [Buffer]
  return JSON.parse(data.toString())
}

describe('a WebSocket', () => {
  test('is authenticated before the upgrade, and then carries what either side sends', async (t) => {
    const gateway = await startGateway(t, await startSocketApplication(t))
    const key = await gateway.site.approvedKey({ scopes: 'read' })
    const socket = new WebSocket(gateway.url.replace('http', 'ws'), { headers: { 'user-api-key': key } })
    assert.deepEqual(await firstMessage(socket), { user: 'sam', key: null })
    const big = Buffer.alloc(3 * megabyte, 'z')
    socket.send(big)
    const [back] = (await once(socket, 'message')) as [Buffer]
    assert.equal(back.equals(big), true)
    socket.close(1000)
    const [code] = await once(socket, 'close')
    assert.equal(code, 1000)
  })

  test('is not opened for a bad key, nor for a path of two readings', async (t) => {
    const gateway = await startGateway(t, await startSocketApplication(t))
    const key = await gateway.site.approvedKey({ scopes: 'read' })
    for (const [path, sent, status] of [
      ['/', 'f'.repeat(32), 403],
      ['/a%2fb', key, 400],
    ] as const) {
      const socket = new WebSocket(gateway.url.replace('http', 'ws') + path, {
        headers: { 'user-api-key': sent },
      })
      socket.on('error', () => {})
      const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
      assert.equal(answer.statusCode, status)
      answer.resume()
    }
  })

  // What an attacker would gain: a page of theirs that talks with the application as its visitor.
  test('of another site’s page is nobody’s, of this site’s it is the visitor’s', async (t) => {
    const gateway = await startGateway(t, await startSocketApplication(t))
    const { cookie } = await gateway.signIn()
    for (const [origin, user] of [
      ['https://evil.example', null],
      [gateway.url, 'sam'],
    ] as const) {
      const socket = new WebSocket(gateway.url.replace('http', 'ws'), { headers: { cookie }, origin })
      assert.deepEqual(await firstMessage(socket), { user, key: null })
      socket.terminate()
    }
  })

  test('that the application does not want is answered with the application’s answer', async (t) => {
    const { url, server } = await startApplication(t, echo)
    server.on('upgrade', (_incoming, socket) =>
      socket.end('HTTP/1.1 401 Who\r\nContent-Length: 3\r\n\r\nwho'),
    )
    const gateway = await startGateway(t, url)
    const socket = new WebSocket(gateway.url.replace('http', 'ws'))
    socket.on('error', () => {})
    const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
    assert.deepEqual([answer.statusCode, (await readAll(answer)).toString()], [401, 'who'])
  })

  test('that is answered with another protocol is not opened', async (t) => {
    const url = await startRawApplication(t, (socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n')
    })
    const gateway = await startGateway(t, url)
    const socket = new WebSocket(gateway.url.replace('http', 'ws'))
    socket.on('error', () => {})
    const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
    assert.equal(answer.statusCode, 502)
    answer.resume()
  })

  test('ends when nobody says anything for too long', async (t) => {
    const gateway = await startGateway(t, await startSocketApplication(t), { idleTimeoutMs: 200 })
    const socket = new WebSocket(gateway.url.replace('http', 'ws'))
    await firstMessage(socket)
    await once(socket, 'close')
  })

  test('ends when the gateway is stopped and its time is over', async (t) => {
    const gateway = await startGateway(t, await startSocketApplication(t))
    const socket = new WebSocket(gateway.url.replace('http', 'ws'))
    await firstMessage(socket)
    const closed = once(socket, 'close')
    await gateway.server.close(50)
    await closed
  })

  test('is the only upgrade: one to HTTP/2 is an ordinary request', async (t) => {
    const { url } = await startApplication(t, echo)
    const gateway = await startGateway(t, url)
    const head =
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n'
    const answer = await sendRaw(gateway.port, head)
    assert.match(answer, /^HTTP\/1\.1 200 /)
    assert.equal(/h2c|http2-settings/i.test(answer), false)
  })
})
