/** What the gateway lets through, as whom, and what the application hears of it. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { type Echo, echo, type GatewaySite, startApplication, startGateway } from './gateway-site.ts'

type Options = Parameters<typeof startGateway>[2]

async function inFrontOfEcho(t: TestContext, options?: Options, site?: Parameters<typeof startGateway>[3]) {
  const application = await startApplication(t, echo)
  return { application, ...(await startGateway(t, application.url, options, site)) }
}

async function echoed(gateway: GatewaySite, path: string, init: RequestInit = {}): Promise<Echo> {
  const answer = await fetch(gateway.url + path, init)
  assert.equal(answer.status, 200, `${path}: ${answer.status}`)
  return (await answer.json()) as Echo
}

async function reasonOf(answer: Response): Promise<string> {
  return ((await answer.json()) as { reason: string }).reason
}

function identityIn({ headers }: Echo): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-hallpass')))
}

describe('who comes through the gateway', () => {
  test('Hallpass answers its own routes, and the application all else, to anybody', async (t) => {
    const gateway = await inFrontOfEcho(t)
    const own = await fetch(`${gateway.url}/site/basic-info.json`)
    assert.ok('title' in ((await own.json()) as object))
    const seen = await echoed(gateway, '/orders?a=1&b=%20', { headers: { accept: 'text/plain' } })
    assert.equal(seen.url, '/orders?a=1&b=%20')
    assert.deepEqual(identityIn(seen), {})
  })

  test('a key comes through where its scope permits it, and its user is told in plain headers and signed', async (t) => {
    const gateway = await inFrontOfEcho(t)
    const key = await gateway.site.approvedKey({ scopes: 'read' })
    const seen = await echoed(gateway, '/orders', { headers: { 'user-api-key': key } })
    const { 'x-hallpass-identity': token = '', ...plain } = identityIn(seen)
    assert.deepEqual(plain, {
      'x-hallpass-user': 'sam',
      'x-hallpass-user-id': gateway.site.user.id,
      'x-hallpass-via': 'user_api_key',
      'x-hallpass-scopes': 'read',
      'x-hallpass-client': 'client-1',
      'x-hallpass-key-id': '1',
    })
    const jwks = createRemoteJWKSet(new URL(`${gateway.url}/hallpass/jwks.json`))
    const { payload } = await jwtVerify(token, jwks, {
      audience: gateway.application.url,
      issuer: 'hallpass',
    })
    assert.equal(payload.sub, gateway.site.user.id)
  })

  test('a key is refused what none of its scopes covers, and one that is bad everywhere', async (t) => {
    const gateway = await inFrontOfEcho(t)
    const key = await gateway.site.approvedKey({ scopes: 'read' })
    const written = await fetch(`${gateway.url}/orders`, {
      method: 'POST',
      headers: { 'user-api-key': key },
      body: 'x',
    })
    assert.deepEqual([written.status, await reasonOf(written)], [403, 'scope_insufficient'])
    const bad = await fetch(`${gateway.url}/orders`, { headers: { 'user-api-key': 'f'.repeat(32) } })
    assert.equal(await reasonOf(bad), 'user_api_key_invalid')
  })

  test('a key whose scope is narrowed by a parameter is refused a body that is streamed, unread, past it', async (t) => {
    const apiKeyScopes = [
      {
        resource: 'orders',
        action: 'change',
        routes: [{ methods: ['GET', 'POST'], paths: ['/orders'], params: ['id'] }],
      },
    ]
    const gateway = await inFrontOfEcho(t, {}, { apiKeyScopes })
    const made = await gateway.site.asAdmin('/admin/api/keys.json', {
      method: 'POST',
      json: {
        key: {
          description: 'narrow',
          username: 'sam',
          scope_mode: 'granular',
          scopes: [{ scope_id: 'orders:change', id: '7' }],
        },
      },
    })
    const { key } = (await made.json()) as { key: { key: string } }
    const headers = { 'api-key': key.key }
    await echoed(gateway, '/orders?id=7', { headers })
    await echoed(gateway, '/orders?id=7', { headers, method: 'POST' })
    const answer = await fetch(`${gateway.url}/orders?id=7`, { headers, method: 'POST', body: 'id=8' })
    assert.equal(await reasonOf(answer), 'api_key_scope_insufficient')
  })

  test('an API key acts for the user that it names', async (t) => {
    const gateway = await inFrontOfEcho(t)
    const headers = { 'api-key': gateway.site.adminApiKey, 'api-username': 'sam' }
    const seen = identityIn(await echoed(gateway, '/orders', { headers }))
    assert.equal(seen['x-hallpass-user'], 'sam')
    assert.equal(seen['x-hallpass-scopes'], 'global')
  })

  test('pages and their pictures count for no limit of addresses, and keys that are guessed do', async (t) => {
    const gateway = await inFrontOfEcho(t)
    const name = 'max_reqs_per_ip_per_10_seconds'
    await gateway.site.asAdmin(`/admin/site_settings/${name}.json`, { method: 'PUT', form: { [name]: '3' } })
    for (let picture = 0; picture < 10; picture += 1) await echoed(gateway, `/picture/${picture}`)
    const reasons: string[] = []
    for (let guess = 0; guess < 5; guess += 1) {
      const headers = { 'user-api-key': `${guess}`.repeat(32) }
      reasons.push(await reasonOf(await fetch(`${gateway.url}/orders`, { headers })))
    }
    assert.deepEqual(reasons.slice(3), ['rate_limited', 'rate_limited'])
  })
})

// What an attacker would gain: a page of theirs that acts as the visitor who looks at it.
describe('a browser with a session', () => {
  test('is known to the application for what changes nothing', async (t) => {
    const gateway = await inFrontOfEcho(t)
    const { cookie } = await gateway.signIn()
    const seen = await echoed(gateway, '/orders', { headers: { cookie: `theme=dark; ${cookie}` } })
    assert.equal(identityIn(seen)['x-hallpass-user'], 'sam')
    assert.equal(identityIn(seen)['x-hallpass-via'], 'session')
    assert.equal(seen.headers.cookie, 'theme=dark')
  })

  for (const [from, headers, known] of [
    ['a page of the site, by Sec-Fetch-Site', { 'sec-fetch-site': 'same-origin' }, true],
    ['a page of the site, by Origin', { origin: 'SITE' }, true],
    ['a page of another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, false],
    ['a page of a neighbouring host', { 'sec-fetch-site': 'same-site', origin: 'SITE' }, false],
    ['another port of this host', { origin: 'http://127.0.0.1:1' }, false],
    ['a sandboxed page', { origin: 'null' }, false],
    ['something that does not say', {}, false],
  ] as const) {
    test(`is ${known ? 'known' : 'nobody'} for what changes something and comes from ${from}`, async (t) => {
      const gateway = await inFrontOfEcho(t)
      const { cookie } = await gateway.signIn()
      const sent = Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, value === 'SITE' ? gateway.url : value]),
      )
      const seen = await echoed(gateway, '/orders', {
        method: 'POST',
        headers: { cookie, ...sent },
        body: 'x',
      })
      assert.equal(identityIn(seen)['x-hallpass-user'], known ? 'sam' : undefined)
      assert.equal(seen.headers.cookie, undefined)
    })
  }

  test('is known with Hallpass’s own CSRF token, wherever it comes from', async (t) => {
    const gateway = await inFrontOfEcho(t)
    const { cookie, csrf } = await gateway.signIn()
    const headers = { cookie, 'x-csrf-token': csrf }
    const seen = await echoed(gateway, '/orders', { method: 'POST', headers, body: 'x' })
    assert.equal(identityIn(seen)['x-hallpass-user'], 'sam')
  })
})

describe('requireSignIn', () => {
  test('a browser that wants a page goes to sign in and comes back, without a key in the address', async (t) => {
    const gateway = await inFrontOfEcho(t, { requireSignIn: true })
    const answer = await fetch(`${gateway.url}/orders?a=1&user_api_key=${'a'.repeat(32)}`, {
      headers: { accept: 'text/html' },
      redirect: 'manual',
    })
    assert.equal(answer.status, 302)
    assert.equal(answer.headers.get('location'), '/hallpass/sign-in?redirect=%2Forders%3Fa%3D1')
  })

  test('a program is refused, as is a form of a page elsewhere', async (t) => {
    const gateway = await inFrontOfEcho(t, { requireSignIn: true })
    const answer = await fetch(`${gateway.url}/orders`, { headers: { accept: 'application/json' } })
    assert.deepEqual([answer.status, await reasonOf(answer)], [403, 'not_signed_in'])
    const { cookie } = await gateway.signIn()
    const forged = await fetch(`${gateway.url}/orders`, { method: 'POST', headers: { cookie }, body: 'x' })
    assert.deepEqual([forged.status, forged.headers.get('hallpass-reason')], [403, 'csrf_invalid'])
  })

  test('somebody signed in, and a key, come through', async (t) => {
    const gateway = await inFrontOfEcho(t, { requireSignIn: true })
    const { cookie } = await gateway.signIn()
    await echoed(gateway, '/orders', { headers: { cookie } })
    const key = await gateway.site.approvedKey({ scopes: 'read' })
    await echoed(gateway, '/orders', { headers: { 'user-api-key': key } })
  })
})

// What an attacker would gain: an application that believes what they say of themselves, or that holds others' keys.
describe('what the application is told', () => {
  test('no identity, forwarding or path header of the caller’s own, in any spelling', async (t) => {
    const gateway = await inFrontOfEcho(t)
    const { headers } = await echoed(gateway, '/orders', {
      headers: {
        'x-hallpass-user': 'admin',
        'X-Hallpass-Identity': 'x',
        x_hallpass_user_id: '1',
        'x-forwarded-for': '10.0.0.1',
        'x-forwarded-host': 'evil.example',
        x_forwarded_proto: 'https',
        forwarded: 'for=10.0.0.1',
        'x-real-ip': '10.0.0.1',
        'x-original-url': '/admin',
        'x-rewrite-url': '/admin',
        proxy: 'http://evil.example',
        'proxy-authorization': 'Basic eA==',
        te: 'trailers',
        'x-mine': 'kept',
      },
    })
    const { host, via, connection, traceparent, ...rest } = headers
    assert.match(String(traceparent), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    assert.deepEqual(rest, {
      accept: '*/*',
      'accept-language': '*',
      'sec-fetch-mode': 'cors',
      'user-agent': 'node',
      'accept-encoding': 'gzip, deflate',
      'x-mine': 'kept',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': `127.0.0.1:${gateway.port}`,
    })
    assert.equal(host, `127.0.0.1:${gateway.port}`)
    assert.match(String(via), /^1\.1 hallpass-[0-9a-f]{12}$/)
    assert.equal(connection, 'keep-alive')
  })

  test('no credential of Hallpass’s, wherever it was sent', async (t) => {
    const gateway = await inFrontOfEcho(t)
    const key = await gateway.site.approvedKey({ scopes: 'read' })
    const { adminApiKey } = gateway.site
    for (const [path, headers] of [
      ['/latest', { 'user-api-key': key, 'user-api-client-id': 'client-1' }],
      ['/latest', { authorization: `Bearer ${key}` }],
      ['/latest', { 'api-key': adminApiKey, 'api-username': 'sam' }],
      ['/latest', { user_api_key: key }],
      [`/latest.rss?x=1&user_api_key=${key}&y=2`, {}],
      [`/latest.rss?x=1&y=2&user%5Fapi_key=${key}`, {}],
      [`/latest.rss?x=1&y=2&api_key=${adminApiKey}&api_username=sam`, {}],
      [`/orders?x=1&y=2&user_api_key=${key}`, {}],
      ['/orders', { referer: `http://site.test/latest.rss?user_api_key=${key}` }],
    ] as const) {
      const text = JSON.stringify(await echoed(gateway, path, { headers }))
      assert.equal(text.includes(key) || text.includes(adminApiKey), false, path)
      if (path.includes('x=1')) assert.match(text, /x=1&y=2/)
    }
  })

  test('what is the application’s own: its tokens, its cookies, its api_key', async (t) => {
    const gateway = await inFrontOfEcho(t)
    const seen = await echoed(gateway, '/orders?api_key=theirs&_method=put', {
      headers: {
        authorization: 'Bearer their.own.token',
        cookie: '_t=not-ours; a="b c"',
        'x-http-method-override': 'PUT',
      },
    })
    assert.equal(seen.url, '/orders?api_key=theirs&_method=put')
    assert.equal(seen.headers.authorization, 'Bearer their.own.token')
    assert.equal(seen.headers.cookie, '_t=not-ours; a="b c"')
    assert.equal(seen.headers['x-http-method-override'], 'PUT')
  })

  test('no other method than the one that a key’s scopes were held against', async (t) => {
    const gateway = await inFrontOfEcho(t)
    const key = await gateway.site.approvedKey({ scopes: 'read' })
    for (const [path, headers] of [
      ['/orders', { 'x-http-method-override': 'DELETE' }],
      ['/orders', { 'x-method-override': 'DELETE' }],
      ['/orders', { x_http_method_override: 'DELETE' }],
      ['/orders', { 'x-method': 'DELETE' }],
      ['/orders?_method=delete', {}],
      ['/orders?%20_method=delete', {}],
      ['/orders?[_method]=delete', {}],
      ['/orders?a=1;_method=delete', {}],
    ] as const) {
      const answer = await fetch(gateway.url + path, { headers: { 'user-api-key': key, ...headers } })
      assert.equal(await reasonOf(answer), 'method_override')
    }
    // This is the method that it is.
    const headers = { 'user-api-key': key, x_http_method_override: 'GET', 'x-http-method': 'GET' }
    const seen = await echoed(gateway, '/orders?_method=get&a=1', { headers })
    assert.equal(seen.url, '/orders?a=1')
    assert.equal(/x.http.method/i.test(JSON.stringify(seen.headers)), false)
  })

  // What an attacker would gain: an application that goes by the proxy's header takes them for whom they name.
  test('no header by which a proxy signs people in, whoever sends it, in any spelling', async (t) => {
    const gateway = await inFrontOfEcho(t, {
      signInHeaders: ['X-Remote-User', 'X-Remote-Email'],
      trustedProxies: ['127.0.0.1'],
    })
    const names = ['X-Remote-User', 'X_Remote_User', 'x-remote_user', 'X-Remote-Email', 'X-Remote-Group']
    const { headers } = await echoed(gateway, '/orders', {
      headers: Object.fromEntries(names.map((name) => [name, 'root'])),
    })
    const left = Object.keys(headers).filter((name) => name.includes('remote'))
    assert.deepEqual(left, ['x-remote-group'])
  })

  test('what a trusted proxy says of where a request came from, with the proxy added', async (t) => {
    const gateway = await inFrontOfEcho(t, { trustedProxies: ['127.0.0.1'] })
    const { headers } = await echoed(gateway, '/orders', {
      headers: {
        'x-forwarded-for': '192.0.2.1',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'app.example.com',
      },
    })
    assert.equal(headers['x-forwarded-for'], '192.0.2.1, 127.0.0.1')
    assert.equal(headers['x-forwarded-proto'], 'https')
    assert.equal(headers['x-forwarded-host'], 'app.example.com')
  })

  test('its own Host, where it is to see that', async (t) => {
    const gateway = await inFrontOfEcho(t, { hostHeader: 'upstream', baseUrl: 'https://app.example.com' })
    const { headers } = await echoed(gateway, '/orders')
    assert.equal(`http://${headers.host}`, gateway.application.url)
    assert.equal(headers['x-forwarded-host'], 'app.example.com')
    assert.equal(headers['x-forwarded-proto'], 'https')
  })
})

describe('the application’s answer', () => {
  test('comes as it was sent, but for what concerns the connection, and cookies that are Hallpass’s', async (t) => {
    const { url } = await startApplication(t, (_incoming, outgoing) => {
      outgoing.writeHead(201, 'Made', [
        ...['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Set-Cookie', `_t=${'0'.repeat(64)}`],
        // A cookie without a name, which a browser sends as its value alone.
        ...['Set-Cookie', `=_t=${'0'.repeat(64)}`, 'Set-Cookie', ` = _hallpass_csrf=x; Path=/`],
        ...[
          'Set-Cookie',
          '_hallpass_csrf=x; Path=/',
          'X-Odd',
          'caf\u00e9',
          'Connection',
          'x-private',
          'X-Private',
          '1',
        ],
        ...['Keep-Alive', 'timeout=9', 'Vary', 'Accept', 'Content-Length', '2'],
      ])
      outgoing.end(Buffer.from('ok'))
    })
    const gateway = await startGateway(t, url)
    const name = 'cors_origins'
    await gateway.site.asAdmin(`/admin/site_settings/${name}.json`, {
      method: 'PUT',
      form: { [name]: 'https://spa.example' },
    })
    await gateway.site.asAdmin('/admin/site_settings/enable_cors.json', {
      method: 'PUT',
      form: { enable_cors: 'true' },
    })
    const answer = await fetch(gateway.url)
    assert.deepEqual([answer.status, answer.statusText, await answer.text()], [201, 'Made', 'ok'])
    assert.deepEqual(answer.headers.getSetCookie(), ['a=1', 'b=2'])
    assert.equal(answer.headers.get('x-odd'), 'caf\u00e9')
    assert.equal(answer.headers.get('x-private'), null)
    assert.equal(answer.headers.get('vary'), 'Accept, Origin')
    assert.equal(answer.headers.get('access-control-allow-origin'), 'https://spa.example')
  })
})
