/** The configurations in examples/proxies, each with its proxy, in front of a program in Python. */
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { signedInVisitor, type Visitor } from '../interop/visitor.ts'
import { proxies, python, type RunningProxy, startListening, startProxy, stop } from '../running-proxy.ts'
import { freePort, type RunningServer, startServer } from '../running-server.ts'
import { authorizationParameters, openSealed } from '../test-site.ts'

const folder = fileURLToPath(new URL('../../examples/proxies/', import.meta.url))

/** What the program in Python says that it was asked. */
interface Told {
  readonly method: string
  readonly path: string
  readonly user: string | null
  readonly told: Readonly<Record<string, string>>
  readonly headers: readonly (readonly [string, string])[]
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** Undefined when the answer is not the application's. */
  readonly app: Told | undefined
  readonly reason: string | undefined
}

type CallerHeaders = Readonly<Record<string, string | string[]>>

interface Question {
  readonly method?: string
  readonly headers?: CallerHeaders
  readonly body?: string
}

/** Sends a request whose path goes out as it stands here. */
function send(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: Question = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port, path, method, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.once('error', reject)
        response.once('end', () => {
          const text = Buffer.concat(chunks).toString()
          const json = parse(text)
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            app: 'told' in json ? (json as unknown as Told) : undefined,
            reason: 'reason' in json ? String(json.reason) : undefined,
          })
        })
      },
    )
    request.once('error', reject)
    request.end(body)
  })
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  } catch {
    return {}
  }
}

describe('examples/proxies', { skip: python.skip }, () => {
  let server: RunningServer
  let app: ChildProcess
  let appPort: number

  const set = async (name: string, value: string): Promise<void> => {
    const answer = await fetch(`${server.baseUrl}/admin/site_settings/${name}.json`, {
      method: 'PUT',
      headers: { 'api-key': server.adminApiKey, 'api-username': 'admin' },
      body: new URLSearchParams({ [name]: value }),
    })
    assert.equal(answer.status, 200, await answer.text())
  }

  before(async () => {
    appPort = await freePort()
    ;[server, app] = await Promise.all([
      startServer({ flags: ['--no-forum', '--trusted-proxy', '127.0.0.1'] }),
      startListening(python.program, [join(folder, 'app.py'), String(appPort)], folder, appPort),
    ])
  })
  after(async () => {
    await Promise.all([server?.stop(), stop(app)])
  })

  test('hallpass serve --no-forum has no forum', async () => {
    assert.equal((await fetch(`${server.baseUrl}/latest.json`)).status, 404)
    assert.equal((await fetch(`${server.baseUrl}/hallpass/scopes.json`)).status, 200)
  })

  for (const proxy of proxies) {
    describe(proxy.name, { skip: proxy.skip }, () => {
      let port: number
      let running: RunningProxy
      let key: string
      let visitor: Visitor

      /** A key that the administrator approves, with everything going through the proxy. */
      const approvedKey = async (change: Record<string, string>): Promise<string> => {
        const baseUrl = `http://localhost:${port}`
        const query = new URLSearchParams(authorizationParameters(change))
        const payload = await visitor.approveToPayload(`${baseUrl}/user-api-key/new?${query}`)
        return String(openSealed(payload).key)
      }
      const withKey = (more: CallerHeaders = {}): CallerHeaders => ({ 'user-api-key': key, ...more })

      before(async () => {
        running = await startProxy(proxy, { hallpassPort: server.port, appPort })
        port = running.port
        visitor = await signedInVisitor({ ...server, baseUrl: `http://localhost:${port}` })
        key = await approvedKey({ scopes: 'read', client_id: proxy.name })
      })
      after(async () => {
        await running?.stop()
      })

      test('tells the application who a key acts for', async () => {
        const { status, app } = await send(port, '/orders/7?page=2', { headers: withKey() })
        assert.equal(status, 200)
        assert.deepEqual([app?.method, app?.path, app?.user], ['GET', '/orders/7?page=2', 'admin'])
        const { 'User-Id': userId = '', 'Key-Id': keyId = '', ...told } = app?.told ?? {}
        assert.deepEqual(told, { User: 'admin', Via: 'user_api_key', Scopes: 'read', Client: proxy.name })
        assert.match(`${userId} ${keyId}`, /^\d+ \d+$/)
      })

      test('keeps the key from the application', async () => {
        const { app } = await send(port, '/orders', { headers: withKey() })
        assert.ok(!JSON.stringify(app).includes(key))
      })

      // What the application, or whoever reads its logs, would gain: to act as the caller elsewhere.
      test('keeps a key that comes as a bearer token from the application, and no other token', async () => {
        for (const authorization of [`Bearer ${key}`, `bearer   ${key}`]) {
          const { status, app } = await send(port, '/orders', { headers: { authorization } })
          assert.deepEqual([status, app?.user], [200, 'admin'])
          assert.ok(!JSON.stringify(app).includes(key))
        }
        for (const authorization of ['Bearer application-token', `Bearer ${'0'.repeat(64)}`, 'Basic eDp5']) {
          const { app } = await send(port, '/orders', { headers: { authorization } })
          assert.deepEqual(
            app?.headers.filter(([name]) => name === 'authorization'),
            [['authorization', authorization]],
          )
        }
      })

      test('keeps Hallpass’s session from the application, and no other cookie', async () => {
        const [, session = ''] = /_t=([0-9a-f]{64})/.exec(visitor.cookies()) ?? []
        for (const [sent, left] of [
          [`a=1; _t=${session}; b=2`, 'a=1; b=2'],
          [`_t=${session}; b=2`, 'b=2'],
          [`a=1; _t=${session}`, 'a=1'],
          [`_hallpass_csrf=${session}; a_t=${session}; _t=${session}`, `a_t=${session}`],
          [`a=1; __Host-_hallpass_csrf=${session}; b=2`, 'a=1; b=2'],
          [`_t=${session}`, ''],
          ['_t=ours; a=1', '_t=ours; a=1'],
        ] as const) {
          const { status, app, text } = await send(port, '/orders', { headers: { cookie: sent } })
          const cookie = app?.headers.find(([name]) => name === 'cookie')?.[1] ?? ''
          assert.deepEqual([status, cookie.replace(/[;\s]+$/, '')], [200, left], `${sent}: ${text}`)
        }
      })

      test('hands on a refusal, in the words of Hallpass', async () => {
        const answer = await send(port, '/orders', { method: 'POST', headers: withKey(), body: 'x=1' })
        assert.deepEqual([answer.status, answer.reason, answer.app], [403, 'scope_insufficient', undefined])
        assert.match(String(answer.headers['content-type']), /^application\/json/)
        const body = JSON.parse(answer.text) as { errors: string[]; message: string; docs_url: string }
        assert.match(body.message, /POST/)
        assert.ok(body.errors.length > 0)
        assert.equal((await send(port, new URL(body.docs_url).pathname)).status, 200)
      })

      test('hands on the challenge of a refusal, once, and its status', async () => {
        for (const [headers, path, status, challenge] of [
          [withKey(), '/orders', 403, /^Bearer error="insufficient_scope"/],
          [{ authorization: `Bearer ${key}` }, '/orders', 403, /^Bearer error="insufficient_scope"/],
          [{ authorization: `Bearer ${'0'.repeat(32)}` }, '/orders', 401, /^Bearer error="invalid_token"/],
          [{ 'user-api-key': '0'.repeat(32) }, '/orders', 403, /^Bearer error="invalid_token"/],
        ] as const) {
          const answer = await send(port, path, { method: 'POST', headers, body: '' })
          assert.deepEqual([answer.status, answer.app], [status, undefined])
          assert.match(String(answer.headers['www-authenticate']), challenge)
          assert.equal(String(answer.headers['www-authenticate']).match(/Bearer/g)?.length, 1)
        }
      })

      test('lets requests of nobody through as such, unless the site says otherwise', async () => {
        const { status, app } = await send(port, '/orders', { method: 'POST', body: 'x=1' })
        assert.deepEqual([status, app?.method, app?.told], [200, 'POST', {}])
        await set('forward_auth_requires_identity', 'true')
        const refused = await send(port, '/orders')
        assert.deepEqual(
          [refused.status, refused.reason, refused.app],
          [401, 'credentials_missing', undefined],
        )
        await set('forward_auth_requires_identity', 'false')
      })

      test('refuses a key from the moment on that it is revoked', async () => {
        const gone = await approvedKey({ scopes: 'read', client_id: `${proxy.name}-gone` })
        const headers = { 'user-api-key': gone }
        assert.equal((await send(port, '/orders', { headers })).app?.user, 'admin')
        assert.equal((await send(port, '/user-api-key/revoke', { method: 'POST', headers })).status, 200)
        const answer = await send(port, '/orders', { headers })
        assert.deepEqual([answer.status, answer.reason, answer.app], [403, 'user_api_key_revoked', undefined])
      })

      test('hands on 429 and how long to wait', async () => {
        const quick = await approvedKey({ scopes: 'read', client_id: `${proxy.name}-quick` })
        await set('max_user_api_reqs_per_minute', '1')
        const headers = { 'user-api-key': quick }
        assert.equal((await send(port, '/orders', { headers })).status, 200)
        const answer = await send(port, '/orders', { headers })
        await set('max_user_api_reqs_per_minute', '1000000')
        assert.deepEqual([answer.status, answer.reason], [429, 'rate_limited'])
        assert.match(String(answer.headers['retry-after']), /^\d+$/)
        assert.equal(answer.headers['discourse-rate-limit-error-code'], 'user_api_key_limiter_60_secs')
      })

      // What an attacker would gain: to be whom they like.
      for (const name of [
        'X-Hallpass-User',
        'x_hallpass_user',
        'X-Hallpass_User',
        'X-HALLPASS-USER',
        'X-Hallpass-Identity',
      ]) {
        test(`takes ${name} out of what callers send`, async () => {
          for (const headers of [
            { [name]: 'root' },
            withKey({ [name]: 'root' }),
            { [name]: ['root', 'toor'] },
          ]) {
            const { status, app } = await send(port, '/orders', { headers })
            assert.equal(status, 200)
            assert.ok(
              app?.headers.every(([, value]) => !value.includes('root')),
              JSON.stringify(app),
            )
          }
        })
      }

      // What an attacker would gain: to look, in what the application logs and decides, like another.
      test('tells the application itself where a request came from', async () => {
        for (const name of [
          'Forwarded',
          'X-Real-IP',
          'X-Forwarded-For',
          'X_Forwarded_For',
          'X-Forwarded-Host',
          'X_Forwarded_Host',
          'X-Forwarded-Proto',
          'X-Forwarded-Port',
          'X-Forwarded-Prefix',
          'X-Forwarded-Ssl',
          'X-Forwarded-Server',
          'X-Original-Host',
          'X_Rewrite_Url',
        ]) {
          const { status, app } = await send(port, '/orders', { headers: { [name]: 'evil.example' } })
          assert.equal(status, 200)
          assert.ok(!JSON.stringify(app).includes('evil'), `${name}: ${JSON.stringify(app)}`)
        }
      })

      // What an attacker would gain: an application that does not see a key's scopes may take it for a session.
      test('tells the application all about a key, whatever the caller names in Connection', async () => {
        const told = ['Via', 'Scopes', 'Client', 'Key-Id', 'User', 'User-Id']
        const headers = withKey({
          connection: ['close', ...told.map((one) => `X-Hallpass-${one}`)].join(', '),
        })
        const { app } = await send(port, '/orders', { headers })
        assert.deepEqual(Object.keys(app?.told ?? {}).sort(), [...told].sort())
      })

      // What an attacker would gain: a decision on another request than the one that is carried out.
      for (const name of ['X-Forwarded-Uri', 'X-Original-URI', 'X-Original-URL', 'X-Rewrite-URL']) {
        test(`goes by what was requested, not by ${name} of the caller`, async () => {
          const notifications = await approvedKey({ scopes: 'notifications', client_id: `${proxy.name}-n` })
          for (const value of ['/notifications', ['/notifications', '/notifications']]) {
            const headers = { 'user-api-key': notifications, [name]: value }
            const answer = await send(port, '/orders', { headers })
            assert.deepEqual([answer.status, answer.app], [403, undefined])
          }
          assert.equal(
            (await send(port, '/notifications', { headers: { 'user-api-key': notifications } })).status,
            200,
          )
        })
      }

      for (const name of [
        'X-Forwarded-Method',
        'X-Original-Method',
        'X-HTTP-Method-Override',
        'X-HTTP-Method',
        'X-Method-Override',
        'X-Method',
        'X_HTTP_Method_Override',
        'X-HTTP-Method_Override',
        'x_method',
      ]) {
        test(`goes by the method of the request, not by ${name} of the caller`, async () => {
          const posted = await send(port, '/orders', {
            method: 'POST',
            headers: withKey({ [name]: 'GET' }),
            body: '',
          })
          assert.deepEqual([posted.status, posted.app], [403, undefined])
          const { app } = await send(port, '/orders', { headers: withKey({ [name]: 'DELETE' }) })
          const seen = app?.headers.find(
            ([header]) => header === name.toLowerCase() && /override|method$/i.test(header),
          )
          assert.equal(seen, undefined)
        })
      }

      for (const path of [
        '/orders%2f7',
        '/orders%2F..%2Finvoices',
        '/orders/../invoices',
        '/orders/%2e%2e/invoices',
        '/orders/..;/invoices',
        '/orders/.;x/7',
        '//orders',
        '/orders//7',
        '/orders/%252e%252e/invoices',
        '/orders/%2537',
        '/orders%5c7',
        '/orders\\7',
        '/orders/%00',
        '/orders/%ff',
        '/hallpass/../orders',
        '/user-api-key/..;/orders',
        '/hallpass/%2e%2e/orders',
      ]) {
        test(`does not pass on ${path}, which can be read in two ways`, async () => {
          const answer = await send(port, path, { headers: withKey() })
          assert.equal(answer.app, undefined, answer.text)
          assert.ok([400, 403, 404].includes(answer.status), `${answer.status}`)
        })
      }

      test('passes on a path as it was sent', async () => {
        for (const path of [
          '/orders/7;v=2/x',
          '/orders/caf%C3%A9',
          '/orders/a%20b?x=%2F..%2f&y=//',
          '/orders/7.json',
          '/orders/',
        ]) {
          const { app } = await send(port, path, { headers: withKey() })
          assert.equal(app?.path, path)
        }
      })

      test('takes a key out of the address on feeds alone', async () => {
        const user = async (path: string): Promise<string | null | undefined> =>
          (await send(port, path)).app?.user
        assert.equal(await user(`/latest.rss?user_api_key=${key}`), 'admin')
        assert.equal(await user(`/latest?user_api_key=${key}`), null)
        const wrong = await send(port, `/latest.rss?user_api_key=${'0'.repeat(32)}`)
        assert.deepEqual([wrong.status, wrong.reason], [403, 'user_api_key_invalid'])
      })

      test('HEAD is allowed as GET is, and has no body', async () => {
        const answer = await send(port, '/orders', { method: 'HEAD', headers: withKey() })
        assert.deepEqual([answer.status, answer.text], [200, ''])
        const refused = await send(port, '/orders', {
          method: 'HEAD',
          headers: { 'user-api-key': '0'.repeat(32) },
        })
        assert.equal(refused.status, 403)
      })

      test('a browser’s question before a request of another origin goes to the application', async () => {
        const headers = { origin: 'https://elsewhere.example', 'access-control-request-method': 'PUT' }
        const { status, app } = await send(port, '/orders', { method: 'OPTIONS', headers })
        assert.deepEqual([status, app?.method], [200, 'OPTIONS'])
      })

      test('a WebSocket is opened for those who may', async () => {
        const open = (headers: Record<string, string>): Promise<string> =>
          new Promise((resolve, reject) => {
            const socket = new WebSocket(`ws://127.0.0.1:${port}/live`, { headers })
            socket.once('message', (text) => resolve(String(text)))
            socket.once('unexpected-response', (_, response) => resolve(`${response.statusCode}`))
            socket.once('error', reject)
          })
        assert.equal(await open({ 'user-api-key': key }), 'admin')
        assert.equal(await open({}), 'nobody')
        assert.equal(await open({ 'user-api-key': '0'.repeat(32) }), '403')
        // What an attacker would gain: a page of theirs that talks in its visitor's name.
        const cookie = visitor.cookies()
        assert.equal(await open({ cookie, origin: `http://127.0.0.1:${port}` }), 'admin')
        assert.equal(await open({ cookie, 'sec-fetch-site': 'same-origin' }), 'admin')
        assert.equal(await open({ cookie, origin: 'https://evil.example' }), 'nobody')
        assert.equal(await open({ cookie, 'sec-fetch-site': 'cross-site' }), 'nobody')
      })

      test('bodies go to the application, and neither they nor their length to Hallpass', async () => {
        const writing = await approvedKey({ scopes: 'write', client_id: `${proxy.name}-w` })
        const body = 'x'.repeat(3_000_000)
        for (const framing of [{ 'content-length': String(body.length) }, { 'content-type': 'text/plain' }]) {
          const headers = { 'user-api-key': writing, ...framing }
          const { status, app } = await send(port, '/orders', { method: 'PUT', headers, body })
          assert.deepEqual([status, app?.method, app?.user], [200, 'PUT', 'admin'])
        }
      })

      test('a request within the body of another is not carried out', async () => {
        const inner = 'GET /invoices HTTP/1.1\r\nHost: x\r\nX-Hallpass-User: root\r\n\r\n'
        const raw = `POST /orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${inner.length + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`
        const text = await new Promise<string>((resolve, reject) => {
          let all = ''
          const socket = connect(port, '127.0.0.1', () => socket.end(raw))
          socket.on('data', (chunk: Buffer) => (all += chunk))
          socket.once('close', () => resolve(all))
          socket.once('error', reject)
        })
        assert.doesNotMatch(text, /invoices|root/)
      })

      test('leaves to Hallpass its own routes, and nobody may ask in the proxy’s place', async () => {
        for (const path of [
          '/hallpass/scopes',
          '/session/csrf.json',
          '/login',
          '/.well-known/oauth-authorization-server',
        ]) {
          const answer = await send(port, path)
          assert.deepEqual([answer.status, answer.app], [200, undefined], path)
        }
        for (const path of ['/sessions', '/loginpage', '/user-api-keys', '/hallpassport', '/u/admin', '/'])
          assert.equal((await send(port, path)).app?.path, path)
        for (const path of ['/hallpass/forward-auth', '/hallpass/forward-auth/orders']) {
          const answer = await send(port, path, {
            headers: withKey({ 'X-Forwarded-Uri': '/orders', 'X-Forwarded-Method': 'GET' }),
          })
          assert.equal(answer.headers['x-hallpass-user'], undefined)
          assert.ok([403, 404].includes(answer.status), `${answer.status}`)
        }
      })

      test('nobody comes in while Hallpass does not answer', async () => {
        const alone = await startProxy(proxy, { hallpassPort: await freePort(), appPort })
        for (const headers of [{}, withKey()]) {
          const answer = await send(alone.port, '/orders', { headers })
          assert.deepEqual([answer.status, answer.app], [502, undefined])
        }
        await alone.stop()
      })

      test('a header that is too large reaches nobody', async () => {
        const answer = await send(port, '/orders', {
          headers: withKey({ 'x-large': 'x'.repeat(100_000) }),
        }).catch(() => undefined)
        assert.equal(answer?.app, undefined)
      })
    })
  }
})
