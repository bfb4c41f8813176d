import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestSite, siteUrl, type TestSite } from '../test-site.ts'

let site: TestSite
before(async () => {
  site = await createTestSite({
    apiKeyScopes: [
      {
        resource: 'orders',
        action: 'ship',
        routes: [
          {
            methods: ['POST'],
            paths: ['/orders/:order_id/ship'],
            params: ['carrier'],
            pathParams: ['order_id'],
          },
        ],
      },
    ],
  })
})
after(() => site.close())

async function make(
  key: unknown,
  of: TestSite = site,
): Promise<{ readonly id: number; readonly key: string }> {
  const response = await of.asAdmin('/admin/api/keys.json', { json: { key } })
  assert.equal(response.status, 200)
  return (await response.json()).key
}

interface Sent {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly address?: string | null
  readonly body?: Readonly<Record<string, unknown>>
}

/** The reason for which a request to the application is refused, or the user it acts for. */
async function ask(
  key: string,
  path: string,
  { method = 'GET', headers = {}, address, body }: Sent = {},
): Promise<string> {
  const request = new Request(siteUrl + path, {
    method,
    headers: { 'api-key': key, ...headers },
    ...(method === 'GET' || method === 'HEAD' ? {} : { body: 'x' }),
  })
  const connection = { remoteAddress: address === undefined ? '127.0.0.1' : address }
  const decision = await site.hallpass.authenticate(request, { connection, ...(body ? { body } : {}) })
  if (decision.outcome === 'refused') return decision.refusal.reason
  return decision.outcome === 'authenticated' ? decision.identity.user.username : 'anonymous'
}

describe('an API key’s allowed addresses', () => {
  let key: string
  before(async () => {
    key = (await make({ username: 'sam', allowed_ips: ['192.0.2.0/24', '2001:db8::1'] })).key
  })
  const cases: [address: string | null, outcome: string][] = [
    ['192.0.2.7', 'sam'],
    ['::ffff:192.0.2.7', 'sam'],
    ['2001:db8::1', 'sam'],
    ['2001:0db8:0:0::0001', 'sam'],
    ['192.0.3.7', 'api_key_address_not_allowed'],
    ['2001:db8::2', 'api_key_address_not_allowed'],
    ['::ffff:192.0.3.7', 'api_key_address_not_allowed'],
    ['nonsense', 'api_key_address_not_allowed'],
    [null, 'api_key_address_not_allowed'],
  ]
  for (const [address, outcome] of cases) {
    test(`${address ?? 'an unknown address'}: ${outcome}`, async () => {
      assert.equal(await ask(key, '/latest', { address }), outcome)
    })
  }

  test('must be addresses, for a key that the program makes itself too', async () => {
    const made = site.hallpass.createApiKey({
      user: undefined,
      description: '',
      route: 'bootstrap',
      allowedIps: ['somewhere'],
    })
    await assert.rejects(made, TypeError)
  })

  test('are told to nobody: whoever stole the key would learn where to send it from', async () => {
    const headers = { 'api-key': key }
    const response = await site.request('/session/current.json', { headers })
    assert.equal(response.status, 403)
    const text = await response.text()
    assert.match(text, /127\.0\.0\.1/)
    assert.match(JSON.parse(text).errors[0], /API username or key is invalid/)
    assert.doesNotMatch(text, /192\.0\.2/)
  })
})

describe('the user an API key acts for', () => {
  let bound: string
  let free: string
  before(async () => {
    bound = (await make({ username: 'sam' })).key
    free = (await make({})).key
  })
  const cases: [kind: 'bound' | 'free', headers: Record<string, string>, outcome: string][] = [
    ['bound', {}, 'sam'],
    ['bound', { 'api-username': 'SAM' }, 'sam'],
    ['bound', { 'api-username': 'admin' }, 'api_key_user_mismatch'],
    ['bound', { 'api-user-id': '1' }, 'sam'],
    ['bound', { 'api-user-external-id': 'x' }, 'sam'],
    ['free', {}, 'api_key_identity_missing'],
    ['free', { 'api-username': ' ' }, 'api_key_identity_missing'],
    ['free', { 'api-username': 'Sam' }, 'sam'],
    ['free', { 'api-username': 'nobody' }, 'api_key_user_unknown'],
    ['free', { 'api-user-id': '1' }, 'admin'],
    ['free', { 'api-user-id': '99' }, 'api_key_user_unknown'],
    ['free', { 'api-user-id': '1x' }, 'api_key_user_unknown'],
    ['free', { 'api-user-external-id': '1' }, 'api_key_external_id'],
    ['free', { 'api-username': 'sam', 'api-user-id': '1', 'api-user-external-id': '1' }, 'sam'],
    ['free', { 'api-user-id': '1', 'api-user-external-id': '2' }, 'admin'],
  ]
  for (const [kind, headers, outcome] of cases) {
    test(`${kind}, with ${JSON.stringify(headers)}: ${outcome}`, async () => {
      assert.equal(await ask(kind === 'bound' ? bound : free, '/latest', { headers }), outcome)
    })
  }

  test('must not be suspended or inactive', async () => {
    const change = (verb: string) =>
      site.asAdmin(`/admin/users/${site.user.id}/${verb}.json`, {
        method: 'PUT',
        form: { suspend_until: '2030-01-01' },
      })
    await change('suspend')
    assert.equal(await ask(bound, '/latest'), 'owner_suspended')
    assert.equal(await ask(free, '/latest', { headers: { 'api-username': 'sam' } }), 'owner_suspended')
    await change('unsuspend')
    await change('deactivate')
    assert.equal(await ask(bound, '/latest'), 'owner_inactive')
    await change('activate')
    assert.equal(await ask(bound, '/latest'), 'sam')
  })
})

describe('an API key’s scopes', () => {
  test('say in the refusal what is needed and what the key has', async () => {
    const { key } = await make({ username: 'sam', scopes: [{ scope_id: 'topics:read', topic_id: '7' }] })
    assert.equal(await ask(key, '/t/7.json'), 'sam')
    assert.equal(await ask(key, '/t/8.json?topic_id=7'), 'api_key_scope_insufficient')
    const response = await site.request('/session/current.json', { headers: { 'api-key': key } })
    assert.equal(response.status, 403)
    const { error_type: errorType, errors, message } = await response.json()
    assert.equal(errorType, 'invalid_access')
    assert.match(errors[0], /The API username or key is invalid\.$/)
    assert.match(
      message,
      /needs one of the scopes: global:read\. this API key has: topics:read \(only topic_id: 7\)/,
    )
  })

  test('narrowed by a body’s parameter need the body that the application acts on', async () => {
    const { key } = await make({ username: 'sam', scopes: [{ scope_id: 'topics:write', topic_id: '7' }] })
    const post = (body?: Record<string, unknown>) =>
      ask(key, '/posts.json', { method: 'POST', ...(body ? { body } : {}) })
    assert.equal(await post({ topic_id: '7' }), 'sam')
    assert.equal(await post({ topic_id: '8' }), 'api_key_scope_insufficient')
    assert.equal(await post({}), 'api_key_scope_insufficient')
    assert.equal(await post(), 'api_key_scope_insufficient')
  })

  test('can be the site owner’s own', async () => {
    const { key } = await make({ username: 'sam', scopes: [{ scope_id: 'orders:ship', order_id: '7' }] })
    assert.equal(await ask(key, '/orders/7/ship', { method: 'POST' }), 'sam')
    assert.equal(await ask(key, '/orders/8/ship', { method: 'POST' }), 'api_key_scope_insufficient')
    assert.equal(await ask(key, '/latest'), 'api_key_scope_insufficient')
    const { scopes } = await (await site.asAdmin('/admin/api/keys/scopes.json')).json()
    assert.deepEqual(scopes.orders, [
      {
        scope_id: 'orders:ship',
        key: 'ship',
        name: 'ship',
        params: ['carrier', 'order_id'],
        urls: ['/orders/:order_id/ship (POST)'],
      },
    ])
  })

  test('limit Hallpass’s own routes too, with what their bodies hold', async () => {
    const { key } = await make({
      username: 'admin',
      scopes: [{ scope_id: 'users:suspend', user_id: site.user.id }],
    })
    const suspend = (id: string) =>
      site.request(`/admin/users/${id}/suspend.json`, {
        method: 'PUT',
        headers: { 'api-key': key },
        form: { suspend_until: '2020-01-01', user_id: site.user.id },
      })
    assert.equal((await suspend(site.user.id)).status, 200)
    assert.equal((await (await suspend('99')).json()).reason, 'api_key_scope_insufficient')
  })

  test('are not held against a path that can be read in two ways: such a request is refused', async () => {
    const { key } = await make({ username: 'sam', scopes: [{ scope_id: 'topics:read', topic_id: '7' }] })
    assert.equal(await ask(key, '/t/7%2f..%2f8.json'), 'path_ambiguous')
  })

  test('come with the identity', async () => {
    const { key } = await make({ username: 'sam', scopes: [{ scope_id: 'tags:list' }] })
    const request = new Request(`${siteUrl}/tags`, { headers: { 'api-key': key } })
    const decision = await site.hallpass.authenticate(request)
    const identity = decision.outcome === 'authenticated' ? decision.identity : assert.fail()
    assert.ok(identity.via === 'api_key')
    assert.equal(identity.apiKey.scopeMode, 'granular')
    assert.deepEqual(identity.apiKey.scopes, [{ resource: 'tags', action: 'list', allowedParameters: null }])
  })
})

describe('the order of checks', () => {
  test('key, address, scopes, user, standing', async () => {
    const { id, key } = await make({ allowed_ips: ['192.0.2.7'], scopes: [{ scope_id: 'tags:list' }] })
    const headers = { 'api-username': 'nobody' }
    const address = '192.0.2.7'
    assert.equal(await ask(key, '/latest', { headers }), 'api_key_address_not_allowed')
    assert.equal(await ask(key, '/latest', { headers, address }), 'api_key_scope_insufficient')
    assert.equal(await ask(key, '/tags', { headers, address }), 'api_key_user_unknown')
    // The question for one's scopes passes the scopes, and nothing else.
    assert.equal(await ask(key, '/session/scopes', { headers }), 'api_key_address_not_allowed')
    assert.equal(await ask(key, '/session/scopes', { address }), 'api_key_identity_missing')
    await site.asAdmin(`/admin/api/keys/${id}/revoke.json`, { method: 'POST' })
    assert.equal(await ask(key, '/session/scopes', { headers }), 'api_key_revoked')
  })

  test('a bad key is refused on public routes too, whatever else the request brings', async () => {
    const key = '0'.repeat(64)
    assert.equal(await ask(key, '/site/basic-info.json'), 'api_key_invalid')
    const userKey = await site.approvedKey({ client_id: 'order' })
    assert.equal(await ask(key, '/latest', { headers: { 'user-api-key': userKey } }), 'api_key_invalid')
    assert.equal(await ask(userKey, '/latest'), 'user_api_key_sent_as_api_key')
  })
})

describe('the bucket of all API keys of the site', () => {
  async function limitedSite(max: number): Promise<{ of: TestSite; first: string; second: string }> {
    const of = await createTestSite()
    const { key: first } = await make({ username: 'sam' }, of)
    const { key: second } = await make({ username: 'admin', scopes: [{ scope_id: 'global:read' }] }, of)
    of.advance(60)
    const set = { method: 'PUT', form: { max_admin_api_reqs_per_minute: String(max) } }
    await of.asAdmin('/admin/site_settings/max_admin_api_reqs_per_minute.json', set)
    of.advance(60)
    return { of, first, second }
  }

  test('is one for all: a second key finds it full, and a minute later has room', async () => {
    const { of, first, second } = await limitedSite(3)
    const status = async (key: string, path = '/session/current.json') =>
      (await of.request(path, { headers: { 'api-key': key } })).status
    assert.deepEqual([await status(first), await status(second), await status(first)], [200, 200, 200])
    const response = await of.request('/session/current.json', { headers: { 'api-key': second } })
    assert.equal(response.status, 429)
    assert.equal(response.headers.get('retry-after'), '60')
    assert.equal(response.headers.get('discourse-rate-limit-error-code'), 'admin_api_key_rate_limit')
    const body = await response.json()
    assert.deepEqual([body.reason, body.error_type], ['rate_limited', 'rate_limit'])
    assert.deepEqual(body.extras, { wait_seconds: 60, time_left: '1 minute' })
    assert.equal(await status(first, '/session/scopes'), 429)
    of.advance(60)
    assert.equal(await status(second), 200)
    await of.close()
  })

  test('counts no request that was refused before it', async () => {
    const { of, first, second } = await limitedSite(1)
    const refused = [{ 'api-key': '0'.repeat(64) }, { 'api-key': first, 'api-username': 'admin' }]
    for (const headers of refused) {
      assert.equal((await of.request('/session/current.json', { headers })).status, 403)
    }
    const post = await of.request('/admin/api/keys', { headers: { 'api-key': second }, json: { key: {} } })
    assert.equal((await post.json()).reason, 'api_key_scope_insufficient')
    assert.equal((await of.request('/session/current.json', { headers: { 'api-key': first } })).status, 200)
    await of.close()
  })

  test('is off when all limits are', async () => {
    const { of, first } = await limitedSite(1)
    const browser = await of.signedIn('admin')
    const headers = { 'x-csrf-token': await browser.csrf() }
    const path = '/admin/site_settings/disable_rate_limits.json'
    const form = { disable_rate_limits: 'true' }
    assert.equal((await browser.request(path, { method: 'PUT', form, headers })).status, 200)
    for (const _ of [1, 2, 3]) {
      assert.equal((await of.request('/session/current.json', { headers: { 'api-key': first } })).status, 200)
    }
    await of.close()
  })
})

describe('createHallpass', () => {
  test('throws a TypeError for an API key scope that is there already', async () => {
    const apiKeyScopes = [{ resource: 'topics', action: 'read', routes: [{ methods: ['GET'] }] }]
    await assert.rejects(createTestSite({ apiKeyScopes }), TypeError)
  })
})
