import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, beforeEach, describe, test } from 'node:test'
import { assets } from '../../src/pages/assets.ts'
import type { SettingName } from '../../src/protocol/settings.ts'
import {
  authorizationParameters,
  type Browser,
  createTestSite,
  siteUrl,
  type TestSite,
} from '../test-site.ts'

let site: TestSite
beforeEach(async () => {
  await site?.close()
  site = await createTestSite({ random: { bytes: (length) => new Uint8Array(randomBytes(length)) } })
})
after(() => site.close())

async function set(name: SettingName, value: string): Promise<void> {
  const response = await site.asAdmin(`/admin/site_settings/${name}.json`, {
    method: 'PUT',
    form: { [name]: value },
  })
  assert.equal(response.status, 200)
}

interface Answered {
  readonly status: number
  readonly reason: string | undefined
  readonly limit: string | undefined
  readonly code: string | null
  readonly retryAfter: string | null
  readonly body: Record<string, unknown>
}

async function answered(response: Response): Promise<Answered> {
  const body = (await response.json()) as Record<string, unknown> & { reason?: string; message?: string }
  return {
    status: response.status,
    reason: body.reason,
    limit: /the limit (\w+) is reached/.exec(body.message ?? '')?.[1],
    code: response.headers.get('discourse-rate-limit-error-code'),
    retryAfter: response.headers.get('retry-after'),
    body,
  }
}

const current = '/session/current.json'

async function withKey(key: string, path = current, method = 'GET'): Promise<Answered> {
  return answered(await site.request(path, { method, headers: { 'user-api-key': key } }))
}

async function repeat(times: number, work: () => Promise<{ status: number }>): Promise<number[]> {
  const statuses: number[] = []
  for (let time = 0; time < times; time += 1) statuses.push((await work()).status)
  return statuses
}

describe('the limits of a user API key', () => {
  test('refuse the 21st request of a minute with 429, the wire’s fields and headers', async () => {
    await set('max_user_api_reqs_per_minute', '20')
    const key = await site.approvedKey()
    assert.deepEqual(new Set(await repeat(20, () => withKey(key))), new Set([200]))
    site.advance(18)
    const refused = await withKey(key)
    assert.deepEqual(
      [refused.status, refused.reason, refused.code, refused.retryAfter],
      [429, 'rate_limited', 'user_api_key_limiter_60_secs', '42'],
    )
    assert.equal(refused.body.error_type, 'rate_limit')
    assert.deepEqual(refused.body.extras, { wait_seconds: 42, time_left: '42 seconds' })
    site.advance(42)
    assert.equal((await withKey(key)).status, 200)
  })

  test('refuse what is over the day, and charge the minute for it all the same', async () => {
    await set('max_user_api_reqs_per_minute', '3')
    await set('max_user_api_reqs_per_day', '2')
    const key = await site.approvedKey()
    await repeat(2, () => withKey(key))
    const day = await withKey(key)
    assert.deepEqual(
      [day.limit, day.code, day.retryAfter],
      ['max_user_api_reqs_per_day', 'user_api_key_limiter_1_day', '86400'],
    )
    assert.equal((await withKey(key)).code, 'user_api_key_limiter_60_secs')
    site.advance(60)
    assert.equal((await withKey(key)).code, 'user_api_key_limiter_1_day')
  })

  test('count each key by itself', async () => {
    await set('max_user_api_reqs_per_minute', '1')
    const [one, other] = [
      await site.approvedKey({ client_id: 'one' }),
      await site.approvedKey({ client_id: 'other' }),
    ]
    assert.deepEqual(await repeat(2, () => withKey(one)), [200, 429])
    assert.deepEqual(await repeat(2, () => withKey(other)), [200, 429])
  })

  test('charge a request that the scopes refuse, and revocation by the key itself', async () => {
    await set('max_user_api_reqs_per_minute', '2')
    const key = await site.approvedKey({ scopes: 'notifications' })
    assert.equal((await withKey(key)).reason, 'scope_insufficient')
    assert.equal((await withKey(key)).reason, 'scope_insufficient')
    assert.equal((await withKey(key)).reason, 'rate_limited')
    assert.equal((await withKey(key, '/user-api-key/revoke.json', 'POST')).reason, 'rate_limited')
  })

  test('charge nothing for a key that is not active or not known', async () => {
    await set('max_user_api_reqs_per_minute', '1')
    const unknown = 'f'.repeat(32)
    assert.deepEqual(await repeat(3, () => withKey(unknown)), [403, 403, 403])
    const key = await site.approvedKey()
    const [stored] = await site.store.userApiKeys.listByUser(site.user.id)
    const admin = await site.signedIn('admin')
    const id = String(stored?.id)
    await admin.post('/user-api-key/revoke.json', { id })
    assert.equal((await withKey(key)).reason, 'user_api_key_revoked')
    await admin.post('/user-api-key/undo-revoke.json', { id })
    assert.equal((await withKey(key)).status, 200)
  })

  test('refuse before the owner is looked at', async () => {
    await set('max_user_api_reqs_per_minute', '1')
    const key = await site.approvedKey()
    await site.asAdmin(`/admin/users/${site.user.id}/deactivate.json`, { method: 'PUT' })
    assert.equal((await withKey(key)).reason, 'owner_inactive')
    assert.equal((await withKey(key)).reason, 'rate_limited')
  })

  test('hold on the application’s own routes, together with Hallpass’s', async () => {
    await set('max_user_api_reqs_per_minute', '2')
    const key = await site.approvedKey()
    await withKey(key)
    const request = (): Request =>
      new Request(`${siteUrl}/orders`, { headers: { 'user-api-key': key, accept: 'application/json' } })
    assert.equal((await site.hallpass.authenticate(request())).outcome, 'authenticated')
    const refused = await site.hallpass.authenticate(request())
    assert.ok(refused.outcome === 'refused')
    const told = await answered(site.hallpass.refuse(request(), refused.refusal))
    assert.deepEqual([told.status, told.code], [429, 'user_api_key_limiter_60_secs'])
  })

  test('are all off with disable_rate_limits', async () => {
    await set('max_user_api_reqs_per_minute', '1')
    await set('max_user_api_reqs_per_day', '1')
    await set('max_reqs_per_ip_per_10_seconds', '1')
    await set('disable_rate_limits', 'true')
    const key = await site.approvedKey()
    assert.deepEqual(await repeat(3, () => withKey(key)), [200, 200, 200])
  })
})

describe('the limits of an address', () => {
  const info = (): Promise<Response> => site.request('/site/basic-info.json')

  test('refuse what is over ten seconds or a minute, whoever asks', async () => {
    await set('max_reqs_per_ip_per_10_seconds', '2')
    await set('max_reqs_per_ip_per_minute', '3')
    assert.deepEqual(await repeat(2, info), [200, 200])
    const soon = await answered(await info())
    assert.deepEqual(
      [soon.status, soon.limit, soon.code, soon.retryAfter],
      [429, 'max_reqs_per_ip_per_10_seconds', 'ip_10_secs_limit', '10'],
    )
    site.advance(10)
    assert.equal((await info()).status, 200)
    const minute = await answered(await info())
    assert.deepEqual([minute.limit, minute.retryAfter], ['max_reqs_per_ip_per_minute', '50'])
  })

  test('count keys that nobody knows, so that guessing them is slow', async () => {
    await set('max_reqs_per_ip_per_10_seconds', '2')
    const guess = (header: string): Promise<Response> =>
      site.request(current, { headers: { [header]: randomBytes(16).toString('hex'), 'api-username': 'sam' } })
    assert.deepEqual(await repeat(2, () => guess('api-key')), [403, 403])
    assert.deepEqual(await repeat(1, () => guess('user-api-key')), [429])
  })

  test('do not count requests with an API key', async () => {
    await set('max_reqs_per_ip_per_10_seconds', '2')
    await set('max_reqs_per_ip_per_minute', '2')
    assert.deepEqual(new Set(await repeat(10, () => site.asAdmin(current))), new Set([200]))
    assert.deepEqual(await repeat(3, info), [200, 200, 429])
  })

  test('count neither health nor files', async () => {
    await set('max_reqs_per_ip_per_10_seconds', '1')
    for (const path of ['/healthz', '/readyz', assets['favicon.svg'].path]) {
      assert.deepEqual(await repeat(3, () => site.request(path)), [200, 200, 200], path)
    }
    assert.deepEqual(await repeat(2, info), [200, 429])
  })

  test('count a request once, by the route that answers it', async () => {
    await set('max_reqs_per_ip_per_10_seconds', '2')
    const connection = { remoteAddress: '192.0.2.9' }
    const ask = async (): Promise<string> => {
      const request = new Request(`${siteUrl}/orders`)
      assert.equal(await site.hallpass.handle(request, connection), undefined)
      return (await site.hallpass.authenticate(request, { connection })).outcome
    }
    assert.deepEqual([await ask(), await ask(), await ask()], ['anonymous', 'anonymous', 'refused'])
    assert.equal((await info()).status, 200)
  })

  test('count what is nowhere too', async () => {
    await set('max_reqs_per_ip_per_10_seconds', '2')
    assert.deepEqual(await repeat(3, () => site.request('/nowhere.json')), [404, 404, 429])
  })

  // One rented machine has 2^64 addresses of its own: with a count for each it could guess and fill tables for ever.
  test('count all addresses of an IPv6 network of 64 bits as one, for every limit of an address', async () => {
    await set('max_reqs_per_ip_per_10_seconds', '4')
    await set('max_authorization_requests_per_minute', '1')
    await set('max_device_requests_per_minute', '1')
    const from = (remoteAddress: string, path: string, init?: RequestInit): Promise<Response> =>
      site.hallpass.fetch(new Request(siteUrl + path, init), { remoteAddress })
    const authorize = `/user-api-key/new?${new URLSearchParams(authorizationParameters())}`
    assert.equal((await from('2001:db8::1', authorize)).status, 302)
    assert.equal((await from('2001:db8::2', authorize)).status, 429)
    const headers = { 'content-type': 'application/json' }
    const device = { method: 'POST', headers, body: JSON.stringify(authorizationParameters()) }
    assert.equal((await from('2001:db8::3', '/user-api-key/device.json', device)).status, 200)
    assert.equal((await from('2001:db8::4', '/user-api-key/device.json', device)).status, 429)
    assert.equal(
      (await answered(await from('2001:db8::5', '/site/basic-info.json'))).code,
      'ip_10_secs_limit',
    )
    assert.equal((await from('2001:db8:0:1::1', '/site/basic-info.json')).status, 200)
  })

  test('count no request whose address is not known', async () => {
    await set('max_reqs_per_ip_per_10_seconds', '1')
    const ask = async (): Promise<string> =>
      (await site.hallpass.authenticate(new Request(`${siteUrl}/orders`))).outcome
    assert.deepEqual([await ask(), await ask()], ['anonymous', 'anonymous'])
  })
})

describe('bad session cookies', () => {
  const cookie = `_t=${'a'.repeat(64)}`
  const visit = (options: { headers?: Record<string, string> } = {}): Promise<Response> =>
    site.request(current, { headers: { cookie, ...options.headers } })

  test('make the 11th request of a minute a 403 that deletes the cookie', async () => {
    assert.deepEqual(new Set(await repeat(10, visit)), new Set([404]))
    const response = await visit()
    assert.match(response.headers.getSetCookie().join(), /^_t=; Max-Age=0; Path=\/; HttpOnly/)
    const refused = await answered(response)
    assert.deepEqual(
      [refused.status, refused.reason, refused.body.error_type],
      [403, 'session_cookie_invalid', 'invalid_access'],
    )
    assert.equal((await site.request(current)).status, 404)
    site.advance(60)
    assert.equal((await visit()).status, 404)
  })

  test('lock nobody out who has a good session at the same address', async () => {
    const browser: Browser = await site.signedIn()
    await repeat(11, visit)
    assert.equal((await browser.request(current)).status, 200)
  })

  test('cost a request with a good key nothing', async () => {
    const key = await site.approvedKey()
    assert.deepEqual(
      new Set(await repeat(12, () => visit({ headers: { 'user-api-key': key } }))),
      new Set([200]),
    )
  })
})
