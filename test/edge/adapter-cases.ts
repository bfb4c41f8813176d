/** What every adapter guarantees: one table, which runs against each framework. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { WebSocket } from 'ws'
import { hashSecret } from '../../src/domain/key-text.ts'
import type { OwnScope } from '../../src/protocol/scopes.ts'
import { authorizationParameters, openSealed, type TestSite, userPassword } from '../test-site.ts'
import type { Driver, RunningApp } from './adapter-drivers.ts'

export interface CaseSetting {
  readonly app: RunningApp
  readonly site: TestSite
  readonly driver: Driver
  /** What reached the framework's own error handler. */
  readonly errors: readonly unknown[]
}

export interface AdapterCase {
  readonly guarantee: string
  /** Which of the two ways to parse bodies the case runs with. Default: both. */
  readonly bodies?: 'parsed before' | 'parsed behind'
  /** Which adapters have what the case is about. Default: all. */
  readonly concerns?: (driver: Driver) => boolean
  run(setting: CaseSetting): Promise<void>
}

/** The scopes of the application's own routes. */
export const ownScopes: readonly OwnScope[] = [
  {
    name: 'shop:read',
    label: 'See your orders',
    description: 'GET of /who and of the orders.',
    routes: [{ methods: ['GET'], paths: ['/who', '/orders/:id'] }],
  },
  {
    name: 'shop:order',
    label: 'Order for you',
    description: 'POST /orders; can be narrowed to shops.',
    routes: [{ methods: ['POST'], paths: ['/orders'], params: ['shop'] }],
  },
]

export const adapterCases: readonly AdapterCase[] = [
  {
    guarantee: 'an app gets its key through the mounted pages, and uses it',
    async run({ app }) {
      const browser = browserOn(app)
      const token = async () =>
        ((await (await browser('/session/csrf.json')).json()) as { csrf: string }).csrf
      const signIn = { login: 'sam', password: userPassword, authenticity_token: await token() }
      assert.equal((await browser('/session.json', { form: signIn })).status, 200)
      const parameters = authorizationParameters({ scopes: 'shop:read', client_id: `flow ${app.port}` })
      const page = await browser(`/user-api-key/new?${new URLSearchParams(parameters)}`)
      assert.match(await page.text(), /My app/)
      assert.match(page.headers.get('content-security-policy') ?? '', /default-src/)
      const approval = { ...parameters, authenticity_token: await token() }
      const answer = await browser('/user-api-key.json', { form: approval })
      const { payload } = (await answer.json()) as { payload: string }
      const who = await call(app, '/who', { key: String(openSealed(payload).key) })
      assert.deepEqual(await who.json(), { user: 'sam', via: 'user_api_key' })
    },
  },
  {
    guarantee: 'Hallpass’s own routes take JSON',
    async run({ app, site }) {
      const key = await keyWith(site, 'read')
      const json = await call(app, '/user-api-key/revoke.json', { key, json: {} })
      assert.deepEqual(await json.json(), { success: 'OK' })
      assert.equal(await reasonOf(await call(app, '/who', { key })), 'user_api_key_revoked')
    },
  },
  {
    guarantee: 'anonymous visitors pass on, as nobody',
    async run({ app }) {
      const answer = await call(app, '/who')
      assert.deepEqual(await answer.json(), { user: null, via: null })
      assert.equal(answer.headers.get('x-discourse-username'), null)
    },
  },
  {
    guarantee: 'requireIdentity refuses nobody, and lets somebody through',
    concerns: ({ requires }) => requires,
    async run({ app, site }) {
      assert.equal(await reasonOf(await call(app, '/mine')), 'not_signed_in')
      const key = await keyWith(site, 'read')
      assert.deepEqual(await (await call(app, '/mine', { key })).json(), { yours: true })
    },
  },
  {
    guarantee: 'a key does what its scope permits, and the answer says for whom',
    async run({ app, site, driver }) {
      const key = await keyWith(site, 'shop:read')
      const answer = await call(app, '/orders/7', { key })
      assert.deepEqual(await answer.json(), { id: '7' })
      assert.equal(answer.headers.get('x-discourse-username'), 'sam')
      assert.equal(answer.headers.get('x-discourse-route'), driver.tellsRoutes ? 'orders/show' : null)
    },
  },
  {
    guarantee: 'what the scope does not permit is refused before the application hears of it',
    async run({ app, site }) {
      const key = await keyWith(site, 'shop:read')
      for (const path of ['/orders', '/nowhere', '/upload']) {
        const answer = await call(app, path, { key, form: { shop: 'books' } })
        assert.equal(answer.status, 403)
        assert.equal(await reasonOf(answer), 'scope_insufficient')
      }
    },
  },
  {
    guarantee: 'a path of two readings is refused to keys',
    async run({ app, site }) {
      const key = await keyWith(site, 'shop:read')
      for (const path of ['/orders/%2e%2e%2fwho', '//orders/7', '/orders/a%5cb']) {
        const { status, body } = await rawCall(app, { path, headers: { 'user-api-key': key } })
        assert.ok(status >= 400 && status < 500, `${path}: ${status}`)
        if (body.includes('"reason"')) assert.equal(JSON.parse(body).reason, 'path_ambiguous')
      }
    },
  },
  {
    guarantee: 'the path that is decided about is the one that the application acts on',
    async run({ app, site }) {
      const key = await keyWith(site, 'shop:read')
      const path = '/fault/../orders/7'
      const { status, body } = await rawCall(app, { path, headers: { 'user-api-key': key } })
      // On servers that resolve dot segments the application sees /orders/7, which the key may; on others it does not.
      if (status === 200) assert.deepEqual(JSON.parse(body), { id: '7' })
      else assert.deepEqual([status, JSON.parse(body).reason], [400, 'path_ambiguous'])
    },
  },
  {
    guarantee: 'a bad key is told what is wrong with it, on a public route too',
    async run({ app }) {
      const answer = await call(app, '/who', { key: 'f'.repeat(32) })
      assert.equal(answer.status, 403)
      assert.equal(await reasonOf(answer), 'user_api_key_invalid')
    },
  },
  {
    guarantee: 'a browser is shown a page of the refusal',
    async run({ app }) {
      const headers = { accept: 'text/html', 'user-api-key': 'f'.repeat(32) }
      const answer = await fetch(`${app.url}/who`, { headers })
      assert.equal(answer.status, 403)
      assert.match(answer.headers.get('content-type') ?? '', /text\/html/)
    },
  },
  {
    guarantee: 'a request counts once, and the limit says how long to wait',
    async run({ app, site }) {
      const key = await keyWith(site, 'shop:read')
      await setting(site, 'max_user_api_reqs_per_minute', '3')
      for (let count = 0; count < 3; count += 1) assert.equal((await call(app, '/who', { key })).status, 200)
      const answer = await call(app, '/who', { key })
      await setting(site, 'max_user_api_reqs_per_minute', '1000000')
      assert.equal(answer.status, 429)
      assert.ok(Number(answer.headers.get('retry-after')) > 0)
      assert.equal(await reasonOf(answer), 'rate_limited')
    },
  },
  {
    guarantee: 'limits go by the address of the connection, not by what a header claims',
    async run({ app, site }) {
      await setting(site, 'max_reqs_per_ip_per_minute', '2')
      const claim = (address: string) => fetch(`${app.url}/who`, { headers: { 'x-forwarded-for': address } })
      const statuses = [await claim('192.0.2.1'), await claim('192.0.2.2'), await claim('192.0.2.3')]
      site.advance(61)
      await setting(site, 'max_reqs_per_ip_per_minute', '1000000')
      assert.deepEqual(
        statuses.map(({ status }) => status),
        [200, 200, 429],
      )
    },
  },
  {
    guarantee: 'a narrowed scope is held against the body',
    bodies: 'parsed before',
    async run({ app, site }) {
      const key = await keyWith(site, 'shop:order', { shop: ['books'] })
      const ordered = async (answer: Response) => ((await answer.json()) as { ordered: unknown }).ordered
      const books = { shop: 'books', title: 'Ulysses' }
      assert.deepEqual(await ordered(await call(app, '/orders', { key, json: books })), books)
      assert.deepEqual(await ordered(await call(app, '/orders', { key, form: books })), books)
      for (const body of [{ json: { shop: 'toys' } }, { form: { shop: 'toys' } }, { json: {} }]) {
        assert.equal(await reasonOf(await call(app, '/orders', { key, ...body })), 'scope_insufficient')
      }
    },
  },
  {
    guarantee: 'a narrowed scope refuses a body that nobody has read',
    bodies: 'parsed behind',
    concerns: ({ alwaysKnowsBodies }) => !alwaysKnowsBodies,
    async run({ app, site }) {
      const key = await keyWith(site, 'shop:order', { shop: ['books'] })
      const answer = await call(app, '/orders', { key, json: { shop: 'books' } })
      assert.equal(await reasonOf(answer), 'scope_insufficient')
    },
  },
  {
    guarantee: 'the application reads bodies as if nobody stood in front of it',
    async run({ app, site }) {
      const key = await keyWith(site, 'shop:order')
      const order = { shop: 'books', title: 'Ulysses' }
      for (const body of [{ json: order }, { form: order }]) {
        assert.deepEqual(await (await call(app, '/orders', { key, ...body })).json(), { ordered: order })
      }
    },
  },
  {
    guarantee: 'a large upload streams through to the application',
    async run({ app, site }) {
      const key = await keyWith(site, 'write')
      const bytes = randomBytes(20 * 1024 * 1024)
      const headers = { 'user-api-key': key, 'content-type': 'application/octet-stream' }
      const answer = await fetch(`${app.url}/upload`, { method: 'POST', headers, body: bytes })
      assert.equal(answer.status, 200)
      assert.ok(bytes.equals(Buffer.from(await answer.arrayBuffer())), 'the echo differs')
    },
  },
  {
    guarantee: 'the answer to an upload begins before the upload ends',
    async run({ app, site }) {
      const key = await keyWith(site, 'write')
      const headers = { 'user-api-key': key, 'content-type': 'application/octet-stream' }
      const sending = httpRequest(`${app.url}/upload`, { method: 'POST', headers })
      sending.write('one')
      const answer = await answerTo(sending)
      const first = await new Promise<string>((resolve) =>
        answer.once('data', (bytes) => resolve(String(bytes))),
      )
      assert.equal(first, 'one')
      sending.end('two')
      assert.equal(await text(answer), 'two')
    },
  },
  {
    guarantee: 'the upload of a bad key is refused, and the connection serves on',
    async run({ app }) {
      const body = Buffer.alloc(4 * 1024 * 1024, 'x')
      const headers = { 'user-api-key': 'f'.repeat(32), 'content-type': 'application/octet-stream' }
      for (let count = 0; count < 3; count += 1) {
        const answer = await fetch(`${app.url}/upload`, { method: 'POST', headers, body })
        assert.equal(answer.status, 403)
        await answer.arrayBuffer()
      }
      assert.equal((await call(app, '/who')).status, 200)
    },
  },
  {
    guarantee: 'a body that is too large for Hallpass’s own routes is refused in words',
    bodies: 'parsed behind',
    async run({ app }) {
      const answer = await call(app, '/user-api-key', { form: { public_key: 'x'.repeat(90_000) } })
      assert.equal(await reasonOf(answer), 'body_too_large')
      assert.equal((await call(app, '/who')).status, 200)
    },
  },
  {
    guarantee:
      'a session’s form needs the CSRF token, unless the browser says that it comes from this very site',
    async run({ app, driver }) {
      const browser = await signedIn(app)
      const json = { 'content-type': 'application/json' }
      const post = (headers: Record<string, string>) =>
        browser('/orders', { method: 'POST', headers: { ...json, ...headers }, body: '{"shop":"books"}' })
      assert.deepEqual(await (await browser('/who')).json(), { user: 'sam', via: 'session' })
      const bare = await post({})
      assert.equal(bare.status, 403, driver.name)
      assert.equal(bare.headers.get('hallpass-reason'), 'csrf_invalid')
      assert.equal((await post({ 'sec-fetch-site': 'cross-site', origin: app.url })).status, 403)
      assert.equal((await post({ origin: 'http://evil.example' })).status, 403)
      assert.equal((await post({ 'sec-fetch-site': 'same-origin' })).status, 200)
      assert.equal((await post({ origin: app.url })).status, 200)
      const { csrf } = (await (await browser('/session/csrf.json')).json()) as { csrf: string }
      assert.equal((await post({ 'x-csrf-token': csrf })).status, 200)
    },
  },
  {
    guarantee: 'the CSRF token counts in a form that was parsed',
    bodies: 'parsed before',
    async run({ app }) {
      const browser = await signedIn(app)
      const { csrf } = (await (await browser('/session/csrf.json')).json()) as { csrf: string }
      const form = { shop: 'books', authenticity_token: csrf }
      assert.equal((await browser('/orders', { form })).status, 200)
    },
  },
  {
    guarantee: 'HEAD and OPTIONS are answered without a body, and the connection serves on',
    async run({ app, site }) {
      const key = await keyWith(site, 'shop:read')
      for (const path of ['/user-api-key/new', '/who']) {
        const { status, body } = await rawCall(app, {
          path,
          method: 'HEAD',
          headers: { 'user-api-key': key },
        })
        assert.ok(status < 500, `${path}: ${status}`)
        assert.equal(body, '')
      }
      const refused = await rawCall(app, {
        path: '/who',
        method: 'HEAD',
        headers: { 'user-api-key': 'f'.repeat(32) },
      })
      assert.deepEqual([refused.status, refused.body], [403, ''])
      assert.ok((await rawCall(app, { path: '/who', method: 'OPTIONS' })).status < 500)
      assert.ok((await rawCall(app, { path: '*', method: 'OPTIONS' })).status < 500)
    },
  },
  {
    guarantee: 'CORS is answered for the application’s routes too',
    async run({ app, site }) {
      await setting(site, 'cors_origins', 'https://app.example')
      const headers = { origin: 'https://app.example', 'access-control-request-method': 'GET' }
      const preflight = await fetch(`${app.url}/who`, { method: 'OPTIONS', headers })
      const answer = await fetch(`${app.url}/who`, { headers: { origin: 'https://app.example' } })
      await setting(site, 'cors_origins', '')
      for (const { headers } of [preflight, answer]) {
        assert.equal(headers.get('access-control-allow-origin'), 'https://app.example')
        assert.match(headers.get('vary') ?? '', /origin/i)
      }
    },
  },
  {
    guarantee: 'a fault of the application goes to its own error handler, once',
    async run({ app, site, errors, driver }) {
      const key = await keyWith(site, 'read')
      const before = errors.length
      const answer = await call(app, '/fault', { key })
      assert.equal(answer.status, 500)
      if (driver.name !== 'node') assert.match(await answer.text(), /the application is at fault/)
      assert.match(String(errors[before]), /the application is at fault/)
      assert.equal(errors.length, before + 1)
    },
  },
  {
    guarantee: 'a fault of the store goes to the application’s error handler',
    async run({ app, site, errors }) {
      const { findByHashWithAccount } = site.store.userApiKeys
      const before = errors.length
      Object.assign(site.store.userApiKeys, {
        findByHashWithAccount: async () => {
          throw new Error('the disk is gone')
        },
      })
      const answer = await call(app, '/who', { key: 'e'.repeat(32) })
      Object.assign(site.store.userApiKeys, { findByHashWithAccount })
      assert.equal(answer.status, 500)
      assert.match(String(errors[before]), /the disk is gone/)
    },
  },
  {
    guarantee: 'a store that does not answer is told with 503, and is no fault of the application',
    async run({ app, site, errors }) {
      const { findByHashWithAccount } = site.store.userApiKeys
      const before = errors.length
      Object.assign(site.store.userApiKeys, {
        findByHashWithAccount: async () => {
          throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
        },
      })
      const answer = await call(app, '/who', { key: 'f'.repeat(32) })
      Object.assign(site.store.userApiKeys, { findByHashWithAccount })
      assert.equal(answer.status, 503)
      assert.equal(answer.headers.get('retry-after'), '1')
      assert.equal(((await answer.json()) as { reason: string }).reason, 'store_unavailable')
      assert.equal(errors.length, before)
    },
  },
  {
    guarantee: 'requests in one go on one connection are answered in order',
    async run({ app }) {
      const socket = connect(app.port, '127.0.0.1')
      const end = 'host: 127.0.0.1\r\n'
      socket.write(
        `GET /who HTTP/1.1\r\n${end}\r\n` +
          `GET /session/csrf.json HTTP/1.1\r\n${end}\r\n` +
          `GET /orders/9 HTTP/1.1\r\n${end}connection: close\r\n\r\n`,
      )
      const all = await text(socket)
      const places = ['"via":null', '"csrf"', '"id":"9"'].map((part) => all.indexOf(part))
      assert.ok(
        places.every((place) => place > 0),
        all,
      )
      assert.deepEqual(
        places,
        places.toSorted((a, b) => a - b),
      )
    },
  },
  {
    guarantee: 'a caller that goes away leaves nothing behind that fails',
    async run({ app, site, errors }) {
      const key = await keyWith(site, 'write')
      const before = errors.length
      for (const path of ['/upload', '/user-api-key']) {
        const sending = httpRequest(`${app.url}${path}`, {
          method: 'POST',
          headers: {
            'user-api-key': key,
            'content-length': '1000',
            'content-type': 'application/octet-stream',
          },
        })
        sending.on('error', () => {})
        await new Promise<void>((resolve) => sending.write('half', () => resolve()))
        await call(app, '/who')
        sending.destroy()
      }
      assert.equal((await call(app, '/who')).status, 200)
      assert.deepEqual(
        errors.slice(before).filter((error) => !/abort|premature|close|ECONNRESET/i.test(String(error))),
        [],
      )
    },
  },
  {
    guarantee: 'a WebSocket beside the application is left alone',
    async run({ app }) {
      const socket = new WebSocket(`ws://127.0.0.1:${app.port}/socket`)
      const said = await new Promise<string>((resolve, reject) => {
        socket.on('error', reject)
        socket.on('open', () => socket.send('hello'))
        socket.on('message', (bytes) => resolve(String(bytes)))
      })
      socket.close()
      assert.equal(said, 'echo hello')
    },
  },
]

interface CallOptions {
  readonly key?: string
  readonly json?: unknown
  readonly form?: Record<string, string>
}

function call(app: RunningApp, path: string, { key, json, form }: CallOptions = {}): Promise<Response> {
  const headers = new Headers(key === undefined ? {} : { 'user-api-key': key })
  if (json !== undefined) headers.set('content-type', 'application/json')
  const body = form ? new URLSearchParams(form) : json === undefined ? undefined : JSON.stringify(json)
  const method = body === undefined ? 'GET' : 'POST'
  return fetch(app.url + path, { method, headers, ...(body === undefined ? {} : { body }) })
}

type Browser = (path: string, init?: RequestInit & { form?: Record<string, string> }) => Promise<Response>

function browserOn(app: RunningApp): Browser {
  const cookies = new Map<string, string>()
  return async (path, { form, ...init } = {}) => {
    const headers = new Headers(init.headers)
    headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '))
    const body = form ? { method: 'POST', body: new URLSearchParams(form) } : {}
    const answer = await fetch(app.url + path, { redirect: 'manual', ...init, ...body, headers })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    return answer
  }
}

async function signedIn(app: RunningApp): Promise<Browser> {
  const browser = browserOn(app)
  const { csrf } = (await (await browser('/session/csrf.json')).json()) as { csrf: string }
  const form = { login: 'sam', password: userPassword, authenticity_token: csrf }
  assert.equal((await browser('/session.json', { form })).status, 200)
  return browser
}

/** A request that is sent as it stands, which `fetch` would mend. */
async function rawCall(
  app: RunningApp,
  options: { path: string; method?: string; headers?: Record<string, string> },
): Promise<{ status: number; body: string }> {
  const sending = httpRequest({ host: '127.0.0.1', port: app.port, ...options })
  sending.end()
  const answer = await answerTo(sending)
  return { status: answer.statusCode ?? 0, body: await text(answer) }
}

function answerTo(sending: ReturnType<typeof httpRequest>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sending.once('response', resolve)
    sending.once('error', reject)
  })
}

async function reasonOf(answer: Response): Promise<unknown> {
  return ((await answer.json()) as { reason?: unknown }).reason
}

async function setting(site: TestSite, name: string, value: string): Promise<void> {
  const answer = await site.asAdmin(`/admin/site_settings/${name}.json`, {
    method: 'PUT',
    form: { [name]: value },
  })
  assert.equal(answer.status, 200, `${name}: ${await answer.text()}`)
}

/** A key of sam's, as something other than an approval makes it: at once, and narrowed where `allowedParameters` says. */
async function keyWith(
  site: TestSite,
  scope: string,
  allowedParameters: Record<string, readonly string[]> | null = null,
): Promise<string> {
  const key = randomBytes(16).toString('hex')
  const createdAt = site.now()
  const client = await site.store.clients.insert({
    clientId: `client of ${key}`,
    applicationName: 'An app',
    createdAt,
  })
  await site.store.userApiKeys.insert({
    userId: site.user.id,
    clientRowId: client.id,
    keyHash: hashSecret(key),
    scopes: [{ name: scope, allowedParameters }],
    pushUrl: null,
    createdAt,
    expiresAt: null,
  })
  return key
}
