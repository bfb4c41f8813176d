import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import type { OutboundAnswer } from '../../src/domain/ports.ts'
import { createOutbound, type HostAddress, type OutboundOptions } from '../../src/server/outbound.ts'
import { startReceiver } from '../push-receiver.ts'

const sent = { headers: { 'content-type': 'application/json' }, body: '{"a":"ü"}', timeoutMs: 5000 }
const local: HostAddress = { address: '127.0.0.1', family: 4 }
/** Another address of this host, where nothing listens. */
const other: HostAddress = { address: '127.0.0.2', family: 4 }
const isOther = (address: string): boolean => address === other.address
const anywhere: OutboundOptions = { mayReach: () => true }

function post(address: string, options?: OutboundOptions, timeoutMs = 5000): Promise<OutboundAnswer> {
  return createOutbound(options).post(address, { ...sent, timeoutMs })
}

function problem(answer: OutboundAnswer): string {
  return answer.outcome === 'answered' ? `answered ${answer.status}` : answer.problem
}

/** A server that does with each connection what it is told. */
async function listenRaw(t: TestContext, serve: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    serve(socket)
  })
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${await portOf(server)}/`
}

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

// What an attacker would gain: a server of ours that talks to what only it can reach, such as a cloud's metadata service.
describe('an outbound request to what is not public', () => {
  const literals = [
    '127.0.0.1',
    '127.1',
    '0x7f000001',
    '2130706433',
    '0177.0.0.1',
    '0.0.0.0',
    '0',
    '10.0.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '198.18.0.1',
    '224.0.0.1',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:a9fe:a9fe]',
    '[64:ff9b::a9fe:a9fe]',
    '[2002:7f00:1::]',
    '[fd00:ec2::254]',
    '[fe80::1]',
    '①②⑦.⓪.⓪.①',
    '127。0。0。1',
  ]
  for (const host of literals) {
    test(`refuses ${host}`, async () => {
      await using receiver = await startReceiver()
      const { port } = new URL(receiver.url)
      const answer = await post(`http://${host}:${port}/`)
      assert.equal(answer.outcome, 'refused')
      assert.match(problem(answer), /not an address of the public internet/)
      assert.equal(receiver.received.length, 0)
    })
  }

  test('refuses a name that leads there', async () => {
    await using receiver = await startReceiver()
    const { port } = new URL(receiver.url)
    for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '10.1.2.3', 'fd00:ec2::254']) {
      const resolve = async () => [{ address, family: address.includes(':') ? 6 : 4 }]
      const answer = await post(`http://push.example.com:${port}/`, { resolve })
      assert.match(problem(answer), /leads to .* not an address of the public internet/)
    }
    assert.match(problem(await post(`http://localhost:${port}/`)), /not an address of the public internet/)
    assert.equal(receiver.received.length, 0)
  })

  test('looks a name up once, so that it cannot mean another address to the connection', async () => {
    await using receiver = await startReceiver()
    const { port } = new URL(receiver.url)
    let asked = 0
    const resolve = async () => {
      asked += 1
      return asked === 1 ? [other] : [local]
    }
    // Nothing listens at the other address. A second look-up would lead to the receiver.
    const answer = await post(`http://push.example.com:${port}/`, { resolve, mayReach: isOther })
    assert.equal(answer.outcome, 'failed')
    assert.equal(asked, 1)
    assert.equal(receiver.received.length, 0)
  })

  test('checks a name anew for each request', async () => {
    await using receiver = await startReceiver()
    const { port } = new URL(receiver.url)
    const found = [local, other]
    const resolve = async () => found.splice(0, 1)
    const outbound = createOutbound({ resolve, mayReach: (address) => !isOther(address) })
    const answers = [1, 2].map(() => outbound.post(`http://push.example.com:${port}/`, sent))
    const [first, second] = await Promise.all(answers)
    assert.equal(first?.outcome, 'answered')
    assert.match(second === undefined ? '' : problem(second), /leads to 127\.0\.0\.2/)
  })

  test('connects to those of a name’s addresses that may be reached, and to no other', async () => {
    await using receiver = await startReceiver()
    const { port } = new URL(receiver.url)
    const resolve = async () => [local, other]
    const answer = await post(`http://push.example.com:${port}/`, { resolve, mayReach: isOther })
    assert.equal(answer.outcome, 'failed')
    assert.equal(receiver.received.length, 0)
  })

  test('is sent when it is allowed, by address and by name', async () => {
    await using receiver = await startReceiver()
    const { port } = new URL(receiver.url)
    const allowed = { ...anywhere, resolve: async () => [local] }
    assert.equal((await post(`${receiver.url}/a?b=c`, allowed)).outcome, 'answered')
    assert.equal((await post(`http://push.example.com:${port}/`, allowed)).outcome, 'answered')
    const [first, second] = receiver.received
    assert.deepEqual([first?.method, first?.path, first?.body], ['POST', '/a?b=c', sent.body])
    assert.equal(first?.headers['content-length'], '10')
    assert.equal(second?.headers.host, `push.example.com:${port}`)
  })
})

describe('an outbound request', () => {
  const addresses: [address: string, problem: RegExp][] = [
    ['ftp://8.8.8.8/', /neither an http nor an https/],
    ['file:///etc/passwd', /neither an http nor an https/],
    ['gopher://8.8.8.8/', /neither an http nor an https/],
    ['http://user:pass@8.8.8.8/', /user name or a password/],
    ['http://user@8.8.8.8/', /user name or a password/],
    ['nonsense', /no address/],
    ['', /no address/],
    ['http://', /no address/],
  ]
  for (const [address, expected] of addresses) {
    test(`is refused to ${address || 'nothing'}`, async () => {
      const answer = await post(address, anywhere)
      assert.equal(answer.outcome, 'refused')
      assert.match(problem(answer), expected)
    })
  }

  test('follows no redirect', async () => {
    await using secret = await startReceiver()
    for (const status of [301, 302, 303, 307, 308]) {
      await using receiver = await startReceiver([
        (response) => response.writeHead(status, { location: secret.url }).end(),
      ])
      const answer = await post(receiver.url, anywhere)
      assert.deepEqual(answer, { outcome: 'answered', status, retryAfter: undefined })
    }
    assert.equal(secret.received.length, 0)
  })

  test('tells the wait that was asked for', async () => {
    await using receiver = await startReceiver([
      (response) => response.writeHead(503, { 'retry-after': '120' }).end(),
    ])
    const answer = await post(receiver.url, anywhere)
    assert.deepEqual(answer, { outcome: 'answered', status: 503, retryAfter: '120' })
  })

  test('ends in time when nothing is answered', async () => {
    await using receiver = await startReceiver([() => {}])
    assert.match(problem(await post(receiver.url, anywhere, 50)), /did not answer within 0\.05 s/)
  })

  test('ends in time when headers come drop by drop, or never stop', async (t) => {
    const slow = await listenRaw(t, (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const timer = setInterval(() => socket.write('x: y\r\n'), 5)
      socket.on('close', () => clearInterval(timer))
    })
    assert.match(problem(await post(slow, anywhere, 100)), /did not answer within 0\.1 s/)
    const interim = await listenRaw(t, (socket) => {
      const timer = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 5)
      socket.on('close', () => clearInterval(timer))
    })
    assert.match(problem(await post(interim, anywhere, 100)), /did not answer within 0\.1 s/)
    const huge = await listenRaw(t, (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`)
    })
    assert.match(problem(await post(huge, anywhere)), /HPE_HEADER_OVERFLOW/)
  })

  test('takes the status of an answer whose body never ends, and reads little of it', async (t) => {
    let written = 0
    const endless = await listenRaw(t, (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const chunk = Buffer.alloc(64 * 1024)
      const write = (): void => {
        while (!socket.destroyed && socket.write(chunk)) written += chunk.length
      }
      socket.on('drain', write)
      write()
    })
    const answer = await post(endless, anywhere)
    assert.deepEqual(answer, { outcome: 'answered', status: 200, retryAfter: undefined })
    // What the kernel's buffers on the way hold was written, and not read.
    assert.ok(written < 32 * 1024 * 1024)
  })

  test('takes the status of an answer whose body comes drop by drop, when its time is over', async (t) => {
    const slow = await listenRaw(t, (socket) => {
      socket.write('HTTP/1.1 202 Accepted\r\n\r\n')
      const timer = setInterval(() => socket.write('.'), 5)
      socket.on('close', () => clearInterval(timer))
    })
    assert.equal(problem(await post(slow, anywhere, 100)), 'answered 202')
  })

  const garbage: [what: string, bytes: string][] = [
    ['what is not HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['a status that is none', 'HTTP/1.1 abc\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx'],
    ['nothing', ''],
    ['half a status line', 'HTTP/1.1 20'],
    ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'],
  ]
  for (const [what, bytes] of garbage) {
    test(`fails on ${what}`, async (t) => {
      const address = await listenRaw(t, (socket) => socket.once('data', () => socket.end(bytes)))
      const answer = await post(address, anywhere)
      assert.equal(answer.outcome, 'failed')
    })
  }

  test('says so when nothing listens', async (t) => {
    const server = createServer()
    const port = await portOf(server)
    await new Promise((resolve) => server.close(resolve))
    t.assert.match(problem(await post(`http://127.0.0.1:${port}/`, anywhere)), /nothing listens/)
  })

  test('says so when the host is unknown', async () => {
    const resolve = async () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' }))
    assert.match(problem(await post('http://push.example.com/', { resolve })), /its host is unknown/)
    const nowhere = await post('http://push.example.com/', { resolve: async () => [] })
    assert.match(problem(nowhere), /its host has no address/)
  })

  test('waits no longer than it may for a name that is not resolved', async () => {
    const resolve = (): Promise<HostAddress[]> => new Promise(() => {})
    assert.match(problem(await post('http://push.example.com/', { resolve }, 50)), /did not answer within/)
  })

  test('can be broken off', async () => {
    const controller = new AbortController()
    await using receiver = await startReceiver([() => controller.abort()])
    const outbound = createOutbound(anywhere)
    const answer = await outbound.post(receiver.url, { ...sent, signal: controller.signal })
    assert.match(problem(answer), /broken off/)
    const late = await outbound.post(receiver.url, { ...sent, signal: controller.signal })
    assert.match(problem(late), /broken off/)
    assert.equal(receiver.received.length, 1)
  })

  // What an attacker would gain: somebody between the site and a receiver would read what is pushed, and the secret.
  test('refuses a certificate that nobody vouches for, whatever the environment says', async (t) => {
    const pem = execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        '-',
        '-days',
        '1',
        '-subj',
        '/CN=localhost',
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    )
    let received = 0
    const server = createTlsServer({ key: pem, cert: pem }, (_request, response) => {
      received += 1
      response.end()
    })
    t.after(() => server.close())
    const port = await portOf(server)
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED
    t.after(() => {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before
    })
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    const answer = await post(`https://127.0.0.1:${port}/`, anywhere)
    assert.match(problem(answer), /self-signed/)
    assert.equal(received, 0)
  })

  test('speaks plainly of a receiver without TLS', async () => {
    await using receiver = await startReceiver()
    const answer = await post(receiver.url.replace('http:', 'https:'), anywhere)
    assert.match(problem(answer), /does not speak TLS|could not be reached/)
  })
})
