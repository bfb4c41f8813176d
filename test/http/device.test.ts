import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { createHallpass } from '../../src/server/create-hallpass.ts'
import { openSealed, siteUrl } from '../test-site.ts'
import {
  assertLimited,
  type Codes,
  complete,
  createDeviceSite,
  type DeviceSite,
  deviceParameters,
  expired,
  html,
  json,
  pending,
} from './device-site.ts'

let site: DeviceSite
beforeEach(async () => {
  site = await createDeviceSite()
})
afterEach(() => site.close())

describe('HEAD /user-api-key/new', () => {
  test('says that there is a device flow', async () => {
    const response = await site.request('/user-api-key/new', { method: 'HEAD' })
    assert.equal(response.headers.get('auth-api-device-code'), 'true')
  })
})

describe('the device flow', () => {
  test('gives the app a key that works, once its user has typed the code', async () => {
    const codes = await site.requestKey({ padding: 'oaep', expires_in_seconds: 3600 })
    assert.deepEqual(await site.poll(codes.device_code), pending)
    const sam = await site.signedIn()
    const token = await site.enter(sam, codes.user_code.toLowerCase().replace('-', ' '))
    assert.deepEqual(await site.poll(codes.device_code), pending)
    assert.deepEqual(await site.act(sam, 'device/authorize', { approval_token: token }), complete)
    const answer = await site.poll(codes.device_code)
    assert.equal(answer.status, 'authorized')
    const payload = openSealed(String(answer.payload), 'oaep')
    assert.deepEqual(Object.keys(payload), ['key', 'nonce', 'push', 'api', 'expires_at'])
    assert.equal(payload.nonce, 'nonce-1')
    assert.equal(payload.expires_at, '2026-01-15T13:00:00Z')
    const who = await site.request('/session/current.json', {
      headers: { 'user-api-key': String(payload.key) },
    })
    assert.equal((await who.json()).current_user.username, 'sam')
    assert.deepEqual(await site.poll(codes.device_code), expired)
  })

  test('replaces the keys that the user gave the same client, and keeps the client’s name', async () => {
    const old = await site.approvedKey({ application_name: 'The old name' })
    const sam = await site.signedIn()
    const codes = await site.requestKey({ application_name: 'Another name' })
    const model = await site.act(sam, 'activate', { code: codes.user_code })
    const shown = model.device_auth as Record<string, unknown>
    assert.equal(shown.application_name, 'The old name')
    await site.act(sam, 'device/authorize', { approval_token: String(model.approval_token) })
    const [key, ...others] = await site.store.userApiKeys.listByUser(site.user.id)
    assert.equal(key?.client.applicationName, 'The old name')
    assert.equal(others.length, 0)
    const dead = await site.request('/session/current.json', { headers: { 'user-api-key': old } })
    assert.equal((await dead.json()).reason, 'user_api_key_invalid')
  })

  test('fixes the key’s expiry when it is asked for, not when it is approved', async () => {
    const codes = await site.requestKey({ expires_in_seconds: '3600' })
    site.advance(300)
    const sam = await site.signedIn()
    await site.act(sam, 'device/authorize', { approval_token: await site.enter(sam, codes.user_code) })
    const { payload } = await site.poll(codes.device_code)
    assert.equal(openSealed(String(payload)).expires_at, '2026-01-15T13:00:00Z')
  })

  test('goes on after a restart, with the same codes and approval tokens', async () => {
    const codes = await site.requestKey()
    const sam = await site.signedIn()
    const token = await site.enter(sam, codes.user_code)
    await site.hallpass.close()
    const restarted = await createHallpass({ store: site.store, clock: { now: () => site.now() } })
    Object.assign(site.hallpass, restarted)
    assert.deepEqual(await site.poll(codes.device_code), pending)
    assert.deepEqual(await site.act(sam, 'device/authorize', { approval_token: token }), complete)
    assert.equal((await site.poll(codes.device_code)).status, 'authorized')
  })

  test('keeps no code of a request, nor the key', async () => {
    const codes = await site.requestKey()
    const sam = await site.signedIn()
    const token = await site.enter(sam, codes.user_code)
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
      const response = await site.send({}, path)
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
    const response = await sam.request('/user-api-key/device.json', {
      json: deviceParameters(),
      headers: json,
    })
    assert.equal(response.status, 200)
    const { device_code: code } = await response.json()
    const polled = await sam.request('/user-api-key/device/poll.json', {
      json: { device_code: code },
      headers: json,
    })
    assert.equal((await polled.json()).status, 'authorization_pending')
  })

  test('refuses by the rules of the request, in the protocol’s words, and stores nothing', async () => {
    const response = await site.send({ client_id: '' })
    assert.equal(response.status, 400)
    const answer = await response.json()
    assert.equal(answer.reason, 'device_parameters_missing')
    assert.equal(answer.error_type, 'invalid_parameters')
    assert.match(answer.errors[0], /: base$/)
    assert.equal((await (await site.send({ scopes: 'user_status' })).json()).error_type, 'invalid_access')
  })

  test('takes 20 requests a minute from one address', async () => {
    for (let time = 0; time < 20; time += 1) assert.equal((await site.send()).status, 200)
    await assertLimited(await site.send(), 'max_device_requests_per_minute')
    site.advance(61)
    assert.equal((await site.send()).status, 200)
  })
})

describe('POST /user-api-key/device/poll', () => {
  test('delivers once, however many polls come at once', async () => {
    const codes = await site.requestKey()
    const sam = await site.signedIn()
    await site.act(sam, 'device/authorize', { approval_token: await site.enter(sam, codes.user_code) })
    const answers = await Promise.all(Array.from({ length: 10 }, () => site.poll(codes.device_code)))
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
      const codes = await site.requestKey()
      const token = await site.enter(sam, codes.user_code)
      site.advance(before)
      assert.deepEqual(await site.act(sam, 'device/authorize', { approval_token: token }), complete)
      site.advance(after)
      assert.equal((await site.poll(codes.device_code)).status, status)
    }
  })

  test('calls a code expired that is unknown or malformed', async () => {
    for (const code of ['a'.repeat(64), 'nonsense', 'x'.repeat(5000)])
      assert.deepEqual(await site.poll(code), expired)
  })

  test('asks for the device code', async () => {
    const answer = await site.poll(' ')
    assert.equal(answer.http, 400)
    assert.equal(answer.reason, 'parameters_missing')
    assert.match(String((answer.errors as string[])[0]), /: device_code$/)
  })

  test('takes 60 polls a minute from one address', async () => {
    for (let time = 0; time < 60; time += 1) assert.equal((await site.poll('a'.repeat(64))).http, 200)
    const options = { json: { device_code: 'b'.repeat(64) }, headers: json }
    await assertLimited(
      await site.request('/user-api-key/device/poll.json', options),
      'max_device_polls_per_minute',
    )
  })
})

async function hashesOf({ device_code: code }: Codes): Promise<Set<string>> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(code))
  return new Set([Buffer.from(digest).toString('hex')])
}
