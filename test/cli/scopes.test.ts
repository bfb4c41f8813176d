import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { newTypist, type Typist } from './command.ts'

let typist: Typist
let folder: string
before(async () => {
  typist = await newTypist()
  folder = await mkdtemp(join(tmpdir(), 'hallpass-scopes-'))
})
after(async () => {
  await typist.leave()
  await rm(folder, { recursive: true, force: true })
})

async function file(name: string, content: string | Buffer | object): Promise<string> {
  const path = join(folder, name)
  const isText = typeof content === 'string' || Buffer.isBuffer(content)
  await writeFile(path, isText ? content : JSON.stringify(content))
  return path
}

const shop = {
  scopes: [
    {
      name: 'shop:invoices_read',
      label: 'See your invoices',
      description: 'GET of invoices.',
      routes: [{ methods: ['GET'], paths: ['/invoices', '/invoices/:id'], pathParams: ['id'] }],
    },
    {
      name: 'shop:invoices_write',
      label: 'Make invoices',
      description: 'POST of invoices.',
      routes: [{ methods: ['POST', 'DELETE'], paths: ['/invoices'], params: ['customer'] }],
    },
  ],
}

describe('hallpass scopes check', () => {
  test('prints every scope with its routes, and how apps get to ask for them', async () => {
    const config = await file('shop.json', shop)
    assert.deepEqual(await typist.run(['scopes', 'check', '--config', config]), {
      status: 0,
      stderr: '',
      stdout: `${config}: 2 scopes, no scopes of API keys

shop:invoices_read  See your invoices
  GET  /invoices
  GET  /invoices/:id
       can be narrowed by id

shop:invoices_write  Make invoices
  POST, DELETE  /invoices
                can be narrowed by customer

nothing looks unintended

apps can ask for these scopes once the setting allow_user_api_key_scopes lists them, such as:
  message_bus|push|notifications|session_info|one_time_password|shop:invoices_read|shop:invoices_write
add read or write to it only for apps that may ask for every route
`,
    })
  })

  test('warns of what is hardly meant, and exits with 0', async () => {
    const scope = (name: string, routes: object[]) => ({ name, label: name, description: name, routes })
    const config = await file('odd.json', {
      settings: { allow_user_api_key_scopes: ['read', 'a:all', 'a:one', 'a:odd', 'a:none'] },
      scopes: [
        scope('a:all', [{}]),
        scope('a:one', [{ methods: ['GET'], paths: ['/a/:id', '/a/b'], pathParams: ['other'] }]),
        scope('a:odd', [
          { methods: ['GTE'], paths: ['/'], formats: ['json'], aliases: { x: { name: 'y' } } },
        ]),
        scope('a:none', []),
        scope('a:same', [{}]),
      ],
    })
    const { status, stdout } = await typist.run(['scopes', 'check', '--config', config])
    assert.equal(status, 0)
    assert.equal(
      stdout.slice(stdout.indexOf('warnings:')),
      `warnings:
  scopes[0].routes[0]: permits every path, for it has no paths
  scopes[1].routes[0].paths[1]: /a/b never decides, for /a/:id before it takes all that it takes
  scopes[1].routes[0].pathParams: no pattern names other, so a key narrowed by it may do nothing here
  scopes[2].routes[0].methods: hardly any application knows the method GTE
  scopes[2].routes[0].paths[0]: / never matches, for it has no name that a format’s suffix could follow
  scopes[2].routes[0].aliases: no key can be narrowed by x, which is in no list of parameters
  scopes[3]: a:none permits nothing, for it has no routes
  scopes[4].routes[0]: permits every path, for it has no paths
  scopes[1]: all that a:one permits, a:all permits too; an app needs one of them
  scopes[1]: all that a:one permits, a:same permits too; an app needs one of them
  scopes[2]: all that a:odd permits, a:all permits too; an app needs one of them
  scopes[2]: all that a:odd permits, a:same permits too; an app needs one of them
  scopes[4]: a:same permits exactly what a:all permits
  scopes[4]: no app can ask for a:same, for settings.allow_user_api_key_scopes leaves it out
`,
    )
  })

  test('exits with 1 for a file that is wrong, and where there is none', async () => {
    const config = await file('wrong.json', {
      scopes: [{ ...shop.scopes[0], routes: [{ paths: ['/a.json'] }] }],
    })
    const wrong = await typist.run(['scopes', 'check', '--config', config])
    assert.equal(wrong.status, 1)
    assert.match(wrong.stderr, /^ {2}scopes\[0\]\.routes\[0\]\.paths\[0\]: .* name the format apart/m)
    assert.match(wrong.stderr, /reason: configuration_invalid\n$/)
    const none = await typist.run(['scopes', 'check'])
    assert.equal(none.status, 1)
    assert.match(none.stderr, /reason: config_not_found\n$/)
  })
})

describe('hallpass scopes explain', () => {
  test('tells which scopes permit a request and why, and what the others lack', async () => {
    const config = await file('shop.json', shop)
    const { status, stdout } = await typist.run([
      'scopes',
      'explain',
      'get',
      '/invoices/7.json',
      '--config',
      config,
    ])
    assert.equal(status, 0)
    assert.equal(
      stdout,
      `GET /invoices/7 as .json, from /invoices/7.json

users’ keys: permitted by
  shop:invoices_read  GET /invoices/:id; a key may be narrowed to id=7.json
  read                GET of every path
  write               GET, POST, PATCH, PUT, DELETE of every path

API keys: permitted by
  global:read  GET of every path
`,
    )
  })

  test('shows the values of parameters, and a near miss in method, format or one segment', async () => {
    const config = await file('shop.json', shop)
    const explain = (...options: string[]) =>
      typist.run(['scopes', 'explain', ...options, '--config', config])
    const post = await explain('POST', '/invoices?customer=3', '--param', 'customer=4')
    assert.match(
      post.stdout,
      /shop:invoices_write +POST, DELETE \/invoices; a key may be narrowed to customer=3 and customer=4/,
    )
    assert.match(post.stdout, /nearly permitted by\n(?:.*\n)*.*shop:invoices_read +takes GET, not POST/)
    const slip = await explain('GET', '/invoice/7')
    assert.match(
      slip.stdout,
      /shop:invoices_read +takes \/invoices\/:id: invoices where the path has invoice\n/,
    )
    const feed = await explain('GET', '/u/ann/bookmarks')
    assert.match(feed.stdout, /bookmarks_calendar +takes the path with \.ics, not with no suffix\n/)
  })

  test('exits with 1 where no scope permits the request', async () => {
    const { status, stdout } = await typist.run(['scopes', 'explain', 'PROPFIND', '/invoices'])
    assert.equal(status, 1)
    assert.match(stdout, /users’ keys: no scope permits it\n/)
  })

  test('says why a path can be read in two ways', async () => {
    const { status, stdout, stderr } = await typist.run(['scopes', 'explain', 'GET', '/a/..%2fb'])
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(stderr, /^error: .*it holds an encoded slash\nfix: .*\nreason: path_ambiguous\n$/)
  })

  for (const options of [['G ET', '/a'], ['GET', '/a', '--param', 'x'], ['GET']]) {
    test(`does not understand ${options.join(' ')}`, async () => {
      assert.equal((await typist.run(['scopes', 'explain', ...options])).status, 2)
    })
  }
})

const openapi = `openapi: 3.0.3
info: { title: Shop, version: '1' }
paths:
  /invoices/{id}:
    get: { tags: [invoices], summary: "Read a customer's invoice" }
  /raw/{a}-{b}: { get: { tags: [invoices] } }
`

describe('hallpass scopes import', () => {
  test('prints a config file in TypeScript, and warnings on the error stream', async () => {
    const document = await file('openapi.yaml', openapi)
    assert.deepEqual(await typist.run(['scopes', 'import', document]), {
      status: 0,
      stdout: `// Proposed by hallpass scopes import from openapi.yaml. Read every line: what stands here is what apps may do.
import { defineConfig } from 'hallpass/server'

export default defineConfig({
  scopes: [
    {
      name: 'shop:invoices_read',
      label: 'Read invoices',
      description: "Read a customer's invoice; GET /raw/{a}-{b}.",
      routes: [
        {
          methods: ['GET'],
          paths: ['/invoices/:id', '/raw/:a'],
          pathParams: ['id'],
        },
      ],
    },
  ],
})
`,
      stderr: `warning: GET /raw/{a}-{b}: {a}-{b} became a parameter that takes any segment
1 scope with 1 route. read every line, then: hallpass scopes check
`,
    })
  })

  test('writes a file that check takes, and never over another one without --force', async () => {
    const document = await file('openapi.yaml', openapi)
    for (const name of ['new.config.ts', 'new.config.json']) {
      const out = join(folder, name)
      const written = await typist.run(['scopes', 'import', document, '--app', 'x', '--out', out])
      assert.deepEqual([written.status, written.stdout], [0, ''])
      const check = await typist.run(['scopes', 'check', '--config', out])
      assert.match(check.stdout, /x:invoices_read {2}Read invoices\n/)
      await writeFile(out, 'mine')
      const again = await typist.run(['scopes', 'import', document, '--out', out])
      assert.equal(again.status, 1)
      assert.match(again.stderr, /reason: file_exists\n$/)
      assert.equal(await readFile(out, 'utf8'), 'mine')
      assert.equal((await typist.run(['scopes', 'import', document, '--out', out, '--force'])).status, 0)
      assert.notEqual(await readFile(out, 'utf8'), 'mine')
    }
  })

  test('writes no file that --config could not load', async () => {
    const document = await file('openapi.yaml', openapi)
    for (const options of [
      ['--out', join(folder, 'x.txt')],
      ['--out', join(folder, 'x')],
      ['--out', join(folder, 'y.json'), '--format', 'typescript'],
      ['--out', join(folder, 'y.ts'), '--format', 'json'],
    ]) {
      assert.equal((await typist.run(['scopes', 'import', document, ...options])).status, 2)
      await assert.rejects(readFile(options[1] ?? ''))
    }
  })

  test('fails for a document that has nothing to make scopes of', async () => {
    const document = await file('empty.json', { openapi: '3.1.0', paths: { x: {}, '/y': 7 } })
    const { status, stdout, stderr } = await typist.run(['scopes', 'import', document])
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(stderr, /has no operation[\s\S]*reason: openapi_unreadable\n$/)
  })

  test('refuses what is no OpenAPI 3', async () => {
    const { status, stderr } = await typist.run([
      'scopes',
      'import',
      await file('old.json', { swagger: '2.0' }),
    ])
    assert.equal(status, 1)
    assert.match(stderr, /fix: convert it to OpenAPI 3 first\nreason: openapi_unreadable\n$/)
  })
})

describe('hallpass scopes learn', () => {
  const log = `::1 - 17 [x] "GET /invoices/7?token=s3cret HTTP/1.1" 200 5
::1 - 17 [x] "POST /invoices HTTP/1.1" 201 5
::1 - 18 [x] "GET /reports/2026-11-24?token=s3cret HTTP/1.1" 200 5 "-" "curl"
{"request":{"method":"GET","uri":"/reports/8?token=s3cret"},"status":200}
garbage s3cret
::1 - - [x] "GET /.env HTTP/1.1" 404 5
`

  test('tells what no scope covers and which scopes are enough, and prints no query', async () => {
    const from = await file('access.log.gz', gzipSync(log))
    const config = await file('shop.json', shop)
    assert.deepEqual(await typist.run(['scopes', 'learn', '--from', from, '--config', config]), {
      status: 0,
      stdout: `4 requests
  left out: 1 for what is not there (400, 404, 405, 410, 414) and preflights

no scope of its own covers 1 route:
  2  GET /reports/:id

for the others these scopes are enough: shop:invoices_read,shop:invoices_write
  shop:invoices_read  1 request
    in excess: GET /invoices
  shop:invoices_write  1 request
    in excess: DELETE /invoices
`,
      stderr: `1 line was not understood
  line 5: it is in no known format
`,
    })
  })

  test('looks at one key alone, and reads the standard input', async () => {
    const config = await file('shop.json', shop)
    const options = ['scopes', 'learn', '--from', '-', '--key', '18', '--config', config]
    const { stdout } = await typist.run(options, log)
    assert.match(stdout, /^1 request of 18\n {2}left out: 4 of others/)
    assert.match(stdout, /\n {2}1 {2}GET \/reports\/:id\n$/)
  })

  test('does not say that all is well where it judged nothing', async () => {
    const config = await file('shop.json', shop)
    const learn = (text: string, ...options: string[]) =>
      typist.run(['scopes', 'learn', '--from', '-', '--config', config, ...options], text)
    const nameless = '::1 - - [x] "GET /invoices/7 HTTP/1.1" 200 5\n'
    for (const [text, options, said] of [
      [nameless, ['--key', '17'], /no request was judged[\s\S]*names no keys[\s\S]*X-Hallpass-Key-Id/],
      [log, ['--key', '99'], /no request was judged[\s\S]*names callers, and never 99/],
      ['::1 - 17 [x] "GET /a//b HTTP/1.1" 200 5\n', [], /two ways[\s\S]*no request was judged/],
      ['::1 - 17 [x] "GET /invoices/7 HTTP/1.1" 404 5\n', [], /no request was judged/],
    ] as const) {
      const { status, stdout } = await learn(text, ...options)
      assert.equal(status, 1)
      assert.match(stdout, said)
      assert.doesNotMatch(stdout, /covered/)
    }
  })

  test('does not ask for the format of an empty log', async () => {
    const { status, stderr } = await typist.run(['scopes', 'learn', '--from', '-'], '')
    assert.equal(status, 1)
    assert.match(stderr, /it is empty\nfix: name a log with requests in it/)
  })

  test('fails where no line is understood', async () => {
    const { status, stderr } = await typist.run(['scopes', 'learn', '--from', '-'], 'a\nb\n')
    assert.equal(status, 1)
    assert.match(stderr, /line 1: it is in no known format\nfix: .*\nreason: log_not_understood\n$/)
  })

  for (const options of [['--from', '-', '--format', 'apache'], ['--from', '-', '--limit', '0'], []]) {
    test(`does not understand learn ${options.join(' ')}`, async () => {
      assert.equal((await typist.run(['scopes', 'learn', ...options])).status, 2)
    })
  }
})

describe('hallpass scopes --help', () => {
  for (const command of ['check', 'explain', 'import', 'learn']) {
    test(`${command} shows examples`, async () => {
      const { status, stdout } = await typist.run(['scopes', command, '--help'])
      assert.equal(status, 0)
      assert.match(stdout, new RegExp(`\\nexamples:\\n(?:.*\\n)*? {2}.*hallpass scopes ${command}`))
    })
  }
})
