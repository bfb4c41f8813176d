/** The fast lane sends what the ordinary way sends, byte for byte, and counts what it counts. */
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { nodeGateway } from '../../src/edge/gateway.ts'
import { type ListeningServer, listen, listenWith } from '../../src/edge/node-server.ts'
import type { Hallpass } from '../../src/server/hallpass.ts'
import { createTestSite, type TestSite } from '../test-site.ts'
import { echo, sendRaw, startApplication } from './gateway-site.ts'

interface Sites {
  readonly fast: ListeningServer
  readonly ordinary: ListeningServer
  /** How many requests the fast one answered at once. */
  readonly atOnce: () => number
  readonly sites: readonly [fast: TestSite, ordinary: TestSite]
  readonly key: string
  readonly narrowKey: string
  readonly apiKey: string
  set(name: string, value: string): Promise<void>
}

/** Two sites that are alike in all but the lane: same clock, same keys, same counts. */
async function startTwo(): Promise<Sites> {
  let answered = 0
  const start = async () => {
    // So that memory is believed also on a machine so busy that the site does not come to read what has changed.
    const pinnedSettings = { revocation_bound_ms: '60000' }
    const site = await createTestSite({ trustedProxies: ['127.0.0.1'], pinnedSettings })
    const key = await site.approvedKey({ scopes: 'read,write', client_id: 'both' })
    const narrowKey = await site.approvedKey({ scopes: 'notifications', client_id: 'narrow' })
    return { site, key, narrowKey }
  }
  const [one, other] = [await start(), await start()]
  assert.deepEqual([one.key, one.narrowKey], [other.key, other.narrowKey])
  const counting: Pick<Hallpass, 'answerNow'> = {
    answerNow: (question) => {
      const answer = one.site.hallpass.answerNow(question)
      if (answer) answered += 1
      return answer
    },
  }
  const at = { port: 0, host: '127.0.0.1' }
  const fast = await listen((request, connection) => one.site.hallpass.fetch(request, connection), {
    ...at,
    hallpass: counting,
  })
  const ordinary = await listen((request, connection) => other.site.hallpass.fetch(request, connection), at)
  const sites = [one.site, other.site] as const
  return {
    fast,
    ordinary,
    atOnce: () => answered,
    sites,
    key: one.key,
    narrowKey: one.narrowKey,
    apiKey: one.site.adminApiKey,
    async set(name, value) {
      for (const site of sites) {
        const path = `/admin/site_settings/${name}.json`
        const answer = await site.asAdmin(path, { method: 'PUT', form: { [name]: value } })
        assert.equal(answer.status, 200, await answer.text())
      }
    },
  }
}

/** What comes back, without what the clock and the port make of it. */
async function answers({ fast, ordinary }: Sites, text: string): Promise<[string, string]> {
  const [one, other] = await Promise.all([sendRaw(fast.port, text), sendRaw(ordinary.port, text)])
  return [settled(one, fast.port), settled(other, ordinary.port)]
}

function settled(answer: string, port: number): string {
  return answer
    .replace(/^Date: .*$/gm, 'Date: now')
    .replaceAll(
      /(x-request-id: |"trace_id":"|trace_id%22%3A%22|<dt>Request<\/dt><dd><code>)[0-9a-f]{32}/g,
      '$1ID',
    )
    .replaceAll(`:${port}`, ':PORT')
    .replaceAll('"localhost', '"127.0.0.1')
}

const current = '/session/current.json'
const question = '/hallpass/forward-auth'

describe('the fast lane', () => {
  let two: Sites
  before(async () => {
    two = await startTwo()
    const warm = `GET ${current} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nUser-Api-Key: `
    for (const key of [two.key, two.narrowKey]) await answers(two, `${warm}${key}\r\n\r\n`)
  })
  after(async () => {
    for (const server of [two.fast, two.ordinary]) await server.close(0)
    for (const site of two.sites) await site.close()
  })

  const forwarded = (uri: string, method = 'GET'): string[] => [
    `X-Forwarded-Method: ${method}`,
    `X-Forwarded-Uri: ${uri}`,
    'X-Forwarded-For: 192.0.2.7',
  ]
  const nginx = (uri: string): string[] => ['X-Original-Method: GET', `X-Original-URI: ${uri}`]
  const own = (): string => `User-Api-Key: ${two.key}`
  const narrow = (): string => `User-Api-Key: ${two.narrowKey}`

  const cases: readonly {
    readonly what: string
    readonly target: string
    readonly lines: () => readonly string[]
    readonly atOnce: boolean
    readonly method?: string
    readonly status: number
    readonly first?: string
  }[] = [
    { what: 'a key', target: current, lines: () => [own()], atOnce: true, status: 200 },
    {
      what: 'a token',
      target: current,
      lines: () => [`Authorization: bearer  ${two.key}`],
      atOnce: true,
      status: 200,
    },
    {
      what: 'its client',
      target: current,
      lines: () => [own(), 'User-Api-Client-Id: both'],
      atOnce: true,
      status: 200,
    },
    {
      what: 'an empty client',
      target: current,
      lines: () => [own(), 'User-Api-Client-Id: '],
      atOnce: true,
      status: 200,
    },
    {
      what: 'spaces around the key',
      target: current,
      lines: () => [`user-API-key: \t ${two.key} \t `],
      atOnce: true,
      status: 200,
    },
    {
      what: 'a cookie beside it',
      target: current,
      lines: () => [own(), `Cookie: _t=${'a'.repeat(64)}`],
      atOnce: true,
      status: 200,
    },
    {
      what: 'an origin',
      target: current,
      lines: () => [own(), 'Origin: https://other.test'],
      atOnce: true,
      status: 200,
    },
    { what: 'HEAD', method: 'HEAD', target: current, lines: () => [own()], atOnce: false, status: 200 },
    { what: 'POST', method: 'POST', target: current, lines: () => [own()], atOnce: false, status: 404 },
    { what: 'no suffix', target: '/session/current', lines: () => [own()], atOnce: false, status: 200 },
    { what: 'a slash at the end', target: `${current}/`, lines: () => [own()], atOnce: false, status: 200 },
    { what: 'a query', target: `${current}?a=b`, lines: () => [own()], atOnce: false, status: 200 },
    {
      what: 'a dot segment',
      target: '/x/../session/current.json',
      lines: () => [own()],
      atOnce: false,
      status: 200,
    },
    { what: 'no key', target: current, lines: () => [], atOnce: false, status: 404 },
    {
      what: 'an unknown key',
      target: current,
      lines: () => [`User-Api-Key: ${'ab'.repeat(16)}`],
      atOnce: false,
      status: 403,
    },
    {
      what: 'what is no key',
      target: current,
      lines: () => ['User-Api-Key: hello'],
      atOnce: false,
      status: 403,
    },
    {
      what: 'an unknown token',
      target: current,
      lines: () => [`Authorization: Bearer ${'ab'.repeat(16)}`],
      atOnce: false,
      status: 401,
    },
    { what: 'the key twice', target: current, lines: () => [own(), own()], atOnce: false, status: 403 },
    {
      what: 'a token twice',
      target: current,
      lines: () => [`Authorization: Bearer ${two.key}`, 'Authorization: Basic eDp5'],
      atOnce: false,
      status: 404,
    },
    {
      what: 'another client',
      target: current,
      lines: () => [own(), 'User-Api-Client-Id: third', 'User-Api-Client-Id: fourth'],
      atOnce: false,
      status: 200,
    },
    {
      what: 'an API key beside it',
      target: current,
      lines: () => [own(), `Api-Key: ${two.apiKey}`, 'Api-Username: sam'],
      atOnce: false,
      status: 200,
    },
    {
      what: 'an API key',
      target: current,
      lines: () => [`Api-Key: ${two.apiKey}`, 'Api-Username: sam'],
      atOnce: false,
      status: 200,
    },
    {
      what: 'a scope that is not enough',
      target: current,
      lines: () => [narrow()],
      atOnce: false,
      status: 403,
    },
    {
      what: 'the same in a browser',
      target: current,
      lines: () => [narrow(), 'Accept: text/html'],
      atOnce: false,
      status: 403,
    },
    {
      what: 'a length',
      target: current,
      lines: () => [own(), 'Content-Length: 0'],
      atOnce: false,
      status: 200,
    },
    {
      what: 'chunks',
      target: current,
      lines: () => [own(), 'Transfer-Encoding: chunked', '', '0'],
      atOnce: false,
      status: 200,
    },
    {
      what: 'Expect',
      target: current,
      lines: () => [own(), 'Expect: 100-continue'],
      atOnce: false,
      status: 100,
    },
    {
      what: 'HTTP/1.0',
      target: current,
      first: `GET ${current} HTTP/1.0`,
      lines: () => [own()],
      atOnce: false,
      status: 200,
    },
    {
      what: 'a whole address',
      target: `http://a.test${current}`,
      lines: () => [own()],
      atOnce: false,
      status: 200,
    },

    {
      what: 'a question in the words of Caddy',
      target: question,
      lines: () => [own(), ...forwarded('/orders?x=1')],
      atOnce: true,
      status: 200,
    },
    {
      what: 'one in the words of nginx',
      target: question,
      lines: () => [own(), ...nginx('/orders/7')],
      atOnce: true,
      status: 200,
    },
    {
      what: 'one in the words of Envoy',
      target: `${question}/orders/7?x=y`,
      lines: () => [own()],
      atOnce: true,
      status: 200,
    },
    {
      what: 'one with a query of its own',
      target: `${question}?x=y`,
      lines: () => [own(), ...forwarded('/orders')],
      atOnce: true,
      status: 200,
    },
    {
      what: 'a question about a POST',
      target: question,
      lines: () => [own(), ...forwarded('/orders', 'POST')],
      atOnce: true,
      status: 200,
    },
    {
      what: 'an address of the sender in IPv6',
      target: question,
      lines: () => [
        own(),
        'X-Forwarded-Method: GET',
        'X-Forwarded-Uri: /a',
        'X-Forwarded-For: 2001:db8::1, 127.0.0.1',
      ],
      atOnce: true,
      status: 200,
    },
    {
      what: 'dot segments that were appended',
      target: `${question}/../../session/current.json`,
      lines: () => [own()],
      atOnce: false,
      status: 403,
    },
    {
      what: 'a path of two readings',
      target: question,
      lines: () => [own(), ...forwarded('/a//b')],
      atOnce: false,
      status: 403,
    },
    {
      what: 'two addresses',
      target: question,
      lines: () => [own(), ...forwarded('/a'), 'X-Original-Method: GET', 'X-Original-URI: /b'],
      atOnce: false,
      status: 403,
    },
    {
      what: 'an address twice',
      target: question,
      lines: () => [own(), ...forwarded('/a'), 'X-Forwarded-Uri: /b'],
      atOnce: false,
      status: 403,
    },
    { what: 'no address', target: question, lines: () => [own()], atOnce: false, status: 403 },
    {
      what: 'another method in a header',
      target: question,
      lines: () => [own(), ...forwarded('/a'), 'X-HTTP-Method-Override: DELETE'],
      atOnce: false,
      status: 403,
    },
    {
      what: 'another method in the address',
      target: question,
      lines: () => [own(), ...forwarded('/a?_method=DELETE')],
      atOnce: false,
      status: 403,
    },
    {
      what: 'a scope that does not reach',
      target: question,
      lines: () => [narrow(), ...forwarded('/orders')],
      atOnce: false,
      status: 403,
    },
    {
      what: 'the same, asked by nginx',
      target: question,
      lines: () => [narrow(), ...nginx('/orders')],
      atOnce: false,
      status: 403,
    },
    {
      what: 'the same, by a token',
      target: question,
      lines: () => [`Authorization: Bearer ${two.narrowKey}`, ...forwarded('/orders')],
      atOnce: false,
      status: 403,
    },
    { what: 'nobody', target: question, lines: () => forwarded('/orders'), atOnce: false, status: 200 },
    { what: 'a longer word', target: `${question}s`, lines: () => [own()], atOnce: false, status: 404 },
    {
      what: 'HEAD',
      method: 'HEAD',
      target: question,
      lines: () => [own(), ...forwarded('/a')],
      atOnce: false,
      status: 200,
    },
    {
      what: 'two hosts',
      target: question,
      lines: () => [own(), ...forwarded('/a'), 'Host: [::1]'],
      atOnce: false,
      status: 200,
    },
  ]

  for (const { what, target, lines, atOnce, method = 'GET', status, first } of cases) {
    const way = atOnce ? 'at once' : 'in the ordinary way'
    test(`answers ${target} with ${what} ${way}, as without it`, async () => {
      const before = two.atOnce()
      const head = [first ?? `${method} ${target} HTTP/1.1`, 'Host: a.test', 'Connection: close', ...lines()]
      const [fast, ordinary] = await answers(two, `${head.join('\r\n')}\r\n\r\n`)
      assert.equal(fast, ordinary)
      assert.match(fast, new RegExp(`^HTTP/1.1 ${status} `))
      assert.equal(two.atOnce() - before, atOnce ? 1 : 0)
    })
  }

  test('answers several requests on one connection, in their order', async () => {
    const ask = (target: string, ...lines: string[]): string =>
      `${[`GET ${target} HTTP/1.1`, 'Host: a.test', ...lines].join('\r\n')}\r\n\r\n`
    const text =
      ask(current, own()) +
      ask(question, own(), ...forwarded('/orders')) +
      ask(current, narrow()) +
      ask(current, own()) +
      ask('/nothing', own(), 'Connection: close')
    const [fast, ordinary] = await answers(two, text)
    assert.equal(fast, ordinary)
    assert.deepEqual(
      fast.match(/HTTP\/1.1 \d+/g),
      ['200', '200', '403', '200', '404'].map((one) => `HTTP/1.1 ${one}`),
    )
  })

  for (const [name, target, lines] of [
    ['max_user_api_reqs_per_minute', current, () => []],
    ['max_user_api_reqs_per_minute', question, () => forwarded('/orders')],
    ['max_reqs_per_ip_per_minute', question, () => forwarded('/orders')],
  ] as const) {
    test(`counts ${target} against ${name} once, whichever way it takes`, async () => {
      for (const site of two.sites) site.advance(120)
      await two.set(name, '6')
      for (const site of two.sites) site.advance(120)
      const statuses: (string | undefined)[] = []
      for (const key of [own(), narrow(), own(), own(), narrow(), own(), own(), own(), own(), own()]) {
        const head = [`GET ${target} HTTP/1.1`, 'Host: a.test', 'Connection: close', key, ...lines()]
        const [fast, ordinary] = await answers(two, `${head.join('\r\n')}\r\n\r\n`)
        assert.equal(fast, ordinary)
        statuses.push(/^HTTP\/1.1 (\d+)/.exec(fast)?.[1])
      }
      assert.ok(statuses.includes('429'), String(statuses))
      await two.set(name, '1000000')
    })
  }

  test('answers nobody at once while pages of other sites may read answers', async () => {
    await two.set('cors_origins', 'https://app.test')
    const before = two.atOnce()
    const head = [
      `GET ${current} HTTP/1.1`,
      'Host: a.test',
      'Connection: close',
      own(),
      'Origin: https://app.test',
    ]
    const [fast, ordinary] = await answers(two, `${head.join('\r\n')}\r\n\r\n`)
    await two.set('cors_origins', '')
    assert.equal(fast, ordinary)
    assert.match(fast, /access-control-allow-origin: https:\/\/app.test/i)
    assert.equal(two.atOnce(), before)
  })

  test('tells an anonymous sender, and any who is not a trusted proxy, nothing', async (t) => {
    const site = await createTestSite()
    const key = await site.approvedKey()
    const server = await listen((request, connection) => site.hallpass.fetch(request, connection), {
      port: 0,
      host: '127.0.0.1',
      hallpass: site.hallpass,
    })
    t.after(() => server.close(0).then(() => site.close()))
    await sendRaw(
      server.port,
      `GET ${current} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nUser-Api-Key: ${key}\r\n\r\n`,
    )
    const head = [
      `GET ${question} HTTP/1.1`,
      'Host: a',
      'Connection: close',
      `User-Api-Key: ${key}`,
      ...forwarded('/a'),
    ]
    assert.match(await sendRaw(server.port, `${head.join('\r\n')}\r\n\r\n`), /forward_auth_untrusted/)
  })

  test('refuses a key at the very next request after it was revoked, suspended or expired', async () => {
    const [site] = two.sites
    const key = await site.approvedKey({ client_id: 'revoked' })
    const ask = () =>
      sendRaw(
        two.fast.port,
        `GET ${current} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nUser-Api-Key: ${key}\r\n\r\n`,
      )
    await ask()
    const before = two.atOnce()
    assert.match(await ask(), /^HTTP\/1.1 200/)
    assert.equal(two.atOnce(), before + 1)
    const revoked = await site.request('/user-api-key/revoke.json', {
      method: 'POST',
      headers: { 'user-api-key': key },
    })
    assert.equal(revoked.status, 200)
    assert.match(await ask(), /user_api_key_revoked/)
  })

  test('sends what the ordinary way does, whatever headers come', async () => {
    const value = fc.oneof(
      fc.constantFrom(
        two.key,
        two.narrowKey,
        two.apiKey,
        '',
        'both',
        'sam',
        'GET',
        'POST',
        '/orders',
        '/a?b',
        '/a/../b',
        `Bearer ${two.key}`,
        `bearer ${two.narrowKey}`,
        '192.0.2.9',
        '1',
        'text/html',
        'é',
        'a, b',
      ),
      fc.string({ maxLength: 8, unit: fc.constantFrom('a', '/', ' ', ',', '\t', '%', '\u00e9') }),
    )
    const name = fc.constantFrom(
      'User-Api-Key',
      'user-api-key',
      'User_Api_Key',
      'Authorization',
      'Api-Key',
      'Api-Username',
      'User-Api-Client-Id',
      'X-Forwarded-Method',
      'X-Forwarded-Uri',
      'X-Forwarded-For',
      'X-Original-Method',
      'X-Original-URI',
      'X-Original-URL',
      'X-HTTP-Method',
      'Content-Type',
      'Accept',
      'Cookie',
      'Origin',
      'X-CSRF-Token',
      'Via',
      'Set-Cookie',
      '__proto__',
      'constructor',
    )
    const target = fc.constantFrom(
      current,
      question,
      `${question}/orders`,
      `${question}?a`,
      '/session/currents',
    )
    const good = fc.constantFrom<readonly (readonly [string, string])[]>(
      [],
      [['User-Api-Key', two.key]],
      [
        ['User-Api-Key', two.key],
        ['X-Forwarded-Method', 'GET'],
        ['X-Forwarded-Uri', '/orders'],
      ],
    )
    const before = two.atOnce()
    await fc.assert(
      fc.asyncProperty(
        target,
        good,
        fc.array(fc.tuple(name, value), { maxLength: 4 }),
        async (path, base, headers) => {
          const lines = [...base, ...headers].map(([one, text]) => `${one}: ${text}`)
          const head = [`GET ${path} HTTP/1.1`, 'Host: a.test', 'Connection: close', ...lines]
          const [fast, ordinary] = await answers(two, `${head.join('\r\n')}\r\n\r\n`)
          assert.equal(fast, ordinary)
        },
      ),
      { numRuns: 400 },
    )
    assert.ok(two.atOnce() > before, 'some were answered at once')
  })
})

describe('the gateway', () => {
  test('answers /session/current.json in the fast lane, once a request is read in one way', async (t: TestContext) => {
    const application = await startApplication(t, echo)
    const site = await createTestSite()
    const key = await site.approvedKey()
    let asked = 0
    const hallpass: Hallpass = {
      ...site.hallpass,
      answerNow: (question) => {
        asked += 1
        return site.hallpass.answerNow(question)
      },
    }
    const server = await listenWith(nodeGateway(hallpass, { upstream: application.url }), {
      port: 0,
      host: '127.0.0.1',
    })
    t.after(() => server.close(0).then(() => site.close()))
    const ask = (...lines: string[]) =>
      sendRaw(
        server.port,
        `${[`GET ${current} HTTP/1.1`, 'Host: a', 'Connection: close', ...lines].join('\r\n')}\r\n\r\n`,
      )
    await ask(`User-Api-Key: ${key}`)
    assert.match(await ask(`User-Api-Key: ${key}`), /"username":"sam"/)
    assert.equal(asked, 2)
    assert.match(await ask(`User-Api-Key: ${key}`, 'User_Api_Key: x'), /request_ambiguous/)
    assert.equal(asked, 2)
  })
})
