import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, mock, test } from 'node:test'
import type { Timers } from '../../src/domain/ports.ts'
import type { Store } from '../../src/domain/store.ts'
import { createHallpass, type HallpassOptions, type HostUser } from '../../src/server/create-hallpass.ts'
import type { Hallpass } from '../../src/server/hallpass.ts'
import { openTestStore } from '../test-database.ts'
import { appPublicKey, authorizationParameters, openSealed, openSealedText } from '../test-site.ts'

const origin = 'https://shop.test'
const html = { accept: 'text/html' }

/** An application with a map of users, and a cookie `shop` that holds the id of whoever is signed in. */
interface Shop {
  readonly hallpass: Hallpass
  readonly store: Store
  readonly users: Map<string, HostUser>
  /** What the application was asked, in order. */
  readonly asked: string[]
  readonly faults: { readonly error: unknown; readonly requestId: string }[]
  advance(seconds: number): void
  request(path: string, init?: RequestInit): Promise<Response>
  /** A browser in which the user with this id is signed in to the application; nobody by default. */
  browser(id?: string): Browser
  /** A key that the user approved. */
  keyFor(id: string, scopes?: string): Promise<string>
  /** An administrator's API key, for all users or for one. */
  apiKey(userId?: string): Promise<string>
  close(): Promise<void>
}

interface Browser {
  get(path: string, headers?: Record<string, string>): Promise<Response>
  post(path: string, form: Record<string, string>, headers?: Record<string, string>): Promise<Response>
}

type Change = Partial<HallpassOptions>

async function openShop(
  change: Change | ((shop: Shop) => Change) = {},
  without: readonly (keyof HallpassOptions)[] = [],
): Promise<Shop> {
  let now = Date.UTC(2026, 0, 15, 12)
  const store = await openTestStore()
  const users = new Map<string, HostUser>()
  for (const user of [
    { id: 'u_9f', username: 'Zoë', name: 'Zoë Šimić' },
    { id: 'auth0|x', username: 'root', admin: true, trustLevel: 4 },
  ]) {
    users.set(user.id, user)
  }
  const asked: string[] = []
  const faults: Shop['faults'] = []
  const shop: Omit<Shop, 'hallpass'> & { hallpass?: Hallpass } = {
    store,
    users,
    asked,
    faults,
    advance: (seconds) => {
      now += seconds * 1000
    },
    request: (path, init) => hallpass.fetch(new Request(new URL(path, origin), init)),
    browser(id) {
      const cookies = new Map(id === undefined ? [] : [['shop', encodeURIComponent(id)]])
      const send = async (path: string, init: RequestInit): Promise<Response> => {
        const headers = new Headers(init.headers)
        headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '))
        const response = await shop.request(path, { ...init, headers })
        for (const line of response.headers.getSetCookie()) {
          const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
          cookies.set(name, value)
        }
        return response
      }
      return {
        get: (path, headers = {}) => send(path, { headers }),
        async post(path, form, headers = {}) {
          const { csrf } = await (await send('/session/csrf.json', {})).json()
          return send(path, {
            method: 'POST',
            headers,
            body: new URLSearchParams({ ...form, authenticity_token: csrf }),
          })
        },
      }
    },
    async keyFor(id, scopes = 'read') {
      const response = await shop
        .browser(id)
        .post('/user-api-key.json', authorizationParameters({ scopes, client_id: `client of ${id}` }))
      const { payload } = await response.json()
      return String(openSealed(payload).key)
    },
    async apiKey(userId) {
      const user = userId === undefined ? undefined : await hallpass.directory.findUserById(userId)
      const made = await hallpass.createApiKey({ user, description: 'a server', route: 'bootstrap' })
      return made.text
    },
    async close() {
      await hallpass.close()
      await store.close()
    },
  }
  const all: HallpassOptions = {
    store,
    baseUrl: origin,
    clock: { now: () => now },
    background: false,
    onError: (error, requestId) => faults.push({ error, requestId }),
    currentUser: async (request) => {
      asked.push('currentUser')
      const id = /(?:^|; )shop=([^;]*)/.exec(request.headers.get('cookie') ?? '')?.[1]
      return id === undefined ? undefined : users.get(decodeURIComponent(id))
    },
    findUser: async (id) => {
      asked.push(`findUser ${id}`)
      return users.get(id)
    },
    findUserByUsername: async (name) =>
      [...users.values()].find(({ username }) => username.toLowerCase() === name.toLowerCase()),
    signInUrl: (returnTo) => `https://accounts.shop.test/in?to=${encodeURIComponent(returnTo)}`,
    ...(typeof change === 'function' ? change(shop as Shop) : change),
  }
  const kept = Object.entries(all).filter(([name]) => !without.some((left) => left === name))
  const hallpass = await createHallpass({ ...Object.fromEntries(kept), store })
  return Object.assign(shop, { hallpass })
}

let shop: Shop
beforeEach(async () => {
  shop = await openShop()
})
afterEach(() => shop.close())

/** Another shop in place of the ordinary one. */
async function reopen(change: Parameters<typeof openShop>[0]): Promise<void> {
  await shop.close()
  shop = await openShop(change)
}

/** Another shop that leaves one of its options out. */
async function reopenWithout(name: keyof HallpassOptions): Promise<void> {
  await shop.close()
  shop = await openShop({}, [name])
}

async function whoIs(key: string): Promise<readonly [number, unknown]> {
  const response = await shop.request('/session/current.json', { headers: { 'user-api-key': key } })
  const body = await response.json()
  return [response.status, body.reason ?? body.current_user.username]
}

describe('createHallpass with an application’s own users', () => {
  const half: readonly (readonly [string, Change, RegExp])[] = [
    ['currentUser without findUser', { currentUser: async () => undefined }, /needs findUser too/],
    ['findUser without currentUser', { findUser: async () => undefined }, /needs currentUser too/],
    ['signInUrl alone', { signInUrl: String }, /needs currentUser and findUser too/],
    ['findUserByUsername alone', { findUserByUsername: async () => undefined }, /currentUser and findUser/],
    ['startSession alone', { startSession: async () => new Headers() }, /currentUser and findUser/],
    // What a program in JavaScript may give.
    ['a findUser that is none', { findUser: 'x' as never }, /findUser must be a function/],
  ]
  for (const [name, options, message] of half) {
    test(`throws a TypeError for ${name}`, async () => {
      await assert.rejects(createHallpass({ store: shop.store, ...options }), { name: 'TypeError', message })
    })
  }

  test('leaves the paths of accounts and of signing in to the application', async () => {
    const request = async (method: string, path: string): Promise<Response | undefined> =>
      shop.hallpass.handle(new Request(new URL(path, origin), { method }))
    for (const [method, path] of [
      ['GET', '/login'],
      ['POST', '/login'],
      ['POST', '/session'],
      ['DELETE', '/session/root'],
      ['POST', '/hallpass/sign-out'],
      ['POST', '/users'],
      ['GET', '/admin/users/u_9f'],
      ['PUT', '/admin/users/u_9f/suspend'],
      ['GET', '/session/otp/0123'],
      ['GET', '/user-api-key/otp'],
    ] as const) {
      assert.equal(await request(method, path), undefined, `${method} ${path}`)
    }
    await assert.rejects(
      shop.hallpass.createAccount({ username: 'a', password: 'correct horse', name: '', email: '' }),
      TypeError,
    )
  })
})

describe('consent of an application’s user', () => {
  const query = new URLSearchParams(authorizationParameters()).toString()

  test('sends a visitor to the application’s sign-in, and has them come back to the request that waits', async () => {
    const response = await shop.browser().get(`/user-api-key/new?${query}`, html)
    assert.equal(response.status, 302)
    const location = new URL(response.headers.get('location') ?? '')
    assert.equal(location.host, 'accounts.shop.test')
    const returnTo = location.searchParams.get('to') ?? ''
    assert.match(returnTo, /^https:\/\/shop\.test\/hallpass\/authorize\/\w+/)
    const page = await (await shop.browser('u_9f').get(returnTo, html)).text()
    assert.match(page, /My app/)
    assert.match(page, /Zoë Šimić/)
    // Signing out is the application's own.
    assert.doesNotMatch(page, /Use another account|sign-out/)
  })

  test('without an address to sign in at, a page says to sign in to the application first, and goes on', async () => {
    await reopenWithout('signInUrl')
    const response = await shop.browser().get(`/user-api-key/new?${query}`, html)
    assert.equal(response.status, 403)
    const page = await response.text()
    assert.match(page, /not_signed_in/)
    const goOn = /href="(\/hallpass\/sign-in\?redirect=[^"]+)"/.exec(page)?.[1] ?? ''
    assert.equal((await shop.browser().get(goOn, html)).status, 403)
    const after = await shop.browser('u_9f').get(goOn, html)
    assert.match(after.headers.get('location') ?? '', /^\/hallpass\/authorize\//)
  })

  test('approves only with Hallpass’s own CSRF token', async () => {
    const { request } = shop
    const response = await request('/user-api-key.json', {
      method: 'POST',
      headers: { cookie: 'shop=u_9f' },
      body: new URLSearchParams(authorizationParameters()),
    })
    assert.equal(response.headers.get('hallpass-reason'), 'csrf_invalid')
    assert.match(await shop.keyFor('u_9f'), /^[0-9a-f]{32}$/)
  })

  test('is refused to somebody of no group on the list; the application’s own groups count', async () => {
    const options = { pinnedSettings: { user_api_key_allowed_groups: '1|2|77' } }
    await reopen(options)
    const ask = async (): Promise<string> => {
      const path = `/user-api-key/new.json?${query}`
      return (await (await shop.browser('u_9f').get(path)).json()).state
    }
    assert.equal(await ask(), 'no_trust_level')
    shop.users.set('u_9f', { id: 'u_9f', username: 'Zoë', groups: [5, 77] })
    assert.equal(await ask(), 'ready')
    shop.users.set('u_9f', { id: 'u_9f', username: 'Zoë', moderator: true })
    assert.equal(await ask(), 'ready')
  })

  test('tells a suspended visitor so, where sending them to sign in would bring them back without end', async () => {
    shop.users.set('u_9f', { id: 'u_9f', username: 'Zoë', suspendedUntil: Date.UTC(2027, 0) })
    const response = await shop.browser('u_9f').get(`/user-api-key/new.json?${query}`)
    assert.equal(response.status, 403)
    assert.equal((await response.json()).reason, 'owner_suspended')
    shop.users.set('u_9f', { id: 'u_9f', username: 'Zoë', active: false })
    const apps = await shop.browser('u_9f').get('/hallpass/apps', { accept: 'application/json' })
    assert.equal((await apps.json()).reason, 'owner_inactive')
  })
})

describe('the pages of an application’s user', () => {
  test('shows the apps with their way out, and no button to sign out', async () => {
    const key = await shop.keyFor('u_9f')
    const visitor = shop.browser('u_9f')
    const page = await (await visitor.get('/hallpass/apps', html)).text()
    assert.match(page, /My app/)
    assert.match(page, /Zoë/)
    assert.doesNotMatch(page, /Sign out/)
    const id = /name="id" value="(\d+)"/.exec(page)?.[1] ?? ''
    assert.equal((await visitor.post('/user-api-key/revoke.json', { id })).status, 200)
    assert.deepEqual(await whoIs(key), [403, 'user_api_key_revoked'])
  })

  test('sends a visitor to sign in before the apps, and before a code is typed', async () => {
    for (const path of ['/hallpass/apps', '/user-api-key/activate', '/hallpass/sign-in?redirect=/a%3Fb']) {
      const location = (await shop.browser().get(path, html)).headers.get('location') ?? ''
      const target = path.startsWith('/hallpass/sign-in') ? '/a?b' : path
      assert.equal(new URL(location).searchParams.get('to'), `${origin}${target}`)
    }
  })

  test('gives no other site as the place to come back to', async () => {
    const path = `/hallpass/sign-in?redirect=${encodeURIComponent('https://evil.test//evil')}`
    const location = (await shop.browser().get(path, html)).headers.get('location') ?? ''
    assert.equal(new URL(new URL(location).searchParams.get('to') ?? '').origin, origin)
  })
})

describe('the device flow of an application’s user', () => {
  async function askForCodes(): Promise<{ readonly user_code: string; readonly device_code: string }> {
    const body = JSON.stringify({
      nonce: 'n',
      scopes: 'read',
      client_id: 'tv',
      public_key: appPublicKey,
      application_name: 'TV',
    })
    const headers = { 'content-type': 'application/json' }
    return (await shop.request('/user-api-key/device.json', { method: 'POST', headers, body })).json()
  }

  test('a typed code is approved in the browser that typed it', async () => {
    const codes = await askForCodes()
    const visitor = shop.browser('u_9f')
    const entered = await (
      await visitor.post('/user-api-key/activate.json', { code: codes.user_code })
    ).json()
    assert.equal(entered.state, 'authorize')
    const approval = { approval_token: entered.approval_token }
    const elsewhere = await shop.browser('u_9f').post('/user-api-key/device/authorize.json', approval)
    assert.notEqual((await elsewhere.json()).state, 'complete', 'an approval token stolen by another browser')
    const done = await visitor.post('/user-api-key/device/authorize.json', approval)
    assert.equal((await done.json()).state, 'complete')
    const poll = await shop.request('/user-api-key/device/poll.json', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ device_code: codes.device_code }),
    })
    const { payload } = await poll.json()
    assert.deepEqual(await whoIs(String(openSealed(payload).key)), [200, 'Zoë'])
  })
})

describe('a key of an application’s user', () => {
  test('tells the user’s name in X-Discourse-Username, percent-encoded where it is not ASCII', async () => {
    const headers = { 'user-api-key': await shop.keyFor('u_9f') }
    const response = await shop.request('/session/current.json', { headers })
    assert.equal(response.headers.get('x-discourse-username'), 'Zo%C3%AB')
    const { current_user: user } = await response.json()
    assert.deepEqual([user.id, user.username, user.name], ['u_9f', 'Zoë', 'Zoë Šimić'])
  })

  test('is refused from the next request on after a suspension that was announced', async () => {
    const key = await shop.keyFor('u_9f')
    assert.deepEqual(await whoIs(key), [200, 'Zoë'])
    shop.users.set('u_9f', { id: 'u_9f', username: 'Zoë', suspendedUntil: Date.UTC(2027, 0) })
    await shop.hallpass.userChanged('u_9f')
    assert.deepEqual(await whoIs(key), [403, 'owner_suspended'])
  })

  test('is refused within owner_cache_seconds after a suspension that was not announced', async () => {
    const key = await shop.keyFor('u_9f')
    await whoIs(key)
    shop.users.set('u_9f', { id: 'u_9f', username: 'Zoë', suspendedUntil: Date.UTC(2027, 0) })
    shop.advance(9)
    assert.deepEqual(await whoIs(key), [200, 'Zoë'])
    shop.advance(1)
    assert.deepEqual(await whoIs(key), [403, 'owner_suspended'])
  })

  test('asks the application once in owner_cache_seconds, and the store no more', async () => {
    await reopen({ pinnedSettings: { disable_rate_limits: 'true' } })
    const key = await shop.keyFor('u_9f')
    await whoIs(key)
    shop.asked.length = 0
    const reads = mock.method(shop.store.userApiKeys, 'findByHash')
    for (let second = 0; second < 30; second += 1) {
      assert.deepEqual(await whoIs(key), [200, 'Zoë'])
      shop.advance(1)
    }
    assert.deepEqual(shop.asked, ['findUser u_9f', 'findUser u_9f'])
    assert.equal(reads.mock.callCount(), 0)
  })

  test('goes by the user’s new name after a rename', async () => {
    const key = await shop.keyFor('u_9f')
    await whoIs(key)
    shop.users.set('u_9f', { id: 'u_9f', username: 'Zoe' })
    await shop.hallpass.userChanged('u_9f')
    assert.deepEqual(await whoIs(key), [200, 'Zoe'])
  })

  test('is nobody’s once its user is deleted, announced or not', async () => {
    const key = await shop.keyFor('u_9f')
    await whoIs(key)
    shop.users.delete('u_9f')
    shop.advance(10)
    assert.deepEqual(await whoIs(key), [403, 'user_api_key_invalid'])
    await shop.hallpass.userChanged('u_9f')
    assert.deepEqual(await whoIs(key), [403, 'user_api_key_invalid'])
  })

  test('is nobody else’s where a lenient look-up answers with another user', async () => {
    await reopenFinding((users) => async (id) => users.get(String(Number.parseInt(id, 10))))
    shop.users.set('7', { id: '7', username: 'seven' })
    const key = await shop.apiKey()
    const ask = async (id: string): Promise<unknown> => {
      const headers = { 'api-key': key, 'api-user-id': id }
      const body = await (await shop.request('/session/current.json', { headers })).json()
      return body.reason ?? body.current_user.username
    }
    assert.equal(await ask('7'), 'seven')
    assert.equal(await ask('7 or 1=1'), 'api_key_user_unknown')
  })

  for (const id of [
    'auth0|x',
    '../admin',
    "o'hara; --",
    'ünï/ço\u{1f600}dé',
    '007',
    '0',
    '%2e',
    '"',
    ' a ',
    '-1'.repeat(200),
  ]) {
    test(`works for the id ${JSON.stringify(id).slice(0, 40)}`, async () => {
      shop.users.set(id, { id, username: 'odd' })
      const key = await shop.keyFor(id)
      assert.deepEqual(await whoIs(key), [200, 'odd'])
      await shop.hallpass.userChanged(id)
      assert.deepEqual(await whoIs(key), [200, 'odd'])
      assert.match(await (await shop.browser(id).get('/hallpass/apps', html)).text(), /My app/)
    })
  }
})

describe('an API key for an application’s users', () => {
  async function actAs(headers: Record<string, string>): Promise<unknown> {
    const response = await shop.request('/session/current.json', { headers })
    const body = await response.json()
    return body.reason ?? body.current_user.id
  }

  test('acts for whom Api-Username or Api-User-Id names, whatever letters are in it', async () => {
    const key = await shop.apiKey()
    assert.equal(await actAs({ 'api-key': key, 'api-user-id': 'auth0|x' }), 'auth0|x')
    assert.equal(await actAs({ 'api-key': key, 'api-username': 'ROOT' }), 'auth0|x')
    // A header holds bytes: what a program sends as UTF-8 arrives like this.
    const utf8 = Buffer.from('Zoë').toString('latin1')
    assert.equal(await actAs({ 'api-key': key, 'api-username': utf8 }), 'u_9f')
    assert.equal(await actAs({ 'api-key': key, 'api-username': 'nobody' }), 'api_key_user_unknown')
  })

  test('says that names cannot be looked up where the application has no such look-up', async () => {
    await reopenWithout('findUserByUsername')
    const key = await shop.apiKey()
    const headers = { 'api-key': key, 'api-username': 'root' }
    const response = await shop.request('/session/current.json', { headers })
    assert.equal(response.status, 403)
    const { reason, remedy } = await response.json()
    assert.equal(reason, 'username_lookup_missing')
    assert.match(remedy, /Api-User-Id/)
    assert.equal(shop.faults.length, 0, 'what a caller sends is no fault')
    assert.equal(await actAs({ 'api-key': key, 'api-user-id': 'auth0|x' }), 'auth0|x')
    const bound = await shop.apiKey('u_9f')
    assert.equal(await actAs({ 'api-key': bound }), 'u_9f')
  })

  test('bound to a user is refused once they are suspended', async () => {
    const key = await shop.apiKey('u_9f')
    assert.equal(await actAs({ 'api-key': key }), 'u_9f')
    shop.users.set('u_9f', { id: 'u_9f', username: 'Zoë', suspendedUntil: Date.UTC(2027, 0) })
    await shop.hallpass.userChanged('u_9f')
    assert.equal(await actAs({ 'api-key': key }), 'owner_suspended')
  })

  test('of an administrator of the application changes settings', async () => {
    const headers = { 'api-key': await shop.apiKey(), 'api-username': 'root' }
    const body = new URLSearchParams({ title: 'Shop' })
    const put = await shop.request('/admin/site_settings/title.json', { method: 'PUT', headers, body })
    assert.equal(put.status, 200)
    assert.equal(shop.hallpass.settings().title, 'Shop')
  })
})

describe('an application that does not say who its users are', () => {
  const failures: readonly (readonly [
    string,
    (users: Map<string, HostUser>) => HallpassOptions['findUser'],
  ])[] = [
    ['rejects', () => async () => Promise.reject(new Error('the database is away'))],
    [
      'throws',
      () => () => {
        throw new Error('the database is away')
      },
    ],
    ['answers with an id that is no text', () => async () => ({ id: 7, username: 'x' }) as never],
    ['answers with a user without a name', () => async (id) => ({ id, username: '' })],
    [
      'answers with a flag that is a text',
      () => async (id) => ({ id, username: 'x', admin: 'false' }) as never,
    ],
    [
      'answers with a date that is none',
      () => async (id) => ({ id, username: 'x', suspendedUntil: Number.NaN }),
    ],
    ['answers with a level that is none', () => async (id) => ({ id, username: 'x', trustLevel: 9 })],
    ['answers with a NUL, which no database takes', () => async (id) => ({ id, username: 'x\u0000' })],
    ['answers with half a character', () => async (id) => ({ id, username: '\ud800' })],
  ]
  for (const [name, findUser] of failures) {
    test(`refuses with 503 and an id to look for, and lets nobody in, when findUser ${name}`, async () => {
      let fails = false
      await reopenFinding((users) => async (id) => (fails ? findUser(users)?.(id) : users.get(id)))
      const key = await shop.keyFor('u_9f')
      assert.deepEqual(await whoIs(key), [200, 'Zoë'])
      fails = true
      shop.advance(10)
      const response = await shop.request('/session/current.json', { headers: { 'user-api-key': key } })
      assert.equal(response.status, 503)
      const { reason, remedy } = await response.json()
      assert.equal(reason, 'users_unavailable')
      assert.equal(shop.faults.length, 1)
      assert.ok(remedy.includes(shop.faults[0]?.requestId))
      fails = false
      assert.deepEqual(await whoIs(key), [200, 'Zoë'])
    })
  }

  test('refuses what the application asks about in the same way', async () => {
    await reopen({ currentUser: async () => Promise.reject(new Error('away')) })
    const decision = await shop.hallpass.authenticate(new Request(`${origin}/orders`))
    assert.equal(decision.outcome === 'refused' && decision.refusal.reason, 'users_unavailable')
    const page = await shop.request('/hallpass/apps', { headers: html })
    assert.equal(page.status, 503)
    assert.match(await page.text(), /taking a short break/)
  })

  test('is waited for no longer than users_timeout_seconds', async () => {
    let expire = (): void => {}
    let delay = 0
    const timers: Timers = {
      after(delayMs, work) {
        expire = work
        delay = delayMs
        return () => {}
      },
    }
    const waiting = Promise.withResolvers<undefined>()
    await reopen({
      timers,
      currentUser: () => {
        setImmediate(() => expire())
        return waiting.promise
      },
    })
    const decision = await shop.hallpass.authenticate(new Request(`${origin}/orders`))
    assert.equal(decision.outcome === 'refused' && decision.refusal.reason, 'users_unavailable')
    assert.equal(delay, 5000)
    // What comes too late is an error that nobody waits for: it must not end the process.
    waiting.reject(new Error('at last'))
  })
})

describe('one-time passwords of an application’s users', () => {
  test('are not to be had where the application starts no sessions', async () => {
    const { hallpass } = shop
    const visit = `/?user_api_public_key=${encodeURIComponent(appPublicKey)}&auth_redirect=discourse%3A%2F%2Fauth_redirect`
    assert.equal(await hallpass.handle(new Request(new URL(visit, origin))), undefined)
    const query = new URLSearchParams(authorizationParameters({ scopes: 'read,one_time_password' }))
    const answer = await (await shop.browser('u_9f').get(`/user-api-key/new.json?${query}`)).json()
    assert.equal(answer.reason, 'scope_unknown')
  })

  test('sign in by the application’s own session where it starts one', async () => {
    await reopen({
      startSession: async ({ id }) =>
        new Headers([
          ['set-cookie', `shop=${encodeURIComponent(id)}`],
          ['set-cookie', 'seen=1'],
        ]),
    })
    const approved = await shop.browser('u_9f').post('/user-api-key/otp.json', {
      application_name: 'My app',
      public_key: appPublicKey,
      auth_redirect: 'discourse://auth_redirect',
    })
    const { redirect_url: redirect } = await approved.json()
    const sealed = new URL(redirect).searchParams.get('oneTimePassword') ?? ''
    const password = openSealedText(sealed)
    const visitor = shop.browser()
    assert.match(await (await visitor.get(`/session/otp/${password}`, html)).text(), /Zoë/)
    const response = await visitor.post(`/session/otp/${password}`, {})
    assert.deepEqual(response.headers.getSetCookie().slice(-2), ['shop=u_9f', 'seen=1'])
    assert.match(await (await visitor.get('/hallpass/apps', html)).text(), /Zoë/)
  })
})

describe('userChanged', () => {
  test('is in the audit log, so that other processes on the same database hear of it', async () => {
    await shop.hallpass.userChanged('u_9f')
    const entry = await shop.store.audit.last()
    assert.equal(entry?.action, 'user_changed')
    assert.equal(entry?.actorVia, 'host')
  })
})

function reopenFinding(
  make: (users: Map<string, HostUser>) => NonNullable<HallpassOptions['findUser']>,
): Promise<void> {
  return reopen(({ users }) => ({ findUser: make(users) }))
}
