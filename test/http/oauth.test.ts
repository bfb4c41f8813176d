import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { createHallpass } from '../../src/server/create-hallpass.ts'
import { type Browser, siteUrl } from '../test-site.ts'
import { complete, createDeviceSite, type DeviceSite, denied } from './device-site.ts'
import {
  type DeviceAuthorization,
  type Rfc8628Client,
  rfc8628Client,
  type TokenAnswer,
} from './rfc8628-client.ts'

let site: DeviceSite
let client: Rfc8628Client
let sam: Browser
beforeEach(async () => {
  site = await createDeviceSite()
  client = clientNamed('tv')
  sam = await site.signedIn()
})
afterEach(() => site.close())

function clientNamed(name: string, headers: Record<string, string> = {}): Rfc8628Client {
  const send = (path: string, init: RequestInit): Promise<Response> => {
    const merged = { ...headers, ...(init.headers as Record<string, string>) }
    return site.request(path, { method: 'POST', headers: merged, body: String(init.body) })
  }
  return rfc8628Client(send, name)
}

async function approve({ user_code: code }: DeviceAuthorization, visitor = sam): Promise<void> {
  const form = { approval_token: await site.enter(visitor, code) }
  assert.deepEqual(await site.act(visitor, 'device/authorize', form), complete)
}

async function usernameWith(headers: Record<string, string>): Promise<unknown> {
  const answer = await (await site.request('/session/current.json', { headers })).json()
  return answer.current_user?.username ?? answer.reason
}

async function issued(deviceCode: string): Promise<TokenAnswer> {
  const answer = await client.token(deviceCode)
  if ('error' in answer) return assert.fail(`refused: ${answer.reason}`)
  return answer
}

async function refusedWith(
  deviceCode: string,
  change: Record<string, string> = {},
): Promise<readonly [error: string, reason: string]> {
  const answer = await client.token(deviceCode, change)
  assert.ok('error' in answer, 'a token was issued')
  return [answer.error, answer.reason]
}

const wait = async (seconds: number): Promise<void> => site.advance(seconds)

describe('RFC 8628', () => {
  test('gives a standard client a key that works, once its user has typed the code', async () => {
    const asked = await client.authorize({ scope: 'read notifications', expires_in_seconds: '3600' })
    assert.equal(asked.verification_uri, `${siteUrl}/user-api-key/activate`)
    assert.match(asked.verification_uri_complete, /\/user-api-key\/activate\?request=[A-Z0-9]{8}$/)
    assert.equal(asked.expires_in, 600)
    assert.equal(asked.interval, 5)
    let polls = 0
    const answer = await client.poll(asked, async (seconds) => {
      await wait(seconds)
      polls += 1
      if (polls === 3) await approve(asked)
    })
    if ('error' in answer) return assert.fail(answer.reason)
    assert.equal(answer.scope, 'read notifications')
    assert.equal(answer.expires_in, 3585)
    assert.equal(await usernameWith({ authorization: `Bearer ${answer.access_token}` }), 'sam')
    assert.equal(await usernameWith({ 'user-api-key': answer.access_token }), 'sam')
    const [key] = await site.store.userApiKeys.listByUser(site.user.id)
    assert.equal(key?.client.clientId, 'tv')
    assert.equal(key?.client.applicationName, 'tv')
    site.advance(3585)
    assert.equal(
      await usernameWith({ authorization: `Bearer ${answer.access_token}` }),
      'user_api_key_expired',
    )
  })

  test('shows the same page, by code and by link, with the name that the client gives itself', async () => {
    const asked = await client.authorize({ scope: 'write', application_name: 'Living room TV' })
    const { search } = new URL(asked.verification_uri_complete)
    const model = await (await sam.request(`/user-api-key/activate.json${search}`)).json()
    assert.equal(model.device_auth.application_name, 'Living room TV')
    assert.equal(model.device_auth.write_scope, true)
    assert.equal(model.device_auth.unregistered_client, true)
    const link = { request: model.request_token, code: asked.user_code }
    assert.deepEqual(await site.act(sam, 'device/authorize', link), complete)
    assert.equal((await issued(asked.device_code)).expires_in, undefined)
  })

  test('issues nothing before the poll: no key waits anywhere', async () => {
    const asked = await client.authorize({ scope: 'read' })
    await approve(asked)
    assert.deepEqual(await site.store.userApiKeys.listByUser(site.user.id), [])
    const audited = async (action: string) =>
      (await site.store.audit.list({ limit: 50 })).filter((entry) => entry.action === action)
    assert.equal((await audited('device_request_approved')).length, 1)
    await issued(asked.device_code)
    const [entry] = await audited('user_api_key_issued')
    assert.equal(entry?.actorUserId, site.user.id)
    assert.equal(entry.actorVia, 'device_code')
    assert.equal(entry.actorAddress, '127.0.0.1')
  })

  test('replaces the user’s older keys of the client when it delivers, not when it is approved', async () => {
    const old = await site.approvedKey({ client_id: 'tv' })
    const asked = await client.authorize({ scope: 'read' })
    await approve(asked)
    assert.equal(await usernameWith({ 'user-api-key': old }), 'sam')
    const { access_token: key } = await issued(asked.device_code)
    assert.equal(await usernameWith({ 'user-api-key': old }), 'user_api_key_invalid')
    assert.equal(await usernameWith({ 'user-api-key': key }), 'sam')
  })

  test('delivers to one of fifty polls that come at once, and makes one key', async () => {
    await site.setting('max_device_polls_per_minute', '100')
    const asked = await client.authorize({ scope: 'read' })
    await approve(asked)
    const answers = await Promise.all(Array.from({ length: 50 }, () => client.token(asked.device_code)))
    assert.equal(answers.filter((answer) => !('error' in answer)).length, 1)
    for (const answer of answers) if ('error' in answer) assert.equal(answer.error, 'invalid_grant')
    assert.equal((await site.store.userApiKeys.listByUser(site.user.id)).length, 1)
  })

  test('goes on after a restart', async () => {
    const asked = await client.authorize({ scope: 'read' })
    await approve(asked)
    await site.hallpass.close()
    const restarted = await createHallpass({ store: site.store, clock: { now: () => site.now() } })
    Object.assign(site.hallpass, restarted)
    await issued(asked.device_code)
  })

  test('keeps its requests apart from the protocol’s own: neither route delivers the other’s', async () => {
    const asked = await client.authorize({ scope: 'read' })
    await approve(asked)
    assert.equal((await site.poll(asked.device_code)).status, 'expired_token')
    const own = await site.requestKey({ client_id: 'tv' })
    await site.act(sam, 'device/authorize', { approval_token: await site.enter(sam, own.user_code) })
    assert.deepEqual(await refusedWith(own.device_code), ['invalid_grant', 'device_code_invalid'])
    assert.equal((await site.poll(own.device_code)).status, 'authorized')
    await issued(asked.device_code)
  })
})

describe('POST /oauth/device_authorization', () => {
  const refused: [name: string, fields: Record<string, string>, error: string, reason: string][] = [
    ['no client id', { scope: 'read', client_id: '' }, 'invalid_request', 'parameters_missing'],
    ['no scope', {}, 'invalid_scope', 'scope_missing'],
    ['a scope that is none', { scope: 'read nonsense' }, 'invalid_scope', 'scope_unknown'],
    ['one-time passwords', { scope: 'read one_time_password' }, 'invalid_scope', 'scope_not_for_devices'],
    ['a scope that the site does not give', { scope: 'user_status' }, 'invalid_scope', 'scope_not_allowed'],
    [
      'a client id too long',
      { scope: 'read', client_id: 'c'.repeat(201) },
      'invalid_request',
      'parameter_too_long',
    ],
    [
      'an expiry that is none',
      { scope: 'read', expires_in_seconds: '-1' },
      'invalid_request',
      'expiry_invalid',
    ],
  ]
  test('names scopes that this site gives, and none that it does not', async () => {
    for (const fields of [{}, { scope: 'nonsense' }]) {
      const { remedy } = await client.refusedAuthorization(fields)
      assert.match(remedy ?? '', /read, write, message_bus/)
      assert.doesNotMatch(remedy ?? '', /bookmarks_calendar|user_status/)
    }
  })

  for (const [name, fields, error, reason] of refused) {
    test(`refuses ${name} with ${error}`, async () => {
      const answer = await client.refusedAuthorization(fields)
      assert.equal(answer.http, 400)
      assert.equal(answer.error, error)
      assert.equal(answer.reason, reason)
    })
  }

  test('refuses a parameter that comes twice, and takes no notice of one that it does not know', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const send = (body: string) =>
      site.request('/oauth/device_authorization', { method: 'POST', headers, body })
    const twice = await (await send('client_id=tv&scope=read&scope=write')).json()
    assert.equal(twice.error, 'invalid_request')
    assert.equal(twice.reason, 'parameter_duplicated')
    assert.equal((await send('client_id=tv&scope=read&client_secret=s&audience=a&resource=r')).status, 200)
  })

  test('reads nothing from the address', async () => {
    const response = await site.request('/oauth/device_authorization?client_id=tv&scope=read', { form: {} })
    assert.equal((await response.json()).reason, 'parameters_missing')
  })

  test('refuses a client that registered a public key: anybody can send its id', async () => {
    const pem = '-----BEGIN PUBLIC KEY-----'
    const found = site.store.clients.findByClientId
    site.store.clients.findByClientId = async (id) =>
      id === 'registered'
        ? {
            id: 9,
            clientId: id,
            applicationName: 'Bank',
            publicKey: pem,
            authRedirect: null,
            registeredScopes: [],
            createdAt: 0,
          }
        : found(id)
    const answer = await clientNamed('registered').refusedAuthorization({ scope: 'read' })
    assert.equal(answer.error, 'unauthorized_client')
    assert.equal(answer.reason, 'client_needs_sealed_keys')
  })

  test('shares the limits of the protocol’s own route', async () => {
    for (let time = 0; time < 19; time += 1) await client.authorize({ scope: 'read' })
    await site.send()
    const answer = await client.refusedAuthorization({ scope: 'read' })
    assert.equal(answer.http, 429)
    assert.equal(answer.error, 'slow_down')
    assert.equal(answer.reason, 'rate_limited')
  })

  test('words a body that cannot be read as OAuth does', async () => {
    const headers = { 'content-type': 'application/json' }
    const response = await site.request('/oauth/token', { method: 'POST', headers, body: '{' })
    assert.equal(response.status, 400)
    const answer = await response.json()
    assert.equal(answer.error, 'invalid_request')
    assert.equal(answer.reason, 'body_unreadable')
  })
})

describe('POST /oauth/token', () => {
  test('tells a client that asks before its time to slow down', async () => {
    const { device_code: code } = await client.authorize({ scope: 'read' })
    assert.deepEqual(await refusedWith(code), ['authorization_pending', 'device_request_pending'])
    assert.deepEqual(await refusedWith(code), ['slow_down', 'device_polled_too_often'])
    site.advance(5)
    assert.deepEqual(await refusedWith(code), ['authorization_pending', 'device_request_pending'])
    await site.setting('disable_rate_limits', 'true')
    assert.deepEqual(await refusedWith(code), ['authorization_pending', 'device_request_pending'])
  })

  test('does not make a decision wait for the interval', async () => {
    const asked = await client.authorize({ scope: 'read' })
    assert.equal((await refusedWith(asked.device_code))[0], 'authorization_pending')
    await approve(asked)
    await issued(asked.device_code)
  })

  test('counts the two forms apart in which one client sends every poll', async () => {
    const asked = await client.authorize({ scope: 'read' })
    const withHeader = clientNamed('tv', { authorization: `Basic ${btoa('tv:')}` })
    for (const one of [withHeader, client]) {
      const answer = await one.token(asked.device_code)
      assert.equal('error' in answer && answer.error, 'authorization_pending')
    }
  })

  test('takes the client’s id from the header, form-encoded, and no secret', async () => {
    const spaced = clientNamed('my tv')
    const asked = await spaced.authorize({ scope: 'read' })
    await approve(asked)
    const headers = { authorization: `Basic ${btoa('my+tv:whatever')}` }
    const form = {
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: asked.device_code,
    }
    const response = await site.request('/oauth/token', { form, headers })
    assert.equal(response.status, 200)
  })

  test('knows a code that was denied, that has expired, and that was delivered', async () => {
    const first = await client.authorize({ scope: 'read' })
    const approval = { approval_token: await site.enter(sam, first.user_code) }
    assert.deepEqual(await site.act(sam, 'device/deny', approval), denied)
    assert.deepEqual(await refusedWith(first.device_code), ['access_denied', 'device_request_denied'])
    const second = await client.authorize({ scope: 'read' })
    await approve(second)
    await issued(second.device_code)
    assert.deepEqual(await refusedWith(second.device_code), ['invalid_grant', 'device_code_invalid'])
    const third = await client.authorize({ scope: 'read' })
    await approve(third)
    site.advance(600)
    assert.deepEqual(await refusedWith(third.device_code), ['expired_token', 'device_code_expired'])
  })

  test('refuses a code that is none, and that of another client', async () => {
    const asked = await client.authorize({ scope: 'read' })
    await approve(asked)
    const wrong: [code: string, change: Record<string, string>][] = [
      ['nonsense', {}],
      ['a'.repeat(64), {}],
      [asked.device_code, { client_id: 'another' }],
      [asked.device_code, { client_id: 'tv ' }],
    ]
    for (const [code, change] of wrong) {
      assert.deepEqual(await refusedWith(code, change), ['invalid_grant', 'device_code_invalid'])
    }
    await issued(asked.device_code)
  })

  test('refuses other grants, and what is incomplete', async () => {
    const code = 'a'.repeat(64)
    for (const grant of ['authorization_code', 'refresh_token', 'password']) {
      assert.deepEqual(await refusedWith(code, { grant_type: grant }), [
        'unsupported_grant_type',
        'grant_type_unsupported',
      ])
    }
    for (const name of ['grant_type', 'device_code', 'client_id']) {
      assert.deepEqual(await refusedWith(code, { [name]: '' }), ['invalid_request', 'parameters_missing'])
    }
  })

  const between: [name: string, change: () => Promise<unknown>, error: string, reason: string][] = [
    ['the user was suspended', () => suspend(), 'access_denied', 'owner_suspended'],
    [
      'the user may not approve apps any more',
      () => site.setting('user_api_key_allowed_groups', '1|2'),
      'access_denied',
      'group_not_allowed',
    ],
    [
      'the site does not give the scope any more',
      () => site.setting('allow_user_api_key_scopes', 'notifications'),
      'invalid_scope',
      'scope_not_allowed',
    ],
  ]
  for (const [name, change, error, reason] of between) {
    test(`issues nothing when between approval and poll ${name}`, async () => {
      const old = await site.approvedKey({ client_id: 'tv' })
      const asked = await client.authorize({ scope: 'read' })
      await approve(asked)
      await change()
      assert.deepEqual(await refusedWith(asked.device_code), [error, reason])
      const keys = await site.store.userApiKeys.listByUser(site.user.id)
      assert.equal(keys.length, 1)
      assert.notEqual(old, '')
    })
  }

  test('refuses a request for a key that would be over by now', async () => {
    const asked = await client.authorize({ scope: 'read', expires_in_seconds: '60' })
    await approve(asked)
    site.advance(60)
    assert.deepEqual(await refusedWith(asked.device_code), ['expired_token', 'device_code_expired'])
  })

  test('takes 60 polls a minute from one address', async () => {
    for (let time = 0; time < 60; time += 1) await client.token('a'.repeat(64))
    const answer = await client.token('b'.repeat(64))
    assert.ok('error' in answer)
    assert.equal(answer.http, 429)
    assert.equal(answer.error, 'slow_down')
  })
})

describe('GET /.well-known/oauth-authorization-server', () => {
  test('tells a client where to ask, and for what', async () => {
    const response = await site.request('/.well-known/oauth-authorization-server')
    assert.equal(response.status, 200)
    const answer = await response.json()
    assert.equal(answer.issuer, siteUrl)
    assert.equal(answer.device_authorization_endpoint, `${siteUrl}/oauth/device_authorization`)
    assert.equal(answer.token_endpoint, `${siteUrl}/oauth/token`)
    assert.deepEqual(answer.grant_types_supported, ['urn:ietf:params:oauth:grant-type:device_code'])
    assert.deepEqual(answer.token_endpoint_auth_methods_supported, ['none'])
    assert.ok(answer.scopes_supported.includes('read'))
  })

  test('leaves its paths to the application when the setting says so', async () => {
    await site.setting('enable_oauth_device_flow', 'false')
    for (const [method, path] of [
      ['GET', '/.well-known/oauth-authorization-server'],
      ['POST', '/oauth/device_authorization'],
      ['POST', '/oauth/token'],
    ]) {
      const request = new Request(siteUrl + path, { method: method ?? '' })
      assert.equal(await site.hallpass.handle(request), undefined)
    }
  })
})

describe('Authorization: Bearer', () => {
  test('counts as a user API key where it has the form of one, and the header of that name wins', async () => {
    const key = await site.approvedKey({ scopes: 'read' })
    assert.equal(await usernameWith({ authorization: `bearer ${key}` }), 'sam')
    const unknown = '0'.repeat(32)
    assert.equal(await usernameWith({ authorization: `Bearer ${unknown}` }), 'user_api_key_invalid')
    assert.equal(
      await usernameWith({ authorization: `Bearer ${key}`, 'user-api-key': unknown }),
      'user_api_key_invalid',
    )
    assert.equal(await usernameWith({ authorization: `Bearer ${unknown}`, 'user-api-key': key }), 'sam')
  })

  test('is the application’s own otherwise', async () => {
    const request = new Request(`${siteUrl}/any`, { headers: { authorization: 'Bearer eyJhbGciOi.x.y' } })
    assert.equal((await site.hallpass.authenticate(request)).outcome, 'anonymous')
  })
})

async function suspend(): Promise<void> {
  const form = { suspend_until: '2099-01-01', reason: 'test' }
  const response = await site.asAdmin(`/admin/users/${site.user.id}/suspend.json`, { method: 'PUT', form })
  assert.equal(response.status, 200)
}
