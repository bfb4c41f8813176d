/** What the gateway decides about at once goes on, and is refused, as by the ordinary way, and is counted alike. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { noObserver, type Observer } from '../../src/domain/observation.ts'
import { nodeGateway } from '../../src/edge/gateway.ts'
import { listenWith } from '../../src/edge/node-server.ts'
import type { Hallpass } from '../../src/server/hallpass.ts'
import { createTestSite } from '../test-site.ts'
import { echo, sendRaw, startApplication } from './gateway-site.ts'

interface Ways {
  readonly key: string
  readonly narrowKey: string
  readonly adminApiKey: string
  /** How many requests were decided about at once. */
  readonly atOnce: () => number
  /** Sends a request to both gateways; answers with what came back from each, without ids, tokens and ports. */
  ask(line: string, ...headers: string[]): Promise<{ readonly fast: string; readonly ordinary: string }>
  /** What the observer of each has heard of requests, without times. */
  readonly heard: Readonly<Record<'fast' | 'ordinary', string[]>>
  revokeAll(): Promise<void>
}

/** Two gateways that are alike, but that one has no way at once. */
async function startBoth(
  t: TestContext,
  settings: Record<string, string> = {},
  { isOn = true } = {},
): Promise<Ways> {
  const application = await startApplication(t, echo)
  let admitted = 0
  const heard: Ways['heard'] = { fast: [], ordinary: [] }
  const start = async (isFast: boolean) => {
    const observer = { ...recorder(heard[isFast ? 'fast' : 'ordinary']), isOn }
    const pinnedSettings = { revocation_bound_ms: '60000', ...settings }
    const site = await createTestSite({ trustedProxies: ['127.0.0.1'], pinnedSettings, observer })
    const key = await site.approvedKey({ scopes: 'read', client_id: 'both' })
    const narrowKey = await site.approvedKey({ scopes: 'notifications', client_id: 'narrow' })
    const hallpass: Hallpass = {
      ...site.hallpass,
      admitNow(question) {
        const answer = isFast ? site.hallpass.admitNow(question) : undefined
        if (answer) admitted += 1
        return answer
      },
    }
    const gateway = nodeGateway(hallpass, { upstream: application.url, audience: 'app', observer })
    const server = await listenWith(gateway, { port: 0, host: '127.0.0.1' })
    t.after(() => server.close(0).then(() => site.close()))
    return { site, port: server.port, key, narrowKey }
  }
  const [one, other] = [await start(true), await start(false)]
  assert.deepEqual([one.key, one.narrowKey], [other.key, other.narrowKey])
  const send = async ({ port }: { port: number }, line: string, headers: readonly string[]) => {
    const host = headers.some((header) => header.startsWith('Host:')) ? [] : ['Host: a.test']
    const head = [`${line} HTTP/1.1`, ...host, 'Connection: close', ...headers]
    return settled(await sendRaw(port, `${head.join('\r\n')}\r\n\r\n`))
  }
  const ways: Ways = {
    key: one.key,
    narrowKey: one.narrowKey,
    adminApiKey: one.site.adminApiKey,
    atOnce: () => admitted,
    heard,
    async ask(line, ...headers) {
      const [fast, ordinary] = await Promise.all([send(one, line, headers), send(other, line, headers)])
      return { fast, ordinary }
    },
    async revokeAll() {
      for (const { site, key } of [one, other]) {
        const answer = await site.request('/user-api-key/revoke', {
          method: 'POST',
          headers: { 'user-api-key': key },
        })
        assert.equal(answer.status, 200)
      }
    },
  }
  for (const key of [ways.key, ways.narrowKey])
    await ways.ask('GET /session/current.json', `User-Api-Key: ${key}`)
  return ways
}

function recorder(heard: string[]): Observer {
  return {
    ...noObserver,
    cacheAsked: (answer) => void heard.push(`cache ${answer}`),
    verified: (credential, result) => void heard.push(`verified ${credential} ${result}`),
    answered: ({ method, route, status, trace, address }) =>
      void heard.push(`${method} ${route} ${status} ${trace.key?.kind} ${trace.parent?.traceId} ${address}`),
    refused: ({ refusal, method, address }) =>
      void heard.push(`refused ${method} ${refusal.reason} ${address}`),
  }
}

function settled(answer: string): string {
  return answer
    .replace(/^Date: .*$/gm, 'Date: now')
    .replaceAll(/"x-hallpass-identity":"[^"]*"/g, '"x-hallpass-identity":"TOKEN"')
    .replaceAll(/hallpass-[0-9a-f]{12}/g, 'hallpass-VIA')
    .replaceAll(/"traceparent":"00-[0-9a-f]{32}-[0-9a-f]{16}-00"/g, '"traceparent":"TRACE"')
    .replaceAll(/(x-request-id: |"trace_id":")[0-9a-f]{32}/gi, '$1ID')
}

test('a request with a key in memory goes on, or is refused, at once, and as the ordinary way has it', async (t) => {
  const ways = await startBoth(t)
  const own = `User-Api-Key: ${ways.key}`
  const trace = 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const cases: readonly (readonly [what: string, status: number, line: string, ...headers: string[]])[] = [
    ['a path of the application', 200, 'GET /orders', own],
    ['a query', 200, 'GET /orders?page=2&user_api_key=x', own],
    ['its client', 200, 'GET /orders', own, 'User-Api-Client-Id: both'],
    ['a token', 200, 'GET /orders', `Authorization: Bearer ${ways.key}`],
    ['a name that hides another', 200, 'GET /orders', own, 'X_Hallpass_User: root', 'Cookie: theme=dark'],
    ['a trace of the caller’s', 200, 'GET /orders', own, trace],
    ['a sender that a proxy names', 200, 'GET /orders', own, 'X-Forwarded-For: 192.0.2.7'],
    ['a key in a feed’s address', 200, `GET /posts.rss?user_api_key=${ways.key}`],
    ['HEAD', 200, 'HEAD /orders', own],
    ['a path that its scopes do not allow', 403, 'GET /orders', `User-Api-Key: ${ways.narrowKey}`],
    ['a method that its scopes do not allow', 403, 'DELETE /orders/1', own],
    ['a method in disguise', 403, 'GET /orders', own, 'X-HTTP-Method-Override: DELETE'],
  ]
  for (const [what, status, line, ...headers] of cases) {
    const before = ways.atOnce()
    const { fast, ordinary } = await ways.ask(line, ...headers)
    assert.equal(fast, ordinary, what)
    assert.match(fast, new RegExp(`^HTTP/1.1 ${status} `), what)
    assert.equal(ways.atOnce() - before, 1, `${what} is decided about at once`)
  }
})

test('all else takes the ordinary way', async (t) => {
  const ways = await startBoth(t, { enable_oauth_metadata: 'false' })
  const own = `User-Api-Key: ${ways.key}`
  const cases: readonly (readonly [what: string, status: number, line: string, ...headers: string[]])[] = [
    ['nobody', 200, 'GET /orders'],
    ['an unknown key', 403, 'GET /orders', 'User-Api-Key: 0123456789abcdef0123456789abcdef'],
    ['an administrator’s key', 200, 'GET /orders', `Api-Key: ${ways.adminApiKey}`, 'Api-Username: sam'],
    ['two keys', 200, 'GET /orders', own, `Api-Key: ${ways.adminApiKey}`, 'Api-Username: sam'],
    ['another client', 200, 'GET /orders', own, 'User-Api-Client-Id: moved'],
    ['a route of Hallpass’s own', 200, 'GET /session/csrf', own],
    ['a route that is switched off', 200, 'GET /.well-known/oauth-protected-resource', own],
    ['a path of two readings', 400, 'GET /orders/%2e%2e/admin', own],
    [
      'a preflight',
      403,
      'OPTIONS /orders',
      own,
      'Access-Control-Request-Method: GET',
      'Origin: https://a.example',
    ],
    ['a header that came twice', 200, 'GET /orders', own, 'Accept: a/b', 'Accept: c/d'],
    [
      'a proxy’s question',
      200,
      'GET /hallpass/forward-auth',
      own,
      'X-Forwarded-Method: GET',
      'X-Forwarded-Uri: /o',
    ],
    ['an entrance', 200, 'GET /orders?user_api_public_key=x&auth_redirect=y', own],
  ]
  for (const [what, status, line, ...headers] of cases) {
    const before = ways.atOnce()
    const { fast, ordinary } = await ways.ask(line, ...headers)
    assert.equal(fast, ordinary, what)
    assert.match(fast, new RegExp(`^HTTP/1.1 ${status} `), `${what}: ${fast.slice(0, 300)}`)
    assert.equal(ways.atOnce() - before, 0, `${what} is not decided about at once`)
  }
})

test('a host that is none, or is written in another way than in a URL, takes the ordinary way', async (t) => {
  const ways = await startBoth(t)
  const own = `User-Api-Key: ${ways.key}`
  for (const host of ['a.test:99999', '1.2.3.4.5', '256.256.256.256', 'a.09', '0x7f.1']) {
    for (const path of ['/orders', '/session/current.json']) {
      const { fast, ordinary } = await ways.ask(`GET ${path}`, `Host: ${host}`, own)
      assert.equal(fast, ordinary, `${path} of ${host}`)
    }
  }
  assert.match((await ways.ask('GET /orders', 'Host: a.test:99999', own)).fast, /^HTTP\/1.1 400 /)
  assert.equal(ways.atOnce(), 0)
})

test('limits count what is let in at once', async (t) => {
  const ways = await startBoth(t, { max_user_api_reqs_per_minute: '3' })
  const own = `User-Api-Key: ${ways.key}`
  // The first of three was the one that made the key known.
  for (const status of [200, 200, 429, 429]) {
    const { fast, ordinary } = await ways.ask('GET /orders', own)
    assert.equal(fast, ordinary)
    assert.match(fast, new RegExp(`^HTTP/1.1 ${status} `))
  }
})

test('a key that was revoked is refused at its next request', async (t) => {
  const ways = await startBoth(t)
  const own = `User-Api-Key: ${ways.key}`
  assert.match((await ways.ask('GET /orders', own)).fast, /^HTTP\/1.1 200 /)
  await ways.revokeAll()
  const { fast, ordinary } = await ways.ask('GET /orders', own)
  assert.equal(fast, ordinary)
  assert.match(fast, /^HTTP\/1.1 403 /)
})

test('an observer hears the same of both ways', async (t) => {
  const ways = await startBoth(t)
  const trace = 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const sender = 'X-Forwarded-For: 192.0.2.7'
  for (const heard of [ways.heard.fast, ways.heard.ordinary]) heard.length = 0
  await ways.ask('GET /orders', `User-Api-Key: ${ways.key}`, trace, sender)
  await ways.ask('GET /orders', `User-Api-Key: ${ways.narrowKey}`, sender)
  await ways.ask('GET /orders', `User-Api-Key: ${ways.key}`, 'X-Method: PUT')
  assert.deepEqual(ways.heard.fast, ways.heard.ordinary)
  const known = 'user_api_key 0af7651916cd43dd8448eb211c80319c 192.0.2.7'
  assert.deepEqual(ways.heard.fast.slice(0, 3), [
    'cache hit',
    'verified user_api_key authenticated',
    `GET gateway 200 ${known}`,
  ])
  assert.ok(ways.heard.fast.includes('refused GET scope_insufficient 192.0.2.7'), ways.heard.fast.join('\n'))
})

test('an observer that wants to hear of refusals alone hears where they came from', async (t) => {
  const ways = await startBoth(t, {}, { isOn: false })
  for (const heard of [ways.heard.fast, ways.heard.ordinary]) heard.length = 0
  await ways.ask('GET /orders', `User-Api-Key: ${ways.narrowKey}`, 'X-Forwarded-For: 192.0.2.7')
  assert.equal(ways.atOnce(), 1)
  assert.deepEqual(ways.heard.fast, ways.heard.ordinary)
  assert.deepEqual(ways.heard.fast, ['refused GET scope_insufficient 192.0.2.7'])
})
