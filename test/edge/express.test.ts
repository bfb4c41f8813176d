/** What the guard does with what else an Express application may have mounted. The cases of every adapter are in adapter-cases.ts. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import express, { type Express, type RequestHandler } from 'express'
import { expressRequest, guard } from '../../src/edge/express.ts'
import { createTestSite, type TestSite, userPassword } from '../test-site.ts'

const closing: (() => Promise<unknown>)[] = []
after(async () => {
  for (const close of closing) await close()
})

async function siteOf(options: Parameters<typeof createTestSite>[0] = {}): Promise<TestSite> {
  const site = await createTestSite(options)
  closing.push(() => site.close())
  return site
}

async function start(app: Express): Promise<string> {
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(async () => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const sayWho: RequestHandler = (request, response) => {
  response.json({ user: request.hallpass.identity?.user.username ?? null })
}

describe('the guard on Express', () => {
  test('under a path decides by the whole address, and leaves the rest to the application', async () => {
    const scope = {
      name: 'shop:read',
      label: 'See your orders',
      description: 'GET /api/orders.',
      routes: [{ methods: ['GET'], paths: ['/api/orders'] }],
    }
    const site = await siteOf({
      scopes: [scope],
      pinnedSettings: { allow_user_api_key_scopes: 'shop:read' },
    })
    const app = express()
    app.use('/api', guard(site.hallpass))
    app.get('/api/orders', sayWho)
    app.get('/api/other', sayWho)
    app.get('/public', (_, response) => void response.json({ open: true }))
    const url = await start(app)
    const headers = { 'user-api-key': await site.approvedKey({ scopes: 'shop:read' }) }
    assert.deepEqual(await (await fetch(`${url}/api/orders`, { headers })).json(), { user: 'sam' })
    assert.equal((await fetch(`${url}/api/other`, { headers })).status, 403)
    assert.equal((await fetch(`${url}/public`)).status, 200)
    assert.equal((await fetch(`${url}/user-api-key/new`)).status, 404)
  })

  test('counts a request once, however often it comes by', async () => {
    const site = await siteOf()
    const app = express()
    app.use(guard(site.hallpass))
    app.use('/api', guard(site.hallpass))
    app.get('/api/who', sayWho)
    const url = await start(app)
    const headers = { 'user-api-key': await site.approvedKey() }
    await site.asAdmin('/admin/site_settings/max_user_api_reqs_per_minute.json', {
      method: 'PUT',
      form: { max_user_api_reqs_per_minute: '1' },
    })
    assert.equal((await fetch(`${url}/api/who`, { headers })).status, 200)
    assert.equal((await fetch(`${url}/api/who`, { headers })).status, 429)
  })

  test('decides about the method and address that middleware before it has put in place', async () => {
    const site = await siteOf()
    const app = express()
    app.use((request, _response, next) => {
      if (request.query.method === 'delete') request.method = 'DELETE'
      request.url = request.url.replace(/^\/v1/, '')
      next()
    })
    app.use(guard(site.hallpass))
    app.get('/who', sayWho)
    const url = await start(app)
    const headers = { 'user-api-key': await site.approvedKey() }
    assert.equal((await fetch(`${url}/v1/who`, { headers })).status, 200)
    assert.equal((await fetch(`${url}/v1/who?method=delete`, { headers })).status, 403)
  })

  test('believes no proxy that Hallpass was not told of, whatever `trust proxy` says', async () => {
    const site = await siteOf()
    const app = express().set('trust proxy', true)
    app.use(guard(site.hallpass))
    app.get('/who', sayWho)
    const url = await start(app)
    await site.asAdmin('/admin/site_settings/max_reqs_per_ip_per_minute.json', {
      method: 'PUT',
      form: { max_reqs_per_ip_per_minute: '1' },
    })
    site.advance(61)
    const from = (address: string) => fetch(`${url}/who`, { headers: { 'x-forwarded-for': address } })
    assert.deepEqual([(await from('192.0.2.1')).status, (await from('192.0.2.2')).status], [200, 429])
  })

  test('leaves an answer to middleware that compresses', async () => {
    const site = await siteOf()
    const app = express()
    app.use(compressing)
    app.use(guard(site.hallpass))
    app.get('/who', sayWho)
    const url = await start(app)
    for (const path of ['/who', '/session/csrf.json']) {
      const answer = await fetch(url + path)
      assert.equal(answer.headers.get('content-encoding'), 'gzip')
      assert.ok(await answer.json())
    }
  })

  test('keeps the cookies and `Vary` that are there already', async () => {
    const site = await siteOf({ pinnedSettings: { cors_origins: 'https://app.example' } })
    const app = express()
    app.use((_, response, next) => {
      response.setHeader('set-cookie', 'own=1').setHeader('vary', 'Accept-Language')
      next()
    })
    app.use(guard(site.hallpass))
    const url = await start(app)
    const { headers } = await fetch(`${url}/session/csrf.json`)
    assert.equal(headers.getSetCookie().length, 2)
    assert.equal(headers.get('vary'), 'Accept-Language, Origin')
  })

  test('gives `currentUser` what middleware before it has found out', async () => {
    const alice = { id: 'u1', username: 'alice' }
    const { createTestHallpass } = await import('../../src/testing/testing.ts')
    const { hallpass, close } = await createTestHallpass({
      user: alice,
      currentUser: async (request) => (expressRequest(request)?.headers['x-session'] ? alice : undefined),
      findUser: async (id) => (id === alice.id ? alice : undefined),
    })
    closing.push(close)
    const app = express()
    app.use(guard(hallpass))
    app.get('/who', sayWho)
    const url = await start(app)
    assert.deepEqual(await (await fetch(`${url}/who`, { headers: { 'x-session': '1' } })).json(), {
      user: 'alice',
    })
    assert.deepEqual(await (await fetch(`${url}/who`)).json(), { user: null })
  })

  test('says what is wrong when a body was read and nothing is left of it', async () => {
    const faults: unknown[] = []
    const site = await siteOf({ onError: (error) => faults.push(error) })
    const app = express()
    app.use(async (request, _response, next) => {
      for await (const _ of request);
      next()
    })
    app.use(guard(site.hallpass))
    const url = await start(app)
    const body = new URLSearchParams({ login: 'sam', password: userPassword })
    assert.equal((await fetch(`${url}/session.json`, { method: 'POST', body })).status, 500)
    assert.match(String(faults[0]), /mount Hallpass before whatever reads bodies/)
  })
})

/** What such middleware does: holds the answer back, and rewrites it when it ends. */
const compressing: RequestHandler = (_request, response, next) => {
  const end = response.end
  response.end = function (this: typeof response, chunk?: unknown) {
    this.setHeader('content-encoding', 'gzip').removeHeader('content-length')
    return Reflect.apply(end, this, [gzipSync(chunk instanceof Uint8Array ? chunk : String(chunk))])
  } as typeof response.end
  next()
}
