import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { Store } from '../../src/domain/store.ts'
import { openSqliteStore } from '../../src/storage/open-store.ts'
import { createTestSite, siteUrl, type TestSite } from '../test-site.ts'

const timeoutMs = 100
const boundMs = 200

type Fault = 'none' | 'refuses' | 'hangs'

/** A store whose database can be taken away: each question then fails at once, or is never answered. */
function breakable(store: Store): { readonly store: Store; fault: Fault } {
  const state: { store: Store; fault: Fault } = { store, fault: 'none' }
  const answer = (ask: () => unknown): unknown => {
    if (state.fault === 'hangs') return new Promise(() => {})
    if (state.fault === 'none') return ask()
    return Promise.reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))
  }
  const wrap = <Part extends object>(part: Part): Part =>
    new Proxy(part, {
      get(target, name) {
        const found: unknown = Reflect.get(target, name)
        if (typeof found === 'object' && found !== null) return wrap(found)
        if (typeof found !== 'function') return found
        if (name === 'watch' || name === 'close') return found.bind(target)
        return (...given: unknown[]) => answer(() => Reflect.apply(found, target, given))
      },
    })
  state.store = wrap(store)
  return state
}

interface BreakableSite extends TestSite {
  break(fault: Fault): void
  readonly told: unknown[]
  ask(path: string, headers?: Record<string, string>): Promise<Response>
}

async function breakableSite(t: TestContext): Promise<BreakableSite> {
  const state = breakable(await openSqliteStore({ path: ':memory:' }))
  const told: unknown[] = []
  const site = await createTestSite({
    store: state.store,
    flushIntervalMs: 0,
    background: false,
    trustedProxies: ['127.0.0.1'],
    onError: (error) => told.push(error),
    pinnedSettings: {
      store_timeout_ms: String(timeoutMs),
      revocation_bound_ms: String(boundMs),
      disable_rate_limits: 'true',
    },
  })
  t.after(async () => {
    state.fault = 'none'
    await site.close()
  })
  return Object.assign(site, {
    told,
    break: (fault: Fault) => {
      state.fault = fault
    },
    ask: (path: string, headers: Record<string, string> = {}) =>
      site.hallpass.fetch(new Request(siteUrl + path, { headers }), {
        remoteAddress: '127.0.0.1',
        requestTarget: path,
      }),
  })
}

async function assertUnavailable(response: Response): Promise<void> {
  assert.equal(response.status, 503)
  assert.equal(response.headers.get('retry-after'), '1')
  assert.equal(((await response.json()) as { reason: string }).reason, 'store_unavailable')
}

/** Until what is in memory may be believed no more. */
async function untilRefused(ask: () => Promise<Response>): Promise<Response> {
  const deadline = Date.now() + 10 * boundMs
  for (;;) {
    const response = await ask()
    if (response.status !== 200) return response
    assert.ok(Date.now() < deadline, 'memory is believed for too long')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const questions: readonly (readonly [string, string, Record<string, string>])[] = [
  ['a wrong key', '/session/current.json', { 'user-api-key': 'e'.repeat(32) }],
  ['a wrong API key', '/session/current.json', { 'api-key': 'e'.repeat(64), 'api-username': 'sam' }],
  ['a session', '/session/current.json', { cookie: `_t=${'a'.repeat(64)}` }],
  [
    'forward-auth',
    '/hallpass/forward-auth',
    {
      'user-api-key': 'e'.repeat(32),
      'x-forwarded-method': 'GET',
      'x-forwarded-uri': '/orders',
      'x-forwarded-host': 'hallpass.test',
      'x-forwarded-proto': 'http',
    },
  ],
  ['the readiness of the server', '/readyz', {}],
]

for (const fault of ['refuses', 'hangs'] as const) {
  describe(`a database that ${fault}`, () => {
    for (const [name, path, headers] of questions) {
      test(`${name}: 503 and when to come again, in time`, async (t) => {
        const site = await breakableSite(t)
        site.break(fault)
        const since = performance.now()
        await assertUnavailable(await site.ask(path, headers))
        assert.ok(performance.now() - since < 20 * timeoutMs)
      })
    }

    test('nginx, which hands on no body of its own accord, is told the refusal in headers', async (t) => {
      const site = await breakableSite(t)
      site.break(fault)
      const asked = {
        'user-api-key': 'e'.repeat(32),
        'x-original-method': 'GET',
        'x-original-uri': '/orders',
      }
      const response = await site.ask('/hallpass/forward-auth', asked)
      assert.equal(response.headers.get('hallpass-status'), '503')
      assert.match(response.headers.get('hallpass-refusal') ?? '', /"reason":"store_unavailable"/)
      await assertUnavailable(response)
    })

    // What an attacker would gain: a key that was revoked while this server could not hear of it.
    test('a key in memory is refused once the bound is over, with 503, and works again by itself', async (t) => {
      const site = await breakableSite(t)
      const key = await site.approvedKey()
      const ask = () => site.ask('/session/current.json', { 'user-api-key': key })
      assert.equal((await ask()).status, 200)
      site.break(fault)
      await assertUnavailable(await untilRefused(ask))
      assert.equal((await site.ask('/healthz')).status, 200)
      site.break('none')
      const deadline = Date.now() + 50 * boundMs
      while ((await ask()).status !== 200) {
        assert.ok(Date.now() < deadline, 'it does not recover')
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })

    test('a thousand requests at once are all answered, and soon', async (t) => {
      const site = await breakableSite(t)
      const key = await site.approvedKey()
      const ask = () => site.ask('/session/current.json', { 'user-api-key': key })
      await ask()
      site.break(fault)
      await untilRefused(ask)
      const since = performance.now()
      const all = await Promise.all(Array.from({ length: 1000 }, ask))
      assert.deepEqual(new Set(all.map(({ status }) => status)), new Set([503]))
      assert.ok(performance.now() - since < 5000)
    })
  })
}

test('an outage is told of, and not once for each request', async (t) => {
  const site = await breakableSite(t)
  site.break('refuses')
  for (let time = 0; time < 50; time += 1) {
    await site.ask('/session/current.json', { 'user-api-key': time.toString(16).padStart(32, '0') })
  }
  assert.ok(site.told.length >= 1 && site.told.length < 10, `${site.told.length} times`)
})
