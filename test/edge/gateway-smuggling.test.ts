/**
 * What reaches the application is well-formed, is one request for one, and asks for the very path that was decided on.
 * What an attacker would gain otherwise: a request of theirs that Hallpass never saw, inside one that it let through.
 */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { sendRaw, startGateway, startRawApplication } from './gateway-site.ts'

/** An application that keeps every byte that it is sent, and answers each request with `ok`. */
async function startListening(t: TestContext) {
  const heads: string[] = []
  const url = await startRawApplication(t, (socket, head) => {
    heads.push(head)
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  })
  return { heads, ...(await startGateway(t, url)) }
}

const host = 'Host: x\r\n'
const close = 'Connection: close\r\n'

const refusedByTheParser: Readonly<Record<string, string>> = {
  'Content-Length beside Transfer-Encoding': `POST / HTTP/1.1\r\n${host}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'Transfer-Encoding beside Content-Length': `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n`,
  'two lengths': `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
  'two equal lengths': `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`,
  'a list of lengths': `POST / HTTP/1.1\r\n${host}Content-Length: 1, 1\r\n\r\na`,
  'a length with a sign': `POST / HTTP/1.1\r\n${host}Content-Length: +1\r\n\r\na`,
  'a length in hexadecimal': `POST / HTTP/1.1\r\n${host}Content-Length: 0x1\r\n\r\na`,
  'two codings': `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
  'a coding that is not chunked': `POST / HTTP/1.1\r\n${host}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
  'identity as a coding': `POST / HTTP/1.1\r\n${host}Transfer-Encoding: identity\r\n\r\n`,
  'a coding in quotes': `POST / HTTP/1.1\r\n${host}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n`,
  'a coding behind a vertical tab': `POST / HTTP/1.1\r\n${host}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`,
  'a space before the colon': `POST / HTTP/1.1\r\n${host}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
  'a folded header': `GET / HTTP/1.1\r\n${host}X-A: b\r\n c\r\n\r\n`,
  'a first header that is folded': `GET / HTTP/1.1\r\n X-A: b\r\n${host}\r\n`,
  'lines that end with a line feed alone': `GET / HTTP/1.1\nHost: x\n\n`,
  'one such line': `GET / HTTP/1.1\r\n${host}X-A: b\nX-B: c\r\n\r\n`,
  'a carriage return alone': `GET / HTTP/1.1\r\n${host}X-A: b\rX-B: c\r\n\r\n`,
  'a NUL': `GET / HTTP/1.1\r\n${host}X-A: b\0c\r\n\r\n`,
  'a header without a name': `GET / HTTP/1.1\r\n${host}: b\r\n\r\n`,
  'chunks that end with a line feed alone': `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n`,
  'a line feed in a chunk’s extension': `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n1;a\nx\r\n0\r\n\r\n`,
  'a chunk of negative size': `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n`,
  'a chunk whose size passes 64 bits': `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nx\r\n0\r\n\r\n`,
  'a space in the path': `GET /a b HTTP/1.1\r\n${host}\r\n`,
  'a control character in the path': `GET /\x01 HTTP/1.1\r\n${host}\r\n`,
  'a byte beyond ASCII in the path': `GET /\xe9 HTTP/1.1\r\n${host}\r\n`,
  'no Host': 'GET / HTTP/1.1\r\n\r\n',
  'HTTP/0.9': 'GET /\r\n\r\n',
  'a method in small letters': `get / HTTP/1.1\r\n${host}\r\n`,
}

describe('what Node’s parser refuses never reaches the application', () => {
  for (const [what, text] of Object.entries(refusedByTheParser)) {
    test(what, async (t) => {
      const { port, heads } = await startListening(t)
      const answer = await sendRaw(port, text)
      assert.match(answer, /HTTP\/1\.1 400 /)
      // A body that turns out bad when its head has gone on already reaches nobody as a whole.
      assert.equal(heads.filter((head) => !/transfer-encoding: chunked/i.test(head)).length, 0)
      assert.equal(/200 OK/.test(answer) && heads.length > 1, false)
    })
  }
})

const refusedHere: Readonly<Record<string, string>> = {
  'a coding beside chunked': `POST / HTTP/1.1\r\n${host}${close}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  'chunks in HTTP/1.0': `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'two hosts': `GET / HTTP/1.1\r\n${host}Host: y\r\n${close}\r\n`,
  'a host that is none': `GET / HTTP/1.1\r\nHost: x/y@z\r\n${close}\r\n`,
  'two keys': `GET / HTTP/1.1\r\n${host}${close}User-Api-Key: a\r\nUser-Api-Key: b\r\n\r\n`,
  'two keys in two spellings': `GET / HTTP/1.1\r\n${host}${close}User-Api-Key: a\r\nUser_Api_Key: b\r\n\r\n`,
  'two authorizations': `GET / HTTP/1.1\r\n${host}${close}Authorization: a\r\nAuthorization: b\r\n\r\n`,
  'a length in two spellings': `POST / HTTP/1.1\r\n${host}${close}Content-Length: 1\r\nContent_Length: 9\r\n\r\na`,
  'an address of another host': `GET http://y/ HTTP/1.1\r\n${host}${close}\r\n`,
  'an address of another kind': `GET ftp://x/ HTTP/1.1\r\n${host}${close}\r\n`,
  'an asterisk': `OPTIONS * HTTP/1.1\r\n${host}${close}\r\n`,
  'a fragment': `GET /a#b HTTP/1.1\r\n${host}${close}\r\n`,
  'HTTP/2 in the form of HTTP/1': `GET / HTTP/2.0\r\n${host}${close}\r\n`,
}

describe('what the gateway refuses never reaches the application', () => {
  for (const [what, text] of Object.entries(refusedHere)) {
    test(what, async (t) => {
      const { port, heads } = await startListening(t)
      const answer = await sendRaw(port, text)
      assert.match(answer, /^HTTP\/1\.1 400 /)
      assert.match(answer, /"reason":"request_ambiguous"/)
      assert.deepEqual(heads, [])
    })
  }

  test('TRACE, and CONNECT', async (t) => {
    const { port, heads } = await startListening(t)
    const trace = await sendRaw(port, `TRACE / HTTP/1.1\r\n${host}${close}\r\n`)
    assert.match(trace, /^HTTP\/1\.1 405 [\s\S]*"reason":"method_not_forwarded"/)
    assert.equal(await sendRaw(port, `CONNECT x:80 HTTP/1.1\r\n${host}\r\n`), '')
    assert.deepEqual(heads, [])
  })

  test('an upgrade with a body', async (t) => {
    const { port, heads } = await startListening(t)
    const text = `GET / HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\nabc`
    assert.match(await sendRaw(port, text), /"reason":"request_ambiguous"/)
    assert.deepEqual(heads, [])
  })
})

describe('what reaches the application', () => {
  test('is chunked anew: neither extensions nor trailers get through', async (t) => {
    let bytes = ''
    const url = await startRawApplication(t, (socket, head, rest) => {
      bytes += `${head}\r\n\r\n${rest}`
      const answer = (): void => {
        if (bytes.endsWith('\r\n0\r\n\r\n')) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      }
      socket.on('data', (chunk) => {
        bytes += chunk.toString('latin1')
        answer()
      })
      answer()
    })
    const { port } = await startGateway(t, url)
    const text = `POST / HTTP/1.1\r\n${host}${close}Trailer: X-Hallpass-User\r\nTransfer-Encoding: CHUNKED\r\n\r\n2;a="b"\r\nhi\r\n0;c\r\nX-Hallpass-User: admin\r\n\r\n`
    assert.match(await sendRaw(port, text), /^HTTP\/1\.1 200 /)
    assert.match(bytes, /transfer-encoding: chunked/i)
    assert.match(bytes, /2\r\nhi\r\n0\r\n\r\n$/)
    assert.equal(/hallpass-user|a="b"|;c|trailer/i.test(bytes), false)
  })

  test('is one request for one, with what looks like another in its body', async (t) => {
    const { port, heads } = await startListening(t)
    const inner = 'GET /admin HTTP/1.1\r\nHost: x\r\n\r\n'
    const text = `POST /a HTTP/1.1\r\n${host}${close}Content-Length: ${inner.length}\r\n\r\n${inner}`
    await sendRaw(port, text)
    // The raw application takes what follows the head for more; it is the body, on the same connection.
    assert.match(heads[0] ?? '', new RegExp(`content-length: ${inner.length}`, 'i'))
  })

  test('names in Connection take away no header of the gateway’s, and no length', async (t) => {
    const { port, heads, site } = await startListening(t)
    const key = await site.approvedKey({ scopes: 'read,write' })
    const named = 'Connection: close, X-Hallpass-User, X-Forwarded-For, Content-Length, Host, X-Mine'
    await sendRaw(
      port,
      `POST / HTTP/1.1\r\n${host}${named}\r\nX-Mine: 1\r\nUser-Api-Key: ${key}\r\nContent-Length: 2\r\n\r\nhi`,
    )
    const head = heads[0] ?? ''
    assert.match(head, /^POST \/ HTTP\/1\.1\r\nHost: x\r\n/)
    assert.match(head, /x-hallpass-user: sam/)
    assert.match(head, /X-Forwarded-For: 127\.0\.0\.1/)
    assert.match(head, /Content-Length: 2/)
    assert.equal(/x-mine/i.test(head), false)
  })

  test('has an address of this host as a path', async (t) => {
    const { port, heads } = await startListening(t)
    await sendRaw(port, `GET http://X/a?b HTTP/1.1\r\n${host}${close}\r\n`)
    await sendRaw(port, `GET http://x?b HTTP/1.1\r\n${host}${close}\r\n`)
    assert.deepEqual(
      heads.map((head) => head.split('\r\n')[0]),
      ['GET /a?b HTTP/1.1', 'GET /?b HTTP/1.1'],
    )
  })
})

const ambiguous = [
  '/a/../admin',
  '/a/%2e%2e/admin',
  '/a%2fb',
  '/a//b',
  '//evil.example/a',
  '/a\\b',
  '/a%5cb',
  '/a/..;/admin',
  '/%2561dmin',
  '/a/./b',
  '/a%00',
  '/%ff',
]

// What an attacker would gain: a decision about one path, and an application that acts on another.
describe('a path of two readings', () => {
  for (const path of ambiguous) {
    test(`${path} is refused to a key, and goes on byte for byte, as nobody’s, for a visitor`, async (t) => {
      const { port, heads, site } = await startListening(t)
      const key = await site.approvedKey({ scopes: 'read,write' })
      const byKey = await sendRaw(port, `GET ${path} HTTP/1.1\r\n${host}${close}User-Api-Key: ${key}\r\n\r\n`)
      assert.match(byKey, /^HTTP\/1\.1 400 [\s\S]*"reason":"path_ambiguous"/)
      assert.equal(heads.length, 0)
      assert.match(await sendRaw(port, `GET ${path} HTTP/1.1\r\n${host}${close}\r\n`), /^HTTP\/1\.1 200 /)
      assert.equal(heads[0]?.split('\r\n')[0], `GET ${path} HTTP/1.1`)
      assert.equal(/x-hallpass/i.test(heads[0] ?? ''), false)
    })
  }

  test('leads to no route of Hallpass’s', async (t) => {
    const { port, heads } = await startListening(t)
    await sendRaw(port, `GET /a/../site/basic-info.json HTTP/1.1\r\n${host}${close}\r\n`)
    assert.equal(heads[0]?.split('\r\n')[0], 'GET /a/../site/basic-info.json HTTP/1.1')
  })

  test('a path of one reading goes on byte for byte, however it is encoded', async (t) => {
    const { port, heads, site } = await startListening(t)
    const key = await site.approvedKey({ scopes: 'read' })
    for (const path of ['/caf%C3%A9', '/%61', '/a+b;c=d', '/a"b<c>', '/a?%2e%2e/&;=%00', '/a/']) {
      await sendRaw(port, `GET ${path} HTTP/1.1\r\n${host}${close}User-Api-Key: ${key}\r\n\r\n`)
      assert.equal(heads.at(-1)?.split('\r\n')[0], `GET ${path} HTTP/1.1`)
    }
  })
})
