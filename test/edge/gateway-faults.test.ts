/** An application that is down, slow, or answers garbage: the caller hears which, and Hallpass goes on. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { type GatewayOptions, nodeGateway } from '../../src/edge/gateway.ts'
import { listenWith } from '../../src/edge/node-server.ts'
import { freePort } from '../running-server.ts'
import { echo, sendRaw, startApplication, startGateway, startRawApplication, until } from './gateway-site.ts'

async function inFrontOf(
  t: TestContext,
  answer: (socket: Socket) => void,
  options: Partial<GatewayOptions> = {},
) {
  return startGateway(t, await startRawApplication(t, answer), options)
}

async function refusalOf(answer: Response): Promise<[number, string]> {
  return [answer.status, ((await answer.json()) as { reason: string }).reason]
}

describe('an application that is down', () => {
  test('is said to be, to programs in JSON and to people on a page, and the operator hears why', async (t) => {
    const gateway = await startGateway(t, `http://127.0.0.1:${await freePort()}`)
    assert.deepEqual(await refusalOf(await fetch(gateway.url)), [502, 'upstream_unreachable'])
    const page = await fetch(gateway.url, { headers: { accept: 'text/html' } })
    assert.equal(page.status, 502)
    assert.match(await page.text(), /cannot be reached/)
    assert.match(String(gateway.problems[0]), /ECONNREFUSED/)
    assert.equal((await fetch(`${gateway.url}/healthz`)).status, 200)
  })

  test('is asked again as soon as it is back', async (t) => {
    const port = await freePort()
    const gateway = await startGateway(t, `http://127.0.0.1:${port}`)
    assert.equal((await fetch(gateway.url)).status, 502)
    for (const round of [1, 2]) {
      const server = createServer(echo).listen(port, '127.0.0.1')
      await once(server, 'listening')
      assert.equal((await fetch(gateway.url)).status, 200, `round ${round}`)
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    }
    assert.deepEqual(await refusalOf(await fetch(gateway.url, { method: 'POST', body: 'x' })), [
      502,
      'upstream_unreachable',
    ])
  })

  test('by a name that there is not', async (t) => {
    const gateway = await startGateway(t, 'http://nowhere.invalid')
    assert.deepEqual(await refusalOf(await fetch(gateway.url)), [502, 'upstream_unreachable'])
  })
})

describe('an application that is slow', () => {
  test('to answer', async (t) => {
    const gateway = await inFrontOf(t, () => {}, { responseTimeoutMs: 50 })
    assert.deepEqual(await refusalOf(await fetch(gateway.url)), [504, 'upstream_timeout'])
    assert.deepEqual(await refusalOf(await fetch(gateway.url, { method: 'POST', body: 'x' })), [
      504,
      'upstream_timeout',
    ])
  })

  test('to end its headers', async (t) => {
    const gateway = await inFrontOf(
      t,
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n')
        const timer = setInterval(() => socket.write('X-A: b\r\n'), 10)
        socket.on('close', () => clearInterval(timer))
      },
      { responseTimeoutMs: 200 },
    )
    assert.deepEqual(await refusalOf(await fetch(gateway.url)), [504, 'upstream_timeout'])
  })

  test('in the middle of its answer: the caller’s connection breaks', async (t) => {
    const gateway = await inFrontOf(
      t,
      (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
      { idleTimeoutMs: 100 },
    )
    const answer = await fetch(gateway.url)
    await assert.rejects(answer.text())
  })

  test('but goes on sending, takes as long as it likes', async (t) => {
    const gateway = await inFrontOf(
      t,
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n')
        let count = 0
        const timer = setInterval(() => {
          count += 1
          socket.write('x')
          if (count === 20) clearInterval(timer)
        }, 40)
      },
      { idleTimeoutMs: 300, responseTimeoutMs: 200 },
    )
    assert.equal(await (await fetch(gateway.url)).text(), 'x'.repeat(20))
  })
})

const garbage: Readonly<Record<string, string>> = {
  'no HTTP': 'hello\r\n\r\n',
  'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
  'two equal lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na',
  'a length and chunks':
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'a folded header': 'HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 0\r\n\r\n',
  'a space before the colon': 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n',
  'headers without end': `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(80 * 1024)}\r\n\r\n`,
  'a status of four digits': 'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n',
  'a status of 0': 'HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n',
  'an upgrade that nobody asked for':
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
}

describe('an application that answers', () => {
  for (const [what, text] of Object.entries(garbage)) {
    test(`${what} has answered nothing`, async (t) => {
      const gateway = await inFrontOf(t, (socket) => socket.end(text, 'latin1'))
      assert.deepEqual(await refusalOf(await fetch(gateway.url)), [502, 'upstream_invalid'])
      assert.equal(gateway.problems.length, 1)
    })
  }

  test('nothing, and closes, has answered nothing', async (t) => {
    const gateway = await inFrontOf(t, (socket) => socket.destroy())
    assert.deepEqual(await refusalOf(await fetch(gateway.url)), [502, 'upstream_invalid'])
  })

  for (const [what, text, http] of [
    ['less than its length', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf', '1.1'],
    ['chunks without end', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', '1.1'],
    ['a bad chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n', '1.1'],
    [
      'chunks without end, to HTTP/1.0',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
      '1.0',
    ],
  ] as const) {
    // What an attacker would gain: half a document that is taken, and kept by caches, for the whole.
    test(`${what} breaks the caller’s connection`, async (t) => {
      const gateway = await inFrontOf(t, (socket) => socket.end(text))
      if (http === '1.1') {
        await assert.rejects(async () => (await fetch(gateway.url)).text())
        return
      }
      const { connect } = await import('node:net')
      const socket = connect(gateway.port, '127.0.0.1')
      socket.resume()
      socket.write('GET / HTTP/1.0\r\nHost: x\r\n\r\n')
      const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
      assert.equal(error.code, 'ECONNRESET')
    })
  }

  test('through this very gateway is noticed', async (t) => {
    const port = await freePort()
    const gateway = await startGateway(t, `http://127.0.0.1:${port}`)
    const inner = nodeGateway(gateway.site.hallpass, {
      upstream: `http://127.0.0.1:${port}`,
      onError: () => {},
    })
    const server = createServer((incoming, outgoing) => inner.request(incoming, outgoing)).listen(
      port,
      '127.0.0.1',
    )
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
    await once(server, 'listening')
    assert.deepEqual(await refusalOf(await fetch(`http://127.0.0.1:${port}`)), [502, 'upstream_invalid'])
  })
})

test('a fault while somebody is let in is told with the caller’s trace', async (t) => {
  const { site } = await startGateway(t, `http://127.0.0.1:${await freePort()}`)
  const told: string[] = []
  const listeners = nodeGateway(
    { ...site.hallpass, authenticate: () => Promise.reject(new Error('out of order')) },
    { upstream: 'http://127.0.0.1:9', onError: (_error, { trace }) => told.push(trace.id) },
  )
  const server = await listenWith(listeners, { port: 0, host: '127.0.0.1' })
  t.after(() => server.close(0))
  const id = '0af7651916cd43dd8448eb211c80319c'
  const headers = { traceparent: `00-${id}-b7ad6b7169203331-01` }
  assert.equal((await fetch(`http://127.0.0.1:${server.port}/orders`, { headers })).status, 502)
  assert.deepEqual(told, [id])
})

describe('a connection that the application closed meanwhile', () => {
  for (const [method, tries] of [
    ['GET', 3],
    ['POST', 2],
  ] as const) {
    test(`${method} is sent ${tries === 3 ? 'again' : 'once: it may have been carried out'}`, async (t) => {
      let count = 0
      const gateway = await inFrontOf(t, (socket) => {
        count += 1
        if (count === 2) socket.destroy()
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      })
      assert.equal((await fetch(gateway.url)).status, 200)
      const init = method === 'POST' ? { method, body: 'x' } : {}
      assert.equal((await fetch(gateway.url, init)).status, method === 'GET' ? 200 : 502)
      assert.equal(count, tries)
    })
  }
})

describe('stopping the gateway', () => {
  test('lets requests end that are on their way, and takes no new ones', async (t) => {
    const { promise: go, resolve: finish } = Promise.withResolvers<void>()
    let isAsked = false
    const { url } = await startApplication(t, async (_incoming, outgoing) => {
      isAsked = true
      await go
      outgoing.end('done')
    })
    const gateway = await startGateway(t, url)
    const asking = fetch(gateway.url)
    await until('the application is asked', () => isAsked)
    const stopped = gateway.server.close(10_000)
    await assert.rejects(fetch(gateway.url))
    finish()
    assert.equal(await (await asking).text(), 'done')
    await stopped
  })

  test('ends a stream that has no end once its time is over', async (t) => {
    const { url } = await startApplication(t, (_incoming, outgoing) => outgoing.write('x'))
    const gateway = await startGateway(t, url)
    const answer = await fetch(gateway.url)
    await gateway.server.close(50)
    await assert.rejects(answer.text())
  })
})

describe('a caller that stands still', () => {
  test('in the middle of a body is given up', async (t) => {
    const gateway = await inFrontOf(t, () => {}, { idleTimeoutMs: 100 })
    const answer = await sendRaw(gateway.port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf')
    assert.match(answer, /^HTTP\/1\.1 504 /)
  })

  test('with headers larger than 32 KiB is refused', async (t) => {
    const gateway = await startGateway(t, 'http://127.0.0.1:1')
    const text = `GET / HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(40 * 1024)}\r\n\r\n`
    assert.match(await sendRaw(gateway.port, text), /^HTTP\/1\.1 431 /)
  })
})

describe('nodeGateway', () => {
  for (const upstream of ['ftp://x', 'http://x/path', 'http://a@x', 'x', 'http://x?y']) {
    test(`cannot be made in front of ${upstream}`, async (t) => {
      await assert.rejects(startGateway(t, upstream), TypeError)
    })
  }
})

// What an application, or somebody who chooses what it links to, would gain otherwise: one answer ends the whole process.
describe('early hints', () => {
  const cases: readonly [what: string, head: string, passedOn: readonly string[]][] = [
    [
      'of two links in one line',
      'Link: </a.css>; rel=preload; as=style, </b.js>; rel=preload; as=script\r\n',
      ['</a.css>; rel=preload; as=style, </b.js>; rel=preload; as=script'],
    ],
    [
      'of two lines',
      'Link: </a.css>; rel=preload\r\nLink: </b.js>; rel=preload\r\n',
      ['</a.css>; rel=preload, </b.js>; rel=preload'],
    ],
    ['with a comma in an address', 'Link: </a,b.css>; rel=preload\r\n', ['</a,b.css>; rel=preload']],
    [
      'of which one cannot be handed on',
      'Link: </a.css>; rel="preload stylesheet", </b.js>; rel=preload\r\n',
      ['</b.js>; rel=preload'],
    ],
    ['that are no links', 'Link: bad\r\n', []],
    ['that are empty', 'Link: ,\r\n', []],
    ['with bytes beyond ASCII', 'Link: </\xe9>; rel=preload; title="\xff\r\n', []],
    ['that are longer than any', `Link: ${'<'.repeat(60_000)}\r\n`, []],
    ['without a link', 'X-A: b\r\n', []],
  ]
  for (const [what, head, passedOn] of cases) {
    test(`${what} do no harm, and the answer comes`, async (t) => {
      const gateway = await inFrontOf(t, (socket) =>
        socket.end(
          Buffer.from(
            `HTTP/1.1 103 Early Hints\r\n${head}\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`,
            'latin1',
          ),
        ),
      )
      const answer = await sendRaw(gateway.port, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
      assert.match(answer, /HTTP\/1\.1 200 OK[\s\S]*ok$/)
      const [hints] = answer.split('HTTP/1.1 200 OK')
      const links = [...(hints ?? '').matchAll(/^link: (.*)\r$/gim)].map(([, link]) => link)
      assert.deepEqual(links, passedOn)
    })
  }
})

test('trailers hold nothing that is Hallpass’s to say', async (t) => {
  const gateway = await inFrontOf(t, (socket) =>
    socket.end(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 42\r\nX-Hallpass-User: root\r\nX_Hallpass_User: root\r\nAccess-Control-Allow-Origin: *\r\nSet-Cookie: a=b\r\n\r\n',
    ),
  )
  const answer = await sendRaw(gateway.port, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  assert.match(answer, /0\r\nx-sum: 42\r\n\r\n$/i)
})
