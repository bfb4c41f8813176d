import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { Browser } from '../test-site.ts'
import {
  assertLimited,
  complete,
  createDeviceSite,
  type DeviceSite,
  denied,
  expired,
  gone,
  html,
  json,
  pending,
  wrong,
} from './device-site.ts'

let site: DeviceSite
beforeEach(async () => {
  site = await createDeviceSite()
})
afterEach(() => site.close())

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
    const codes = await site.requestKey({ scopes: 'read,write', expires_in_seconds: 60 })
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
    assert.notEqual(await site.enter(sam, codes.user_code), '')
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
    const codes = await site.requestKey()
    const approval = await site.enter(sam, codes.user_code)
    assert.deepEqual(await look(eve, codes.request), gone)
    await site.act(sam, 'device/authorize', { approval_token: approval })
    assert.deepEqual(await look(sam, codes.request), gone)
    const late = await site.requestKey()
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
      assert.deepEqual(await site.act(sam, 'activate', { code }), wrong)
    }
  })

  test('ties the request to the first who types its code: nobody else can take it over', async () => {
    const codes = await site.requestKey()
    const sam = await site.signedIn()
    const token = await site.enter(sam, codes.user_code)
    assert.notEqual(await site.enter(sam, codes.user_code), token)
    const eve = await site.signedIn('eve')
    assert.deepEqual(await site.act(eve, 'activate', { code: codes.user_code }), gone)
    assert.deepEqual(
      await site.act(eve, 'device/authorize', { request: codes.request, code: codes.user_code }),
      gone,
    )
    assert.deepEqual(await site.act(eve, 'device/authorize', { approval_token: token }), gone)
    assert.deepEqual(await site.act(eve, 'device/deny', { approval_token: token }), gone)
    assert.deepEqual(await site.poll(codes.device_code), pending)
    assert.deepEqual(await site.act(sam, 'device/authorize', { approval_token: token }), complete)
  })

  test('calls the code of a denied request expired, and that of an authorized one wrong', async () => {
    const sam = await site.signedIn()
    const codes = await site.requestKey()
    const token = await site.enter(sam, codes.user_code)
    await site.act(sam, 'device/deny', { approval_token: token })
    assert.deepEqual(await site.act(sam, 'activate', { code: codes.user_code }), gone)
    const other = await site.requestKey()
    await site.act(sam, 'device/authorize', { approval_token: await site.enter(sam, other.user_code) })
    assert.deepEqual(await site.act(sam, 'activate', { code: other.user_code }), wrong)
  })

  test('tells an account that may not approve apps so, and changes nothing', async () => {
    await site.setting('user_api_key_allowed_groups', '1|2')
    const codes = await site.requestKey()
    const sam = await site.signedIn()
    const model = await site.act(sam, 'activate', { code: codes.user_code })
    assert.equal(model.state, 'authorize')
    assert.equal(model.no_trust_level, true)
    assert.equal(model.approval_token, null)
    const answer = await site.act(sam, 'device/authorize', { request: codes.request, code: codes.user_code })
    assert.equal(answer.http, 403)
    assert.equal(answer.reason, 'group_not_allowed')
    const page = await sam.post('/user-api-key/activate', { code: codes.user_code }, html)
    assert.match(await page.text(), /cannot approve apps/)
    await site.setting('user_api_key_allowed_groups', '1|2|10')
    assert.notEqual(await site.enter(await site.signedIn('eve'), codes.user_code), '')
  })

  test('takes 10 codes a minute from one user', async () => {
    const sam = await site.signedIn()
    for (let time = 0; time < 10; time += 1) {
      assert.deepEqual(await site.act(sam, 'activate', { code: `ABCD-EF${10 + time}` }), wrong)
    }
    const response = await sam.post('/user-api-key/activate.json', { code: 'ABCD-2345' }, json)
    await assertLimited(response, 'max_device_code_attempts_per_minute')
  })

  test('takes one code 10 times a minute, and all malformed ones together', async () => {
    for (const code of ['ABCD-2345', 'bad']) {
      for (let time = 0; time < 10; time += 1) {
        const visitor = await site.signedIn(time % 2 === 0 ? 'sam' : 'eve')
        assert.deepEqual(
          await site.act(visitor, 'activate', { code: code === 'bad' ? `bad${time}` : code }),
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
      assert.deepEqual(await site.act(sam, 'activate', { code: `ABCD-EF${10 + time}` }), wrong)
    }
    site.advance(61)
    const response = await sam.post('/user-api-key/activate.json', { code: 'ABCD-2345' }, json)
    await assertLimited(response, 'max_device_code_attempts_per_hour')
  })

  test('sets no limit when limits are switched off', async () => {
    await site.setting('disable_rate_limits', 'true')
    const sam = await site.signedIn()
    for (let time = 0; time < 40; time += 1) {
      assert.deepEqual(await site.act(sam, 'activate', { code: 'ABCD-2345' }), wrong)
      assert.deepEqual(await site.poll('a'.repeat(64)), expired)
    }
  })
})

describe('POST /user-api-key/device/authorize', () => {
  test('approves by link and code', async () => {
    const codes = await site.requestKey()
    const sam = await site.signedIn()
    const link = { request: codes.request, code: codes.user_code.replace('-', '').toLowerCase() }
    assert.deepEqual(await site.act(sam, 'device/authorize', link), complete)
    assert.equal((await site.poll(codes.device_code)).status, 'authorized')
  })

  test('keeps a request pending whose code was typed wrong, be it another request’s', async () => {
    const codes = await site.requestKey()
    const other = await site.requestKey({ client_id: 'client-2' })
    const sam = await site.signedIn()
    for (const code of ['ABCD-2345', '', other.user_code]) {
      const model = await site.act(sam, 'device/authorize', { request: codes.request, code })
      assert.equal(model.http, 200)
      assert.equal(model.state, 'authorize')
      assert.equal(model.invalid_code, true)
      assert.equal(model.request_token, codes.request)
      assert.equal((model.device_auth as Record<string, unknown>).application_name, 'My terminal')
    }
    assert.deepEqual(await site.poll(codes.device_code), pending)
    assert.deepEqual(await site.poll(other.device_code), pending)
    assert.notEqual(await site.enter(await site.signedIn('eve'), codes.user_code), '')
  })

  test('needs somebody who is signed in, and something to approve', async () => {
    const anonymous = await site.request('/user-api-key/device/authorize.json', { json: {}, headers: json })
    assert.equal((await anonymous.json()).reason, 'not_signed_in')
    const sam = await site.signedIn()
    for (const step of ['device/authorize', 'device/deny']) {
      const answer = await site.act(sam, step, {})
      assert.equal(answer.http, 400)
      assert.equal(answer.reason, 'parameters_missing')
    }
  })

  test('takes an approval token in the session alone that it was given to', async () => {
    const codes = await site.requestKey()
    const token = await site.enter(await site.signedIn(), codes.user_code)
    const elsewhere = await site.signedIn()
    assert.deepEqual(await site.act(elsewhere, 'device/authorize', { approval_token: token }), gone)
    assert.deepEqual(await site.act(elsewhere, 'device/deny', { approval_token: token }), gone)
    assert.deepEqual(await site.act(elsewhere, 'device/authorize', { approval_token: 'nonsense' }), gone)
  })

  test('forgets a session’s oldest approval token when it has ten', async () => {
    await site.setting('disable_rate_limits', 'true')
    const sam = await site.signedIn()
    const tokens: string[] = []
    for (let index = 0; index < 11; index += 1) {
      const codes = await site.requestKey({ client_id: `client-${index}` })
      tokens.push(await site.enter(sam, codes.user_code))
    }
    const [first = '', second = ''] = tokens
    assert.deepEqual(await site.act(sam, 'device/authorize', { approval_token: first }), gone)
    assert.deepEqual(await site.act(sam, 'device/authorize', { approval_token: second }), complete)
  })

  test('approves once, however often it is asked at once', async () => {
    const codes = await site.requestKey()
    const sam = await site.signedIn()
    const token = await site.enter(sam, codes.user_code)
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => site.act(sam, 'device/authorize', { approval_token: token })),
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
    const codes = await site.requestKey({ scopes: 'read,write' })
    const sam = await site.signedIn()
    const token = await site.enter(sam, codes.user_code)
    await site.setting('allow_user_api_key_scopes', 'read')
    const answer = await site.act(sam, 'device/authorize', { approval_token: token })
    assert.equal(answer.http, 403)
    assert.equal(answer.reason, 'scope_not_allowed')
    assert.deepEqual(await site.poll(codes.device_code), pending)
    const who = await site.request('/session/current.json', { headers: { 'user-api-key': old } })
    assert.equal(who.status, 200)
  })

  test('approves nothing once the ten minutes are over', async () => {
    const codes = await site.requestKey()
    const sam = await site.signedIn()
    const token = await site.enter(sam, codes.user_code)
    site.advance(600)
    assert.deepEqual(await site.act(sam, 'device/authorize', { approval_token: token }), gone)
    assert.deepEqual(await site.poll(codes.device_code), expired)
  })

  test('lets a key with the scope write approve, unless the site forbids it', async () => {
    const key = await site.approvedKey({ scopes: 'write', client_id: 'maker' })
    const headers = { ...json, 'user-api-key': key }
    const approve = async (): Promise<Record<string, unknown>> => {
      const codes = await site.requestKey()
      const form = { request: codes.request, code: codes.user_code }
      return (await site.request('/user-api-key/device/authorize.json', { form, headers })).json()
    }
    assert.deepEqual(await approve(), { state: 'complete', denied: false })
    await site.setting('user_api_key_write_may_mint', 'false')
    assert.equal((await approve()).reason, 'not_permitted')
  })
})

describe('POST /user-api-key/device/deny', () => {
  test('denies, as often as it is asked, and the app hears of it until the time is over', async () => {
    const codes = await site.requestKey()
    const sam = await site.signedIn()
    const token = await site.enter(sam, codes.user_code)
    for (let time = 0; time < 2; time += 1) {
      assert.deepEqual(await site.act(sam, 'device/deny', { approval_token: token }), denied)
      assert.deepEqual(await site.poll(codes.device_code), { http: 200, status: 'access_denied' })
    }
    assert.deepEqual(await site.act(sam, 'device/authorize', { approval_token: token }), gone)
    const entries = await site.store.audit.list({ limit: 100 })
    assert.equal(entries.filter(({ action }) => action === 'device_request_denied').length, 1)
    site.advance(600)
    assert.deepEqual(await site.poll(codes.device_code), expired)
  })

  test('does not take a link: whoever has only that cannot deny', async () => {
    const codes = await site.requestKey()
    const sam = await site.signedIn()
    const token = await site.enter(sam, codes.user_code)
    const form = { request: codes.request, approval_token: token }
    assert.deepEqual(await site.act(sam, 'device/deny', form), gone)
    assert.deepEqual(await site.poll(codes.device_code), pending)
  })

  test('cannot take an approval back', async () => {
    const codes = await site.requestKey()
    const sam = await site.signedIn()
    const token = await site.enter(sam, codes.user_code)
    await site.act(sam, 'device/authorize', { approval_token: token })
    assert.deepEqual(await site.act(sam, 'device/deny', { approval_token: token }), gone)
    assert.equal((await site.poll(codes.device_code)).status, 'authorized')
  })
})

describe('the pages of the device flow', () => {
  test('lead through it by forms alone', async () => {
    const codes = await site.requestKey({ scopes: 'write' })
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
    assert.equal((await site.poll(codes.device_code)).status, 'authorized')
  })

  test('ask for the code under a link, and again after a wrong one', async () => {
    const codes = await site.requestKey()
    const sam = await site.signedIn()
    const shown = await sam.request(`/user-api-key/activate?request=${codes.request}`, { headers: html })
    assert.match(await shown.text(), new RegExp(`name="request" value="${codes.request}"`))
    const form = { request: codes.request, code: 'ABCD-2345' }
    const again = await sam.post('/user-api-key/device/authorize', form, html)
    assert.match(await again.text(), /That is not the code/)
  })
})
