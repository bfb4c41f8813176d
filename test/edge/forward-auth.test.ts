import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { Connection } from '../../src/domain/ports.ts'
import type { Reason, RefusalBody } from '../../src/protocol/errors.ts'
import { createTestSite, siteUrl, type TestSite } from '../test-site.ts'
import { readVectors, type Vector } from '../vectors/read-vectors.ts'

const proxy: Connection = { remoteAddress: '::ffff:10.0.0.1' }

interface NormalisationVector extends Vector {
  readonly rawPath: string
  readonly expect: { readonly outcome: 'route' | 'ambiguous' }
}

/** A question in the words of Caddy and Traefik. */
function forwarded(uri: string, method = 'GET'): Record<string, string> {
  return { 'x-forwarded-method': method, 'x-forwarded-uri': uri, 'x-forwarded-for': '192.0.2.7' }
}

/** The same in the words of nginx. */
function original(uri: string, method = 'GET'): Record<string, string> {
  return { 'x-original-method': method, 'x-original-uri': uri, 'x-forwarded-for': '192.0.2.7' }
}

describe('/hallpass/forward-auth', () => {
  let site: TestSite
  let key: string
  let placingKey: string
  let usersKey: string

  before(async () => {
    site = await createTestSite({
      // The second is where the requests of the test site's browsers come from.
      trustedProxies: ['10.0.0.0/8', '127.0.0.1'],
      scopes: [
        {
          name: 'shop:orders',
          label: 'Read orders',
          description: 'GET /orders.',
          routes: [{ methods: ['GET'], paths: ['/orders', '/orders/:id'] }],
        },
        {
          name: 'shop:place',
          label: 'Place orders',
          description: 'POST /orders.',
          routes: [{ methods: ['POST'], paths: ['/orders'] }],
        },
      ],
      apiKeyScopes: [
        {
          resource: 'orders',
          action: 'any',
          routes: [{ methods: ['GET', 'POST'], paths: ['/orders'], params: ['shop'] }],
        },
      ],
    })
    await set('allow_user_api_key_scopes', 'read|write|shop:orders|shop:place')
    key = await site.approvedKey({ scopes: 'shop:orders', client_id: 'shop' })
    placingKey = await site.approvedKey({ scopes: 'shop:place', client_id: 'placing' })
    usersKey = await site.approvedKey({ scopes: 'write', client_id: 'all' })
  })
  beforeEach(async () => {
    await set('forward_auth_requires_identity', 'false')
    // Sign-ins from one address are few in a minute.
    site.advance(60)
  })
  after(() => site.close())

  const set = async (name: string, value: string): Promise<void> => {
    const answer = await site.asAdmin(`/admin/site_settings/${name}.json`, {
      method: 'PUT',
      form: { [name]: value },
    })
    assert.equal(answer.status, 200, await answer.text())
  }
  const ask = (
    headers: Record<string, string>,
    {
      connection = proxy,
      path = '/hallpass/forward-auth',
      method = 'GET',
    }: { connection?: Connection; path?: string; method?: string } = {},
  ): Promise<Response> =>
    site.hallpass.fetch(new Request(new URL(path, siteUrl), { method, headers }), connection)
  const refusedWith = async (answer: Response, status: number, reason: Reason): Promise<RefusalBody> => {
    const body = (await answer.json()) as RefusalBody
    assert.deepEqual([answer.status, body.reason], [status, reason])
    return body
  }

  for (const [words, of] of [
    ['Caddy and Traefik', forwarded],
    ['nginx', original],
  ] as const) {
    test(`tells in answer to ${words} who sent a request that a scope permits`, async () => {
      const answer = await ask({ ...of('/orders/7?page=2'), 'user-api-key': key })
      assert.equal(answer.status, 200)
      assert.equal(await answer.text(), '')
      const told = ['user', 'user-id', 'via', 'scopes', 'client', 'key-id'].map((name) =>
        answer.headers.get(`x-hallpass-${name}`),
      )
      assert.deepEqual(told.slice(0, 5), ['sam', site.user.id, 'user_api_key', 'shop:orders', 'shop'])
      assert.match(told[5] ?? '', /^\d+$/)
    })

    test(`refuses in answer to ${words} what no scope of the key permits`, async () => {
      await refusedWith(await ask({ ...of('/invoices'), 'user-api-key': key }), 403, 'scope_insufficient')
      await refusedWith(
        await ask({ ...of('/orders', 'POST'), 'user-api-key': key }),
        403,
        'scope_insufficient',
      )
    })
  }

  test('takes X-Original-URL with and without scheme and host', async () => {
    for (const url of ['/orders/7', 'https://app.example.com/orders/7']) {
      const headers = { 'x-original-method': 'GET', 'x-original-url': url, 'user-api-key': key }
      assert.equal((await ask(headers)).status, 200)
    }
  })

  test('answers Envoy, which appends the address and keeps the method', async () => {
    const path = '/hallpass/forward-auth/orders/7?page=2'
    const connection = { ...proxy, requestTarget: path }
    assert.equal((await ask({ 'user-api-key': key }, { path, connection })).status, 200)
    const posted = await ask({ 'user-api-key': key }, { path, connection, method: 'POST' })
    await refusedWith(posted, 403, 'scope_insufficient')
  })

  // An attacker would gain a yes of another route of ours, which answers 200 to everybody.
  for (const path of [
    '/hallpass/forward-auth/../../healthz',
    '/hallpass/forward-auth/../scopes',
    '/hallpass/forward-auth/%2e%2e/%2e%2e/healthz',
  ]) {
    test(`does not leave its route for ${path}`, async () => {
      await refusedWith(
        await ask({}, { path, connection: { ...proxy, requestTarget: path } }),
        403,
        'path_ambiguous',
      )
    })
  }

  test('cannot tell what Envoy appended where the request’s first line is not known', async () => {
    const answer = await ask({ 'user-api-key': key }, { path: '/hallpass/forward-auth/orders' })
    await refusedWith(answer, 403, 'original_request_unreadable')
  })

  describe('the proxy', () => {
    test('must be one that the site trusts', async () => {
      const connection = { remoteAddress: '192.0.2.1' }
      const body = await refusedWith(
        await ask({ ...forwarded('/orders'), 'user-api-key': key }, { connection }),
        403,
        'forward_auth_untrusted',
      )
      assert.match(body.remedy, /--trusted-proxy/)
      assert.match(body.message, /192\.0\.2\.1/)
    })

    test('is refused where the site trusts none, or its address is not known', async () => {
      const other = await createTestSite()
      const request = () => new Request(`${siteUrl}/hallpass/forward-auth`, { headers: forwarded('/orders') })
      await refusedWith(await other.hallpass.fetch(request(), proxy), 403, 'forward_auth_untrusted')
      await refusedWith(await other.hallpass.fetch(request()), 403, 'forward_auth_untrusted')
      await other.close()
    })
  })

  // Whoever can choose what is decided on gets a yes for one request and has another carried out.
  describe('an original request that is not told clearly is refused:', () => {
    const cases: readonly [what: string, headers: Record<string, string>][] = [
      ['nothing', {}],
      ['no method', { 'x-forwarded-uri': '/orders' }],
      ['no method, as in nginx’s own example', { 'x-original-uri': '/orders' }],
      ['no address', { 'x-forwarded-method': 'GET' }],
      ['a method of another pair', { 'x-forwarded-method': 'GET', 'x-original-uri': '/orders' }],
      ['two addresses', { ...forwarded('/invoices'), ...original('/orders') }],
      ['two methods', { ...forwarded('/orders', 'POST'), ...original('/orders') }],
      ['an address and half of another pair', { ...forwarded('/orders'), 'x-original-url': '/orders' }],
      ['two spellings of one pair', { ...original('/orders'), 'x-original-url': '/invoices' }],
      ['an address twice in one header', forwarded('/orders, /orders')],
      ['a method twice in one header', forwarded('/orders', 'GET, GET')],
      ['an address with a host', forwarded('http://app.example.com/orders')],
      ['an address without a slash', forwarded('orders')],
      ['an address with a fragment', forwarded('/orders#/invoices')],
      ['bytes that are not encoded', forwarded('/ord\u00e9rs')],
      ['a space', forwarded('/orders /x')],
      ['all servers', forwarded('*', 'OPTIONS')],
    ]
    for (const [what, headers] of cases) {
      test(what, async () => {
        const answer = await ask({ ...headers, 'user-api-key': key })
        await refusedWith(answer, 403, 'original_request_unreadable')
        assert.equal(answer.headers.get('x-hallpass-user'), null)
      })
    }
    test('but pairs that agree are no trouble', async () => {
      const answer = await ask({ ...forwarded('/orders'), ...original('/orders'), 'user-api-key': key })
      assert.equal(answer.status, 200)
    })
  })

  describe('a path that two programs may read differently', () => {
    for (const path of [
      '/orders%2f7',
      '/orders/../invoices',
      '/x/%2e%2e/orders',
      '/x/..;/orders',
      '//orders',
      '/orders//7',
      '/orders/%2537',
      '/orders\\7',
      '/orders/%00',
      '/orders/%ff',
    ]) {
      test(`is refused whoever asks: ${path}`, async () => {
        for (const headers of [{}, { 'user-api-key': usersKey }]) {
          const answer = await ask({ ...forwarded(path), ...headers })
          assert.equal(answer.headers.get('hallpass-status'), '400')
          await refusedWith(answer, 403, 'path_ambiguous')
        }
      })
    }

    test('is decided on as everywhere else', async () => {
      for (const { rawPath, expect } of readVectors<NormalisationVector>('route-normalisation')) {
        if (!/^\/[\x21\x22\x24-\x3e\x40-\x7e]*$/.test(rawPath)) continue
        const answer = await ask({ ...forwarded(rawPath), 'user-api-key': usersKey })
        assert.equal(answer.status, expect.outcome === 'route' ? 200 : 403, rawPath)
      }
    })
  })

  describe('a request without a key', () => {
    test('goes on to the application, with identity headers that say nobody', async () => {
      const answer = await ask(forwarded('/orders', 'POST'))
      assert.equal(answer.status, 200)
      const told = [...answer.headers].filter(([name]) => name.startsWith('x-hallpass-'))
      assert.equal(told.length, 6)
      assert.ok(told.every(([, value]) => value === ''))
    })

    test('is refused with 401 where forward_auth_requires_identity says so', async () => {
      await set('forward_auth_requires_identity', 'true')
      await refusedWith(await ask(forwarded('/orders')), 401, 'credentials_missing')
    })

    test('is not told who it is by a header of its own', async () => {
      const answer = await ask({ ...forwarded('/orders'), 'x-hallpass-user': 'admin' })
      assert.equal(answer.headers.get('x-hallpass-user'), '')
    })

    test('does not count against its address, as one with a key does: pages may have many pictures', async () => {
      const strict = await createTestSite({
        trustedProxies: ['10.0.0.1'],
        pinnedSettings: { max_reqs_per_ip_per_10_seconds: '1' },
      })
      const askStrict = async (headers: Record<string, string>): Promise<number> =>
        (await strict.hallpass.fetch(new Request(`${siteUrl}/hallpass/forward-auth`, { headers }), proxy))
          .status
      for (let i = 0; i < 3; i += 1) assert.equal(await askStrict(forwarded('/picture')), 200)
      const guess = { ...forwarded('/orders'), 'user-api-key': '0'.repeat(32) }
      assert.deepEqual([await askStrict(guess), await askStrict(guess)], [403, 429])
      // Each visitor by their own address, not all by the proxy's.
      assert.equal(await askStrict({ ...guess, 'x-forwarded-for': '192.0.2.8' }), 403)
      await strict.close()
    })
  })

  describe('a key', () => {
    test('that nobody knows is refused, on every route', async () => {
      const headers = { ...forwarded('/orders'), 'user-api-key': '0'.repeat(32) }
      await refusedWith(await ask(headers), 403, 'user_api_key_invalid')
    })

    test('that is revoked is refused from the next request on', async () => {
      const mine = await site.approvedKey({ client_id: 'gone', scopes: 'write' })
      const headers = { ...forwarded('/orders'), 'user-api-key': mine }
      assert.equal((await ask(headers)).status, 200)
      await site.request('/user-api-key/revoke.json', { method: 'POST', headers: { 'user-api-key': mine } })
      await refusedWith(await ask(headers), 403, 'user_api_key_revoked')
    })

    test('beyond its limit gets 429, with how long to wait', async () => {
      const mine = await site.approvedKey({ client_id: 'quick' })
      await set('max_user_api_reqs_per_minute', '2')
      const headers = { ...forwarded('/orders'), 'user-api-key': mine }
      assert.deepEqual([(await ask(headers)).status, (await ask(headers)).status], [200, 200])
      const answer = await ask(headers)
      assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/)
      assert.equal(answer.headers.get('discourse-rate-limit-error-code'), 'user_api_key_limiter_60_secs')
      await refusedWith(answer, 429, 'rate_limited')
      await set('max_user_api_reqs_per_minute', '1000000')
    })

    test('in the address counts on feeds alone', async () => {
      const query = `user_api_key=${usersKey}`
      const user = async (uri: string): Promise<string | null> =>
        (await ask(forwarded(uri))).headers.get('x-hallpass-user')
      assert.equal(await user(`/latest.rss?${query}`), 'sam')
      assert.equal(await user(`/latest?${query}`), '')
    })

    test('in the address of the question itself means nothing', async () => {
      const answer = await ask(forwarded('/latest.rss'), {
        path: `/hallpass/forward-auth?user_api_key=${usersKey}`,
      })
      assert.equal(answer.headers.get('x-hallpass-user'), '')
    })

    test('of an administrator acts for the user that it names', async () => {
      const answer = await ask({
        ...forwarded('/orders'),
        'api-key': site.adminApiKey,
        'api-username': 'sam',
      })
      assert.deepEqual(
        [answer.headers.get('x-hallpass-user'), answer.headers.get('x-hallpass-scopes')],
        ['sam', 'global'],
      )
    })

    for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']) {
      test(`cannot have its request taken for one of another method by ${name}`, async () => {
        const headers = { ...forwarded('/orders', 'POST'), 'user-api-key': placingKey }
        assert.equal((await ask(headers)).status, 200)
        assert.equal((await ask({ ...headers, [name]: 'post' })).status, 200)
        await refusedWith(await ask({ ...headers, [name]: 'DELETE' }), 403, 'method_override')
        assert.equal((await ask({ ...forwarded('/orders'), [name]: 'DELETE' })).status, 200)
      })
    }

    test('cannot have it done by the address either', async () => {
      await refusedWith(
        await ask({ ...forwarded('/orders?_method=delete'), 'user-api-key': key }),
        403,
        'method_override',
      )
    })
  })

  describe('a scope that is narrowed by a parameter', () => {
    let narrowed: Record<string, string>
    before(async () => {
      const scopes = [{ scope_id: 'orders:any', shop: '7' }]
      const answer = await site.asAdmin('/admin/api/keys.json', { json: { key: { scopes } } })
      const { key: made } = (await answer.json()) as { key: { key: string } }
      narrowed = { 'api-key': made.key, 'api-username': 'sam' }
    })

    test('is held against the address', async () => {
      assert.equal((await ask({ ...forwarded('/orders?shop=7'), ...narrowed })).status, 200)
      const other = await ask({ ...forwarded('/orders?shop=8'), ...narrowed })
      await refusedWith(other, 403, 'api_key_scope_insufficient')
    })

    // The body, which is not sent along, may name another shop, and the application act on that.
    for (const [what, method, headers] of [
      ['a POST', 'POST', {}],
      ['a GET with a body', 'GET', { 'content-type': 'application/x-www-form-urlencoded' }],
      ['a GET with a body of unknown length', 'GET', { 'transfer-encoding': 'chunked' }],
    ] as const) {
      test(`refuses ${what}, whose body nobody has read`, async () => {
        const answer = await ask({ ...forwarded('/orders?shop=7', method), ...narrowed, ...headers })
        await refusedWith(answer, 403, 'api_key_scope_insufficient')
      })
    }
  })

  describe('a browser’s session', () => {
    test('tells its user, without scopes', async () => {
      const browser = await site.signedIn()
      const answer = await browser.request('/hallpass/forward-auth', { headers: forwarded('/orders') })
      assert.deepEqual(
        [
          answer.headers.get('x-hallpass-user'),
          answer.headers.get('x-hallpass-via'),
          answer.headers.get('x-hallpass-scopes'),
        ],
        ['sam', 'session', ''],
      )
    })

    test('counts for a change only when a page of the site itself sent it', async () => {
      const browser = await site.signedIn()
      const user = async (more: Record<string, string>): Promise<string | null> => {
        const headers = { ...forwarded('/orders', 'POST'), ...more }
        const answer = await browser.request('/hallpass/forward-auth', { headers })
        assert.equal(answer.status, 200)
        return answer.headers.get('x-hallpass-user')
      }
      assert.equal(await user({}), '')
      assert.equal(await user({ 'sec-fetch-site': 'cross-site' }), '')
      assert.equal(await user({ 'sec-fetch-site': 'same-origin' }), 'sam')
      assert.equal(await user({ 'x-csrf-token': await browser.csrf() }), 'sam')
    })
  })

  // What an attacker would gain: a page of theirs that reads and writes, over a WebSocket, in its visitor's name.
  describe('a WebSocket', () => {
    const socket = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' }
    const open = async (headers: Record<string, string>): Promise<Response> => {
      const browser = await site.signedIn()
      return browser.request('/hallpass/forward-auth', {
        headers: { ...forwarded('/live'), accept: 'application/json', ...headers },
      })
    }
    const user = async (headers: Record<string, string>): Promise<string | null> =>
      (await open(headers)).headers.get('x-hallpass-user')

    for (const [what, headers] of Object.entries<Record<string, string>>({
      'of another site': { ...socket, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
      'of a neighbouring host': { ...socket, 'sec-fetch-site': 'same-site' },
      'of another site, by its origin alone': { ...socket, origin: 'https://evil.example' },
      'of nobody knows where': socket,
      'without a key, in HTTP/2': { 'sec-fetch-mode': 'websocket', 'sec-fetch-site': 'cross-site' },
      'that only Upgrade tells': { upgrade: 'WebSocket', origin: 'https://evil.example' },
    })) {
      test(`that a page ${what} opens is nobody’s, whatever the session`, async () => {
        assert.equal(await user(headers), '')
        await set('forward_auth_requires_identity', 'true')
        assert.equal((await open(headers)).status, 403)
      })
    }

    for (const [what, headers] of Object.entries({
      'as the browser says': { ...socket, 'sec-fetch-site': 'same-origin', origin: siteUrl },
      'by its origin': { ...socket, origin: siteUrl },
    })) {
      test(`that a page of the site itself opens is its user’s, ${what}`, async () => {
        assert.equal(await user(headers), 'sam')
      })
    }

    test('with a key is its user’s wherever it comes from', async () => {
      const headers = { ...forwarded('/live'), ...socket, 'user-api-key': usersKey }
      const answer = await ask({ ...headers, 'sec-fetch-site': 'cross-site' })
      assert.equal(answer.headers.get('x-hallpass-user'), 'sam')
    })
  })

  describe('a refusal', () => {
    test('tells a bearer of a token that does not count the same by status and by header', async () => {
      for (const [token, status] of [
        ['0'.repeat(32), 401],
        [key, 403],
      ] as const) {
        const answer = await ask({ ...original('/invoices'), authorization: `Bearer ${token}` })
        assert.deepEqual([answer.status, answer.headers.get('hallpass-status')], [status, `${status}`])
        assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer error=/)
      }
    })

    test('stands whole in a header for nginx, which cannot hand on a body', async () => {
      const answer = await ask({ ...original('/invoices'), 'user-api-key': key })
      const body = await refusedWith(answer, 403, 'scope_insufficient')
      assert.deepEqual(JSON.parse(answer.headers.get('hallpass-refusal') ?? ''), body)
      assert.equal(
        (await ask({ ...forwarded('/invoices'), 'user-api-key': key })).headers.get('hallpass-refusal'),
        null,
      )
    })

    test('that is long is cut down there, so that the header stays one that proxies take', async () => {
      const answer = await ask({ ...original(`/${'%e2%82%ac'.repeat(800)}`), 'user-api-key': key })
      const text = answer.headers.get('hallpass-refusal') ?? ''
      assert.ok(text.length < 2048)
      assert.equal((JSON.parse(text) as RefusalBody).reason, 'scope_insufficient')
    })
  })

  test('is not mistaken for paths that begin alike', async () => {
    for (const path of [
      '/hallpass/forward-authority',
      '/hallpass/forward-auth%2f',
      '/x/hallpass/forward-auth',
    ])
      assert.equal((await ask(forwarded('/orders'), { path })).status, 404)
  })
})
