import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { createHallpass } from '../../src/server/create-hallpass.ts'
import {
  appPublicKey,
  type Browser,
  createTestSite,
  openSealed,
  siteUrl,
  type TestSite,
  userPassword,
} from '../test-site.ts'

let site: TestSite
beforeEach(async () => {
  site = await createTestSite({ random: { bytes: (length) => new Uint8Array(randomBytes(length)) } })
  const other = {
    username: 'eve',
    password: userPassword,
    name: '',
    email: 'eve@hallpass.test',
    admin: false,
  }
  assert.equal((await site.hallpass.createAccount(other)).outcome, 'created')
})
afterEach(() => site.close())

const json = { accept: 'application/json' }
const html = { accept: 'text/html' }

interface Codes {
  readonly device_code: string
  readonly user_code: string
  readonly request: string
}

function body(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    nonce: 'nonce-1',
    scopes: 'read',
    client_id: 'client-1',
    public_key: appPublicKey,
    application_name: 'My terminal',
    ...change,
  }
}

function send(change: Record<string, unknown> = {}, path = '/user-api-key/device.json'): Promise<Response> {
  return site.request(path, { json: body(change), headers: json })
}

async function requestKey(change: Record<string, unknown> = {}): Promise<Codes> {
  const answer = await (await send(change)).json()
  const link = new URL(answer.verification_uri_with_request)
  return { ...answer, request: link.searchParams.get('request') ?? '' }
}

async function poll(code: unknown): Promise<Record<string, unknown>> {
  const response = await site.request('/user-api-key/device/poll.json', {
    json: { device_code: code },
    headers: json,
  })
  return { http: response.status, ...(await response.json()) }
}

async function act(
  visitor: Browser,
  step: string,
  form: Record<string, string>,
): Promise<Record<string, unknown>> {
  const response = await visitor.post(`/user-api-key/${step}.json`, form, json)
  return { http: response.status, ...(await response.json()) }
}

/** Types the code; answers with the approval token. */
async function enter(visitor: Browser, code: string): Promise<string> {
  const model = await act(visitor, 'activate', { code })
  assert.equal(model.state, 'authorize')
  return String(model.approval_token)
}

async function setting(name: string, value: string): Promise<void> {
  const path = `/admin/site_settings/${name}.json`
  assert.equal((await site.asAdmin(path, { method: 'PUT', form: { [name]: value } })).status, 200)
}

const complete = { http: 200, state: 'complete', denied: false }
const denied = { http: 200, state: 'complete', denied: true }
const gone = { http: 200, state: 'enter_code', expired_code: true }
const wrong = { http: 200, state: 'enter_code', invalid_code: true }
const pending = { http: 200, status: 'authorization_pending' }
const expired = { http: 200, status: 'expired_token' }

describe('HEAD /user-api-key/new', () => {
  test('says that there is a device flow', async () => {
    const response = await site.request('/user-api-key/new', { method: 'HEAD' })
    assert.equal(response.headers.get('auth-api-device-code'), 'true')
  })
})

describe('the device flow', () => {
  test('gives the app a key that works, once its user has typed the code', async () => {
    const codes = await requestKey({ padding: 'oaep', expires_in_seconds: 3600 })
    assert.deepEqual(await poll(codes.device_code), pending)
    const sam = await site.signedIn()
    const token = await enter(sam, codes.user_code.toLowerCase().replace('-', ' '))
    assert.deepEqual(await poll(codes.device_code), pending)
    assert.deepEqual(await act(sam, 'device/authorize', { approval_token: token }), complete)
    const answer = await poll(codes.device_code)
    assert.equal(answer.status, 'authorized')
    const payload = openSealed(String(answer.payload), 'oaep')
    assert.deepEqual(Object.keys(payload), ['key', 'nonce', 'push', 'api', 'expires_at'])
    assert.equal(payload.nonce, 'nonce-1')
    assert.equal(payload.expires_at, '2026-01-15T13:00:00Z')
    const who = await site.request('/session/current.json', {
      headers: { 'user-api-key': String(payload.key) },
    })
    assert.equal((await who.json()).current_user.username, 'sam')
    assert.deepEqual(await poll(codes.device_code), expired)
  })

  test('replaces the keys that the user gave the same client, and keeps the client’s name', async () => {
    const old = await site.approvedKey({ application_name: 'The old name' })
    const sam = await site.signedIn()
    const codes = await requestKey({ application_name: 'Another name' })
    const model = await act(sam, 'activate', { code: codes.user_code })
    const shown = model.device_auth as Record<string, unknown>
    assert.equal(shown.application_name, 'The old name')
    await act(sam, 'device/authorize', { approval_token: String(model.approval_token) })
    const [key, ...others] = await site.store.userApiKeys.listByUser(site.user.id)
    assert.equal(key?.client.applicationName, 'The old name')
    assert.equal(others.length, 0)
    const dead = await site.request('/session/current.json', { headers: { 'user-api-key': old } })
    assert.equal((await dead.json()).reason, 'user_api_key_invalid')
  })

  test('fixes the key’s expiry when it is asked for, not when it is approved', async () => {
    const codes = await requestKey({ expires_in_seconds: '3600' })
    site.advance(300)
    const sam = await site.signedIn()
    await act(sam, 'device/authorize', { approval_token: await enter(sam, codes.user_code) })
    const { payload } = await poll(codes.device_code)
    assert.equal(openSealed(String(payload)).expires_at, '2026-01-15T13:00:00Z')
  })

  test('goes on after a restart, with the same codes and approval tokens', async () => {
    const codes = await requestKey()
    const sam = await site.signedIn()
    const token = await enter(sam, codes.user_code)
    await site.hallpass.close()
    const restarted = await createHallpass({ store: site.store, clock: { now: () => site.now() } })
    Object.assign(site.hallpass, restarted)
    assert.deepEqual(await poll(codes.device_code), pending)
    assert.deepEqual(await act(sam, 'device/authorize', { approval_token: token }), complete)
    assert.equal((await poll(codes.device_code)).status, 'authorized')
  })

  test('keeps no code of a request, nor the key', async () => {
    const codes = await requestKey()
    const sam = await site.signedIn()
    const token = await enter(sam, codes.user_code)
    const records = await Promise.all(
      [...(await hashesOf(codes))].map((hash) => site.store.deviceRequests.find(hash)),
    )
    const text = JSON.stringify(records)
    assert.match(text, /nonce-1/)
    for (const secret of [
      codes.device_code,
      codes.user_code,
      codes.user_code.replace('-', ''),
      codes.request,
      token,
    ]) {
      assert.ok(!text.includes(secret))
    }
  })
})

describe('POST /user-api-key/device', () => {
  test('answers with codes and addresses under the address that was called', async () => {
    for (const path of ['/user-api-key/device.json', '/user-api-key/device']) {
      const response = await send({}, path)
      assert.equal(response.status, 200)
      assert.equal(response.headers.get('cache-control'), 'no-store')
      assert.equal(response.headers.get('pragma'), 'no-cache')
      assert.equal(response.headers.get('expires'), '0')
      assert.equal(response.headers.get('referrer-policy'), 'same-origin')
      const answer = await response.json()
      assert.match(answer.device_code, /^[0-9a-f]{64}$/)
      assert.match(answer.user_code, /^[A-Z0-9]{4}-[A-Z0-9]{4}$/)
      assert.equal(answer.verification_uri, `${siteUrl}/user-api-key/activate`)
      assert.match(answer.verification_uri_with_request, /\/user-api-key\/activate\?request=[A-Z0-9]{8}$/)
      assert.ok(answer.verification_uri_with_request.startsWith(`${siteUrl}/`))
      assert.equal(answer.expires_in, 600)
      assert.equal(answer.interval, 5)
    }
  })

  const wrongForms: [name: string, path: string, options: object][] = [
    ['a form', '/user-api-key/device.json', { form: { nonce: 'n' } }],
    ['JSON, but a page wanted', '/user-api-key/device', { json: {}, headers: html }],
    ['JSON, but nothing said of the answer', '/user-api-key/device', { json: {} }],
    ['a poll in a form', '/user-api-key/device/poll.json', { form: { device_code: 'a' } }],
    ['a poll for a page', '/user-api-key/device/poll', { json: {}, headers: html }],
  ]
  for (const [name, path, options] of wrongForms) {
    test(`refuses ${name} with 403, before it counts`, async () => {
      for (let time = 0; time < 70; time += 1) {
        const response = await site.request(path, { method: 'POST', ...options })
        assert.equal(response.status, 403)
      }
      const answer = await site.request(path, { form: {}, headers: json })
      assert.equal((await answer.json()).reason, 'json_required')
    })
  }

  test('asks a browser with a session for no CSRF token', async () => {
    const sam = await site.signedIn()
    const response = await sam.request('/user-api-key/device.json', { json: body(), headers: json })
    assert.equal(response.status, 200)
    const { device_code: code } = await response.json()
    const polled = await sam.request('/user-api-key/device/poll.json', {
      json: { device_code: code },
      headers: json,
    })
    assert.equal((await polled.json()).status, 'authorization_pending')
  })

  test('refuses by the rules of the request, in the protocol’s words, and stores nothing', async () => {
    const response = await send({ client_id: '' })
    assert.equal(response.status, 400)
    const answer = await response.json()
    assert.equal(answer.reason, 'device_parameters_missing')
    assert.equal(answer.error_type, 'invalid_parameters')
    assert.match(answer.errors[0], /: base$/)
    assert.equal((await (await send({ scopes: 'user_status' })).json()).error_type, 'invalid_access')
  })

  test('takes 20 requests a minute from one address', async () => {
    for (let time = 0; time < 20; time += 1) assert.equal((await send()).status, 200)
    await assertLimited(await send(), 'max_device_requests_per_minute')
    site.advance(61)
    assert.equal((await send()).status, 200)
  })
})

describe('GET /user-api-key/activate', () => {
  test('sends somebody who is not signed in to sign in, keeps the link’s token and never a code', async () => {
    const destinations: [query: string, kept: string][] = [
      ['?request=ABCD2345', '?request=ABCD2345'],
      ['?request=ABCD2345&code=ABCD-2345', '?request=ABCD2345'],
      ['?code=ABCD-2345', ''],
      ['?request=//evil.example', ''],
    ]
    for (const [query, kept] of destinations) {
      const response = await site.request(`/user-api-key/activate${query}`, { headers: html })
      assert.equal(response.status, 302)
      const target = encodeURIComponent(`/user-api-key/activate${kept}`)
      assert.equal(response.headers.get('location'), `/login?redirect=${target}`)
      assert.equal(response.headers.get('cache-control'), 'no-store')
    }
  })

  test('takes a code in the address away', async () => {
    const sam = await site.signedIn()
    const response = await sam.request('/user-api-key/activate?code=ABCD-2345&request=ABCD2345')
    assert.equal(response.status, 302)
    assert.equal(response.headers.get('location'), '/user-api-key/activate')
  })

  test('asks for a code', async () => {
    const sam = await site.signedIn()
    const model = await sam.request('/user-api-key/activate.json')
    assert.deepEqual(await model.json(), { state: 'enter_code' })
    const page = await sam.request('/user-api-key/activate', { headers: html })
    assert.match(await page.text(), /name="code"/)
  })

  test('shows the request behind a link, to whoever looks, and ties it to nobody', async () => {
    const codes = await requestKey({ scopes: 'read,write', expires_in_seconds: 60 })
    const eve = await site.signedIn('eve')
    const model = await (await eve.request(`/user-api-key/activate.json?request=${codes.request}`)).json()
    assert.deepEqual(model, {
      state: 'authorize',
      request_token: codes.request,
      approval_token: null,
      no_trust_level: false,
      invalid_code: false,
      device_auth: {
        application_name: 'My terminal',
        localized_scopes: [
          'Read everything that you can read',
          'Read everything, and post, edit and delete in your name',
        ],
        write_scope: true,
        unregistered_client: true,
        expires_at: '2026-01-15T12:01:00Z',
      },
      current_user: { username: 'eve', avatar_template: '' },
    })
    const sam = await site.signedIn()
    assert.notEqual(await enter(sam, codes.user_code), '')
  })

  test('calls a link expired that is unknown, malformed, run out, decided on or somebody else’s', async () => {
    const sam = await site.signedIn()
    const eve = await site.signedIn('eve')
    const look = async (visitor: Browser, token: string): Promise<unknown> => {
      const response = await visitor.request(
        `/user-api-key/activate.json?request=${encodeURIComponent(token)}`,
      )
      return { http: response.status, ...(await response.json()) }
    }
    for (const token of ['ABCD2345', 'nonsense!', 'x'.repeat(300)])
      assert.deepEqual(await look(sam, token), gone)
    const codes = await requestKey()
    const approval = await enter(sam, codes.user_code)
    assert.deepEqual(await look(eve, codes.request), gone)
    await act(sam, 'device/authorize', { approval_token: approval })
    assert.deepEqual(await look(sam, codes.request), gone)
    const late = await requestKey()
    site.advance(600)
    assert.deepEqual(await look(sam, late.request), gone)
  })

  test('takes 30 looks a minute from one user, and 120 an hour from one address', async () => {
    const sam = await site.signedIn()
    const look = (visitor: Browser, index: number): Promise<Response> =>
      visitor.request(`/user-api-key/activate.json?request=ABCDEF${10 + index}`)
    for (let time = 0; time < 30; time += 1) assert.equal((await look(sam, time)).status, 200)
    await assertLimited(await look(sam, 30), 'max_device_link_lookups_per_minute')
    for (let round = 1; round < 4; round += 1) {
      site.advance(61)
      for (let time = 0; time < 29; time += 1) assert.equal((await look(sam, time)).status, 200)
    }
    site.advance(61)
    for (let time = 0; time < 2; time += 1) await look(sam, time)
    await assertLimited(await look(sam, 40), 'max_device_link_lookups_per_hour')
  })

  test('takes 30 looks a minute at malformed links from all users together', async () => {
    const visitors = [await site.signedIn(), await site.signedIn('eve')] as const
    for (let time = 0; time < 30; time += 1) {
      const visitor = visitors[time % 2 === 0 ? 0 : 1]
      assert.equal((await visitor.request(`/user-api-key/activate.json?request=bad-${time}`)).status, 200)
    }
    const response = await visitors[1].request('/user-api-key/activate.json?request=bad')
    await assertLimited(response, 'max_device_link_lookups_per_minute')
  })
})

describe('POST /user-api-key/activate', () => {
  test('sends somebody who is not signed in to sign in, if they carry their CSRF token', async () => {
    const visitor = site.browser()
    const response = await visitor.post(
      '/user-api-key/activate',
      { code: 'ABCD-2345', request: 'ABCD2345' },
      html,
    )
    assert.equal(response.status, 302)
    assert.match(response.headers.get('location') ?? '', /activate%3Frequest%3DABCD2345$/)
    const bare = await visitor.request('/user-api-key/activate.json', { form: { code: 'ABCD-2345' } })
    assert.equal(await bare.text(), '["BAD CSRF"]')
  })

  test('refuses a session without its CSRF token', async () => {
    const sam = await site.signedIn()
    for (const step of ['activate', 'device/authorize', 'device/deny']) {
      const response = await sam.request(`/user-api-key/${step}.json`, { form: { code: 'ABCD-2345' } })
      assert.equal(response.status, 403)
      assert.equal(await response.text(), '["BAD CSRF"]')
    }
  })

  test('calls a code wrong that is malformed or unknown', async () => {
    const sam = await site.signedIn()
    for (const code of ['', 'ABC', 'ABCD-2345', 'ABCD-23456', 'é']) {
      assert.deepEqual(await act(sam, 'activate', { code }), wrong)
    }
  })

  test('ties the request to the first who types its code: nobody else can take it over', async () => {
    const codes = await requestKey()
    const sam = await site.signedIn()
    const token = await enter(sam, codes.user_code)
    assert.notEqual(await enter(sam, codes.user_code), token)
    const eve = await site.signedIn('eve')
    assert.deepEqual(await act(eve, 'activate', { code: codes.user_code }), gone)
    assert.deepEqual(
      await act(eve, 'device/authorize', { request: codes.request, code: codes.user_code }),
      gone,
    )
    assert.deepEqual(await act(eve, 'device/authorize', { approval_token: token }), gone)
    assert.deepEqual(await act(eve, 'device/deny', { approval_token: token }), gone)
    assert.deepEqual(await poll(codes.device_code), pending)
    assert.deepEqual(await act(sam, 'device/authorize', { approval_token: token }), complete)
  })

  test('calls the code of a denied request expired, and that of an authorized one wrong', async () => {
    const sam = await site.signedIn()
    const codes = await requestKey()
    const token = await enter(sam, codes.user_code)
    await act(sam, 'device/deny', { approval_token: token })
    assert.deepEqual(await act(sam, 'activate', { code: codes.user_code }), gone)
    const other = await requestKey()
    await act(sam, 'device/authorize', { approval_token: await enter(sam, other.user_code) })
    assert.deepEqual(await act(sam, 'activate', { code: other.user_code }), wrong)
  })

  test('tells an account that may not approve apps so, and changes nothing', async () => {
    await setting('user_api_key_allowed_groups', '1|2')
    const codes = await requestKey()
    const sam = await site.signedIn()
    const model = await act(sam, 'activate', { code: codes.user_code })
    assert.equal(model.state, 'authorize')
    assert.equal(model.no_trust_level, true)
    assert.equal(model.approval_token, null)
    const answer = await act(sam, 'device/authorize', { request: codes.request, code: codes.user_code })
    assert.equal(answer.http, 403)
    assert.equal(answer.reason, 'group_not_allowed')
    const page = await sam.post('/user-api-key/activate', { code: codes.user_code }, html)
    assert.match(await page.text(), /cannot approve apps/)
    await setting('user_api_key_allowed_groups', '1|2|10')
    assert.notEqual(await enter(await site.signedIn('eve'), codes.user_code), '')
  })

  test('takes 10 codes a minute from one user', async () => {
    const sam = await site.signedIn()
    for (let time = 0; time < 10; time += 1) {
      assert.deepEqual(await act(sam, 'activate', { code: `ABCD-EF${10 + time}` }), wrong)
    }
    const response = await sam.post('/user-api-key/activate.json', { code: 'ABCD-2345' }, json)
    await assertLimited(response, 'max_device_code_attempts_per_minute')
  })

  test('takes one code 10 times a minute, and all malformed ones together', async () => {
    for (const code of ['ABCD-2345', 'bad']) {
      for (let time = 0; time < 10; time += 1) {
        const visitor = await site.signedIn(time % 2 === 0 ? 'sam' : 'eve')
        assert.deepEqual(
          await act(visitor, 'activate', { code: code === 'bad' ? `bad${time}` : code }),
          wrong,
        )
      }
      const response = await (await site.signedIn()).post('/user-api-key/activate.json', { code }, json)
      await assertLimited(response, 'max_device_code_attempts_per_minute')
      site.advance(61)
    }
  })

  test('takes 30 codes an hour from one address', async () => {
    const sam = await site.signedIn()
    for (let time = 0; time < 30; time += 1) {
      if (time % 9 === 0) site.advance(61)
      assert.deepEqual(await act(sam, 'activate', { code: `ABCD-EF${10 + time}` }), wrong)
    }
    site.advance(61)
    const response = await sam.post('/user-api-key/activate.json', { code: 'ABCD-2345' }, json)
    await assertLimited(response, 'max_device_code_attempts_per_hour')
  })

  test('sets no limit when limits are switched off', async () => {
    await setting('disable_rate_limits', 'true')
    const sam = await site.signedIn()
    for (let time = 0; time < 40; time += 1) {
      assert.deepEqual(await act(sam, 'activate', { code: 'ABCD-2345' }), wrong)
      assert.deepEqual(await poll('a'.repeat(64)), expired)
    }
  })
})

describe('POST /user-api-key/device/authorize', () => {
  test('approves by link and code', async () => {
    const codes = await requestKey()
    const sam = await site.signedIn()
    const link = { request: codes.request, code: codes.user_code.replace('-', '').toLowerCase() }
    assert.deepEqual(await act(sam, 'device/authorize', link), complete)
    assert.equal((await poll(codes.device_code)).status, 'authorized')
  })

  test('keeps a request pending whose code was typed wrong, be it another request’s', async () => {
    const codes = await requestKey()
    const other = await requestKey({ client_id: 'client-2' })
    const sam = await site.signedIn()
    for (const code of ['ABCD-2345', '', other.user_code]) {
      const model = await act(sam, 'device/authorize', { request: codes.request, code })
      assert.equal(model.http, 200)
      assert.equal(model.state, 'authorize')
      assert.equal(model.invalid_code, true)
      assert.equal(model.request_token, codes.request)
      assert.equal((model.device_auth as Record<string, unknown>).application_name, 'My terminal')
    }
    assert.deepEqual(await poll(codes.device_code), pending)
    assert.deepEqual(await poll(other.device_code), pending)
    assert.notEqual(await enter(await site.signedIn('eve'), codes.user_code), '')
  })

  test('needs somebody who is signed in, and something to approve', async () => {
    const anonymous = await site.request('/user-api-key/device/authorize.json', { json: {}, headers: json })
    assert.equal((await anonymous.json()).reason, 'not_signed_in')
    const sam = await site.signedIn()
    for (const step of ['device/authorize', 'device/deny']) {
      const answer = await act(sam, step, {})
      assert.equal(answer.http, 400)
      assert.equal(answer.reason, 'parameters_missing')
    }
  })

  test('takes an approval token in the session alone that it was given to', async () => {
    const codes = await requestKey()
    const token = await enter(await site.signedIn(), codes.user_code)
    const elsewhere = await site.signedIn()
    assert.deepEqual(await act(elsewhere, 'device/authorize', { approval_token: token }), gone)
    assert.deepEqual(await act(elsewhere, 'device/deny', { approval_token: token }), gone)
    assert.deepEqual(await act(elsewhere, 'device/authorize', { approval_token: 'nonsense' }), gone)
  })

  test('forgets a session’s oldest approval token when it has ten', async () => {
    await setting('disable_rate_limits', 'true')
    const sam = await site.signedIn()
    const tokens: string[] = []
    for (let index = 0; index < 11; index += 1) {
      const codes = await requestKey({ client_id: `client-${index}` })
      tokens.push(await enter(sam, codes.user_code))
    }
    const [first = '', second = ''] = tokens
    assert.deepEqual(await act(sam, 'device/authorize', { approval_token: first }), gone)
    assert.deepEqual(await act(sam, 'device/authorize', { approval_token: second }), complete)
  })

  test('approves once, however often it is asked at once', async () => {
    const codes = await requestKey()
    const sam = await site.signedIn()
    const token = await enter(sam, codes.user_code)
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => act(sam, 'device/authorize', { approval_token: token })),
    )
    assert.deepEqual(answers.map(({ state }) => state).sort(), [
      'complete',
      'enter_code',
      'enter_code',
      'enter_code',
      'enter_code',
    ])
    assert.equal((await site.store.userApiKeys.listByUser(site.user.id)).length, 1)
  })

  test('checks the request again, and leaves the old key alone when it fails', async () => {
    const old = await site.approvedKey({ client_id: 'client-1' })
    const codes = await requestKey({ scopes: 'read,write' })
    const sam = await site.signedIn()
    const token = await enter(sam, codes.user_code)
    await setting('allow_user_api_key_scopes', 'read')
    const answer = await act(sam, 'device/authorize', { approval_token: token })
    assert.equal(answer.http, 403)
    assert.equal(answer.reason, 'scope_not_allowed')
    assert.deepEqual(await poll(codes.device_code), pending)
    const who = await site.request('/session/current.json', { headers: { 'user-api-key': old } })
    assert.equal(who.status, 200)
  })

  test('approves nothing once the ten minutes are over', async () => {
    const codes = await requestKey()
    const sam = await site.signedIn()
    const token = await enter(sam, codes.user_code)
    site.advance(600)
    assert.deepEqual(await act(sam, 'device/authorize', { approval_token: token }), gone)
    assert.deepEqual(await poll(codes.device_code), expired)
  })

  test('lets a key with the scope write approve, unless the site forbids it', async () => {
    const key = await site.approvedKey({ scopes: 'write', client_id: 'maker' })
    const headers = { ...json, 'user-api-key': key }
    const approve = async (): Promise<Record<string, unknown>> => {
      const codes = await requestKey()
      const form = { request: codes.request, code: codes.user_code }
      return (await site.request('/user-api-key/device/authorize.json', { form, headers })).json()
    }
    assert.deepEqual(await approve(), { state: 'complete', denied: false })
    await setting('user_api_key_write_may_mint', 'false')
    assert.equal((await approve()).reason, 'not_permitted')
  })
})

describe('POST /user-api-key/device/deny', () => {
  test('denies, as often as it is asked, and the app hears of it until the time is over', async () => {
    const codes = await requestKey()
    const sam = await site.signedIn()
    const token = await enter(sam, codes.user_code)
    for (let time = 0; time < 2; time += 1) {
      assert.deepEqual(await act(sam, 'device/deny', { approval_token: token }), denied)
      assert.deepEqual(await poll(codes.device_code), { http: 200, status: 'access_denied' })
    }
    assert.deepEqual(await act(sam, 'device/authorize', { approval_token: token }), gone)
    const entries = await site.store.audit.list({ limit: 100 })
    assert.equal(entries.filter(({ action }) => action === 'device_request_denied').length, 1)
    site.advance(600)
    assert.deepEqual(await poll(codes.device_code), expired)
  })

  test('does not take a link: whoever has only that cannot deny', async () => {
    const codes = await requestKey()
    const sam = await site.signedIn()
    const token = await enter(sam, codes.user_code)
    const form = { request: codes.request, approval_token: token }
    assert.deepEqual(await act(sam, 'device/deny', form), gone)
    assert.deepEqual(await poll(codes.device_code), pending)
  })

  test('cannot take an approval back', async () => {
    const codes = await requestKey()
    const sam = await site.signedIn()
    const token = await enter(sam, codes.user_code)
    await act(sam, 'device/authorize', { approval_token: token })
    assert.deepEqual(await act(sam, 'device/deny', { approval_token: token }), gone)
    assert.equal((await poll(codes.device_code)).status, 'authorized')
  })
})

describe('POST /user-api-key/device/poll', () => {
  test('delivers once, however many polls come at once', async () => {
    const codes = await requestKey()
    const sam = await site.signedIn()
    await act(sam, 'device/authorize', { approval_token: await enter(sam, codes.user_code) })
    const answers = await Promise.all(Array.from({ length: 10 }, () => poll(codes.device_code)))
    assert.equal(answers.filter(({ status }) => status === 'authorized').length, 1)
    assert.equal(answers.filter(({ status }) => status === 'expired_token').length, 9)
  })

  test('keeps a payload for a minute, and not beyond the ten', async () => {
    const sam = await site.signedIn()
    const times: [before: number, after: number, status: string][] = [
      [0, 59, 'authorized'],
      [0, 60, 'expired_token'],
      [590, 9, 'authorized'],
      [590, 10, 'expired_token'],
    ]
    for (const [before, after, status] of times) {
      const codes = await requestKey()
      const token = await enter(sam, codes.user_code)
      site.advance(before)
      assert.deepEqual(await act(sam, 'device/authorize', { approval_token: token }), complete)
      site.advance(after)
      assert.equal((await poll(codes.device_code)).status, status)
    }
  })

  test('calls a code expired that is unknown or malformed', async () => {
    for (const code of ['a'.repeat(64), 'nonsense', 'x'.repeat(5000)])
      assert.deepEqual(await poll(code), expired)
  })

  test('asks for the device code', async () => {
    const answer = await poll(' ')
    assert.equal(answer.http, 400)
    assert.equal(answer.reason, 'parameters_missing')
    assert.match(String((answer.errors as string[])[0]), /: device_code$/)
  })

  test('takes 60 polls a minute from one address', async () => {
    for (let time = 0; time < 60; time += 1) assert.equal((await poll('a'.repeat(64))).http, 200)
    const options = { json: { device_code: 'b'.repeat(64) }, headers: json }
    await assertLimited(
      await site.request('/user-api-key/device/poll.json', options),
      'max_device_polls_per_minute',
    )
  })
})

describe('the pages of the device flow', () => {
  test('lead through it by forms alone', async () => {
    const codes = await requestKey({ scopes: 'write' })
    const sam = await site.signedIn()
    const shown = await sam.post('/user-api-key/activate', { code: codes.user_code }, html)
    const text = await shown.text()
    for (const expected of [
      'My terminal',
      'authorize-api-key__write-warning',
      'authorize-api-key__unregistered-warning',
      'authorize-api-key__no-expiry-warning',
      'formaction="/user-api-key/device/deny"',
    ]) {
      assert.ok(text.includes(expected), expected)
    }
    const token = /name="approval_token" value="([0-9a-f]+)"/.exec(text)?.[1] ?? ''
    const done = await sam.post('/user-api-key/device/authorize', { approval_token: token }, html)
    assert.equal(done.headers.get('cache-control'), 'no-store')
    assert.match(await done.text(), /has access now/)
    assert.equal((await poll(codes.device_code)).status, 'authorized')
  })

  test('ask for the code under a link, and again after a wrong one', async () => {
    const codes = await requestKey()
    const sam = await site.signedIn()
    const shown = await sam.request(`/user-api-key/activate?request=${codes.request}`, { headers: html })
    assert.match(await shown.text(), new RegExp(`name="request" value="${codes.request}"`))
    const form = { request: codes.request, code: 'ABCD-2345' }
    const again = await sam.post('/user-api-key/device/authorize', form, html)
    assert.match(await again.text(), /That is not the code/)
  })
})

async function assertLimited(response: Response, limit: string): Promise<void> {
  assert.equal(response.status, 429)
  const answer = await response.json()
  assert.equal(answer.reason, 'rate_limited')
  assert.match(answer.message, new RegExp(limit))
  assert.equal(response.headers.get('retry-after'), String(answer.extras.wait_seconds))
  assert.equal(response.headers.get('discourse-rate-limit-error-code'), null)
}

async function hashesOf({ device_code: code }: Codes): Promise<Set<string>> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(code))
  return new Set([Buffer.from(digest).toString('hex')])
}
