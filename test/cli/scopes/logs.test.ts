import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { generalPath } from '../../../src/cli/scopes/general-path.ts'
import { logFormats, readLogLine } from '../../../src/cli/scopes/log-line.ts'
import { permissionsOf } from '../../../src/cli/scopes/permission.ts'
import { readLog } from '../../../src/cli/scopes/read-log.ts'
import { smallestSet } from '../../../src/cli/scopes/smallest-set.ts'
import { Traffic } from '../../../src/cli/scopes/traffic.ts'

const request = { method: 'GET', path: '/a/7', status: 200, callers: ['17'] }

describe('readLogLine', () => {
  const lines: readonly [what: string, line: string, expected: unknown][] = [
    ['common', '::1 - 17 [24/Nov/2026:10:00:00 +0000] "GET /a/7?k=v HTTP/1.1" 200 5', request],
    ['combined', '::1 - 17 [x] "GET /a/7 HTTP/2.0" 200 5 "-" "a \\"b\\""', request],
    ['an absolute address', '::1 - 17 [x] "GET http://h:1/a/7#x HTTP/1.1" 200 5', request],
    ['a user with a space', '::1 - a b [x] "GET /a/7 HTTP/1.1" 200 5', { ...request, callers: ['a b'] }],
    ['Caddy', '{"request":{"method":"GET","uri":"/a/7?k"},"status":200,"user_id":"17"}', request],
    ['nginx', '{"request":"GET /a/7 HTTP/1.1","status":"200","remote_user":"17"}', request],
    ['nginx in parts', '{"request_method":"GET","request_uri":"/a/7","status":200,"key_id":17}', request],
    [
      'escaped bytes',
      '::1 - - [x] "GET /\\xc3\\xa9 HTTP/1.1" 200 5',
      { ...request, path: '/%c3%a9', callers: [] },
    ],
    ['TLS to a plain port', '::1 - - [x] "\\x16\\x03\\x01" 400 5', 'it has no request'],
    ['CONNECT', '::1 - - [x] "CONNECT h:443 HTTP/1.1" 400 5', 'it has no path'],
    ['a cut line', '::1 - - [x] "GET /a', 'it is in no known format'],
    ['cut JSON', '{"request":', 'it is not JSON'],
  ]
  for (const [what, line, expected] of lines) {
    test(`reads ${what}`, () => assert.deepEqual(readLogLine(line, 'auto'), expected))
  }

  test('takes no other format than the one that is named', () => {
    assert.equal(typeof readLogLine('{"request":"GET / HTTP/1.1","status":200}', 'caddy-json'), 'string')
    assert.equal(typeof readLogLine('{"request":{"method":"GET","uri":"/"}}', 'nginx-json'), 'string')
    assert.equal(typeof readLogLine('{}', 'common'), 'string')
  })

  test('reads a line of any length in one go', () => {
    for (const piece of ['" ', '[', '\\', '{"', 'a ']) readLogLine(`::1 - ${piece.repeat(50_000)}`, 'auto')
  })

  // A query holds what nobody should see, and the logs of a hostile net hold anything.
  test('answers for any line, and never with a query', () => {
    const json = fc
      .jsonValue()
      .map((value) => JSON.stringify({ request: value, status: value, uri: '/?s3cret' }))
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      json,
      fc.string().map((text) => `a - - [x] "${text}?s3cret" 200`),
    )
    fc.assert(
      fc.property(line, fc.constantFrom(...logFormats), (text, format) => {
        const read = readLogLine(text, format)
        if (typeof read === 'string') return
        assert.doesNotMatch(read.path, /[?#]/)
        new Traffic([]).add(read)
      }),
      { examples: [['{"request":{"toString":""},"status":{"toString":""},"uri":"/?s3cret"}', 'auto']] },
    )
  })
})

describe('generalPath', () => {
  const cases: readonly [path: string, general: string][] = [
    ['/invoices/7/lines/8', '/invoices/:id/lines/:id2'],
    ['/u/550e8400-e29b-41d4-a716-446655440000', '/u/:id'],
    ['/reset/c2VjcmV0LXRva2VuLTE3', '/reset/:id'],
    ['/reset/abcdefabcdefabcdefabcdefabcdefabcdefabcdefabcd', '/reset/:id'],
    ['/commits/1f3a9c0d', '/commits/:id'],
    ['/reports/2026-11', '/reports/:id'],
    ['/by-mail/ann@example.com', '/by-mail/:id'],
    ['/a-name/with-words', '/a-name/with-words'],
    ['/v2/facade', '/v2/facade'],
    ['/a\u202eb', '/a?b'],
  ]
  for (const [path, general] of cases) {
    test(`${path} is ${general}`, () => assert.equal(generalPath(path), general))
  }
})

describe('Traffic', () => {
  const permissions = permissionsOf([
    { methods: ['GET'], paths: ['/a', '/a/:id'] },
    { methods: ['PUT'], paths: ['/a/:id'] },
  ])
  const report = (...requests: readonly [string, string, number?][]) => {
    const traffic = new Traffic(permissions)
    for (const [method, path, status = 200] of requests) traffic.add({ method, path, status, callers: [] })
    return traffic.report()
  }

  test('counts by route and by what permits it, the most frequent first', () => {
    const { requests, routes } = report(
      ['GET', '/a'],
      ['GET', '/a/1'],
      ['HEAD', '/a/2.json'],
      ['get', '/a/3'],
      ['PUT', '/b/1'],
    )
    assert.equal(requests, 5)
    assert.deepEqual(routes, [
      { name: 'GET /a/:id', permissions: [1], requests: 2 },
      { name: 'GET /a', permissions: [0], requests: 1 },
      { name: 'GET /a/:id.json', permissions: [1], requests: 1 },
      { name: 'PUT /b/:id', permissions: [], requests: 1 },
    ])
  })

  test('leaves out what is not there, and counts apart what can be read in two ways', () => {
    const { requests, routes, leftOut, ambiguous } = report(
      ['GET', '/.env', 404],
      ['OPTIONS', '/a'],
      ['GET', '/a%2fb'],
    )
    assert.deepEqual([requests, routes.length, leftOut, ambiguous], [1, 0, 2, 1])
  })

  test('remembers so many routes and no more', () => {
    const traffic = new Traffic(permissions)
    const word = (number: number): string =>
      number.toString().replace(/./g, (digit) => 'abcdefghij'[Number(digit)] ?? '')
    for (let number = 0; number < 20_010; number += 1) {
      traffic.add({ method: 'GET', path: `/x/${word(number)}`, status: 200, callers: [] })
    }
    assert.deepEqual([traffic.report().routes.length, traffic.report().beyondMemory], [20_000, 10])
  })
})

describe('smallestSet', () => {
  const routes = [
    { name: 'one', permissions: [0, 2], requests: 5 },
    { name: 'two', permissions: [1, 3], requests: 2 },
  ]
  test('takes the narrower of two scopes that are enough', () => {
    const wide = { name: 'wide', permissions: [2, 3, 4, 5] }
    const narrow = { name: 'narrow', permissions: [0, 1] }
    assert.deepEqual(smallestSet(routes, [wide, narrow]), [{ name: 'narrow', requests: 7, excess: [] }])
    assert.deepEqual(smallestSet(routes, [wide]), [{ name: 'wide', requests: 7, excess: [4, 5] }])
  })
  test('keeps none that the others make superfluous', () => {
    const three = [...routes, { name: 'three', permissions: [6], requests: 1 }]
    const first = { name: 'first', permissions: [0, 1] }
    const rest = { name: 'rest', permissions: [6, 2, 3, 9, 10] }
    assert.deepEqual(
      smallestSet(three, [first, rest]).map(({ name }) => name),
      ['rest'],
    )
  })
  test('is empty where no scope covers anything', () => {
    assert.deepEqual(smallestSet(routes, [{ name: 'other', permissions: [9] }]), [])
  })
})

describe('readLog', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hallpass-logs-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  async function linesOf(content: Buffer | string): Promise<(string | undefined)[]> {
    const path = join(folder, 'access.log')
    await writeFile(path, content)
    const lines: (string | undefined)[] = []
    await readLog(path, (line, number) => {
      lines.push(line)
      assert.equal(number, lines.length)
    })
    return lines
  }

  test('gives every line, whatever ends it, and the last without an end', async () => {
    assert.deepEqual(await linesOf('a\r\nb\n\nc'), ['a', 'b', '', 'c'])
    assert.deepEqual(await linesOf(''), [])
  })

  test('reads gzip, in several members, whatever the name', async () => {
    const both = Buffer.concat([gzipSync('a\nb'), gzipSync('c\nd\n')])
    assert.deepEqual(await linesOf(both), ['a', 'bc', 'd'])
  })

  test('gives undefined for a line that is too long, and goes on', async () => {
    const long = 'x'.repeat(1_000_000)
    assert.deepEqual(await linesOf(`a\n${long}\nb\n${long}`), ['a', undefined, 'b', undefined])
    assert.deepEqual(await linesOf(gzipSync(`${long}\nb\n`)), [undefined, 'b'])
  })

  test('keeps letters whole across chunks', async () => {
    const text = `${'é'.repeat(100_001)}\n`
    assert.deepEqual(await linesOf(`x${text}`), [`x${text.trim()}`])
  })

  test('refuses a gzip that is cut, and a file that is not there', async () => {
    await assert.rejects(linesOf(gzipSync('a\n'.repeat(9999)).subarray(0, 40)), { reason: 'log_unreadable' })
    await assert.rejects(
      readLog(join(folder, 'nowhere'), () => {}),
      { reason: 'log_unreadable' },
    )
    await assert.rejects(
      readLog(folder, () => {}),
      { reason: 'log_unreadable' },
    )
  })
})
