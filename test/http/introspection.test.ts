import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { hashSecret } from '../../src/domain/key-text.ts'
import type { LogEvent } from '../../src/domain/ports.ts'
import { createTestSite, siteUrl, type TestSite } from '../test-site.ts'

const log: LogEvent[] = []
let site: TestSite
beforeEach(async () => {
  log.length = 0
  site = await createTestSite({ log: (event) => log.push(event) })
})
afterEach(() => site.close())

type Headers = Readonly<Record<string, string>>

function asked(headers: Headers, form: Record<string, string>): Promise<Response> {
  return site.request('/oauth/introspect', { headers, form })
}

function byAdmin(): Headers {
  return { 'api-key': site.adminApiKey, 'api-username': 'admin' }
}

function basic(name: string, secret: string): Headers {
  return { authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}` }
}

async function introspected(token: string, headers: Headers = byAdmin()): Promise<Record<string, unknown>> {
  const response = await asked(headers, { token })
  assert.equal(response.status, 200)
  return (await response.json()) as Record<string, unknown>
}

async function refusal(headers: Headers, form: Record<string, string> = { token: 'x' }) {
  const response = await asked(headers, form)
  const { error, reason } = (await response.json()) as { error: string; reason: string }
  return { status: response.status, error, reason, challenge: response.headers.get('www-authenticate') }
}

async function set(name: string, value: string): Promise<void> {
  const form = { [name]: value }
  await site.asAdmin(`/admin/site_settings/${name}.json`, { method: 'PUT', form })
}

async function apiKey(fields: Record<string, unknown>): Promise<string> {
  const key = { description: 'a service', ...fields }
  const { key: made } = await (await site.asAdmin('/admin/api/keys.json', { json: { key } })).json()
  return made.key
}

const granular = { scope_mode: 'granular', scopes: [{ scope_id: 'keys:introspect' }] }

describe('POST /oauth/introspect', () => {
  test('tells what a user API key is, and does not use it', async () => {
    const key = await site.approvedKey({ scopes: 'read,session_info', expires_in_seconds: '3600' })
    const [before] = await site.store.userApiKeys.listByUser(site.user.id)
    site.advance(60)
    const issuedAt = Math.floor((before?.createdAt ?? 0) / 1000)
    assert.deepEqual(await introspected(key), {
      active: true,
      scope: 'read session_info',
      client_id: 'client-1',
      username: 'sam',
      sub: site.user.id,
      token_type: 'Bearer',
      iss: siteUrl,
      iat: issuedAt,
      exp: issuedAt + 3600,
      key_id: before?.id,
      application_name: 'My app',
      narrowed_scopes: [],
    })
    await site.hallpass.close()
    const [after] = await site.store.userApiKeys.listByUser(site.user.id)
    assert.equal(after?.lastUsedAt, before?.lastUsedAt)
  })

  test('leaves the end out where there is none', async () => {
    assert.equal('exp' in (await introspected(await site.approvedKey())), false)
  })

  test('keeps a narrowed scope out of `scope`, where a service would take it for whole', async () => {
    const text = 'a'.repeat(32)
    const client = await site.store.clients.insert({
      clientId: 'calendar',
      applicationName: 'Calendar',
      createdAt: site.now(),
    })
    await site.store.userApiKeys.insert({
      userId: site.user.id,
      clientRowId: client.id,
      keyHash: hashSecret(text),
      scopes: [
        { name: 'bookmarks_calendar', allowedParameters: { username: ['sam'] } },
        { name: 'session_info', allowedParameters: { any: [] } },
        { name: 'gone', allowedParameters: null },
      ],
      pushUrl: null,
      createdAt: site.now(),
      expiresAt: null,
    })
    const { scope, narrowed_scopes: narrowed } = await introspected(text)
    assert.equal(scope, 'session_info')
    assert.deepEqual(narrowed, [{ name: 'bookmarks_calendar', allowed_parameters: { username: ['sam'] } }])
  })

  const dead: readonly (readonly [string, () => Promise<string>])[] = [
    ['nobody’s', async () => '0'.repeat(32)],
    ['no key at all', async () => 'x\u00e9{}'],
    ['as long as a body may be', async () => 'f'.repeat(60_000)],
    ['an administrator’s API key', async () => site.adminApiKey],
    [
      'expired',
      async () => {
        const key = await site.approvedKey({ expires_in_seconds: '60' })
        site.advance(61)
        return key
      },
    ],
    [
      'revoked',
      async () => {
        const key = await site.approvedKey()
        await introspected(key)
        await site.request('/user-api-key/revoke', { method: 'POST', headers: { 'user-api-key': key } })
        return key
      },
    ],
    [
      'of a suspended owner',
      async () => {
        const key = await site.approvedKey()
        const form = { suspend_until: '2030-01-01', reason: 'test' }
        await site.asAdmin(`/admin/users/${site.user.id}/suspend.json`, { method: 'PUT', form })
        return key
      },
    ],
    [
      'of an owner who was deactivated',
      async () => {
        const key = await site.approvedKey()
        await site.asAdmin(`/admin/users/${site.user.id}/deactivate.json`, { method: 'PUT' })
        return key
      },
    ],
  ]
  for (const [what, make] of dead) {
    test(`says of a token that is ${what} that it is not active, and nothing else`, async () => {
      assert.deepEqual(await introspected(await make()), { active: false })
    })
  }

  test('does not tell inactive tokens apart by its headers either', async () => {
    const key = await site.approvedKey()
    await site.request('/user-api-key/revoke', { method: 'POST', headers: { 'user-api-key': key } })
    const [one, other] = await Promise.all([key, 'nothing'].map((token) => asked(byAdmin(), { token })))
    assert.deepEqual([...(one?.headers ?? [])], [...(other?.headers ?? [])])
    assert.match(one?.headers.get('cache-control') ?? '', /no-store/)
  })

  test('takes no notice of the hint, and reads the token from the body alone', async () => {
    const key = await site.approvedKey()
    const hinted = await asked(byAdmin(), { token: key, token_type_hint: 'refresh_token' })
    assert.equal((await hinted.json()).active, true)
    const inAddress = await site.request(`/oauth/introspect?token=${key}`, {
      method: 'POST',
      headers: byAdmin(),
    })
    assert.equal(inAddress.status, 400)
    assert.equal((await inAddress.json()).error, 'invalid_request')
  })

  test('writes the token into no log and no audit entry', async () => {
    const key = await site.approvedKey()
    await introspected(key)
    const entries = await site.store.audit.list({ limit: 50 })
    assert.ok(!JSON.stringify([log, entries]).includes(key))
  })
})

describe('who may introspect', () => {
  test('an API key that acts for an administrator, in its headers or as an OAuth client’s secret', async () => {
    const key = await site.approvedKey()
    assert.equal((await introspected(key, byAdmin())).active, true)
    assert.equal((await introspected(key, basic('admin', site.adminApiKey))).active, true)
    const secret = encodeURIComponent(site.adminApiKey)
    assert.equal((await introspected(key, basic('%61dmin', secret))).active, true)
  })

  test('an API key that has the scope keys:introspect, whoever it acts for', async () => {
    const key = await site.approvedKey()
    const service = await apiKey({ username: 'sam', ...granular })
    assert.equal((await introspected(key, { 'api-key': service })).active, true)
    assert.equal((await introspected(key, basic('', service))).active, true)
    // It may do nothing else.
    const other = await site.request('/admin/api/keys.json', {
      headers: { 'api-key': service, 'api-username': 'sam' },
    })
    assert.equal(other.status, 403)
  })

  const refused: readonly (readonly [string, () => Promise<Headers>, number, string, string])[] = [
    ['nobody', async () => ({}), 401, 'invalid_client', 'api_key_required'],
    [
      'a user API key, even with the scope write',
      async () => ({ authorization: `Bearer ${await site.approvedKey({ scopes: 'write' })}` }),
      401,
      'invalid_client',
      'api_key_required',
    ],
    [
      'an API key that nobody knows',
      async () => basic('admin', 'f'.repeat(64)),
      401,
      'invalid_client',
      'api_key_invalid',
    ],
    [
      'an API key that acts for an ordinary user',
      async () => ({ 'api-key': site.adminApiKey, 'api-username': 'sam' }),
      403,
      'unauthorized_client',
      'introspection_not_permitted',
    ],
    [
      'an API key with other scopes',
      async () => ({
        'api-key': await apiKey({
          username: 'admin',
          scope_mode: 'granular',
          scopes: [{ scope_id: 'topics:read' }],
        }),
      }),
      403,
      'unauthorized_client',
      'api_key_scope_insufficient',
    ],
    [
      'an API key that may read only',
      async () => ({ 'api-key': await apiKey({ username: 'admin', scope_mode: 'read_only' }) }),
      403,
      'unauthorized_client',
      'api_key_scope_insufficient',
    ],
  ]
  for (const [who, headers, status, error, reason] of refused) {
    test(`not ${who}`, async () => {
      const answer = await refusal(await headers())
      assert.deepEqual([answer.status, answer.error, answer.reason], [status, error, reason])
      assert.equal(answer.challenge, status === 401 ? `Basic realm="${siteUrl}"` : null)
    })
  }

  test('not an administrator’s browser: a page could send it there', async () => {
    const visitor = await site.signedIn('admin')
    const response = await visitor.post('/oauth/introspect', { token: 'x' })
    assert.equal((await response.json()).reason, 'api_key_required')
  })
})

describe('how often one may introspect', () => {
  test('is a limit of each API key’s own, apart from what administration may do', async () => {
    const service = { 'api-key': await apiKey({ username: 'sam', ...granular }) }
    await set('max_introspections_per_minute', '3')
    // With this, the site has counted three requests of administration.
    await set('max_admin_api_reqs_per_minute', '4')
    for (let count = 0; count < 3; count += 1) await introspected('x', service)
    const { status, reason } = await refusal(service)
    assert.deepEqual([status, reason], [429, 'rate_limited'])
    assert.deepEqual(await introspected('x'), { active: false })
    assert.equal((await site.asAdmin('/admin/api/keys.json')).status, 200)
    assert.equal((await site.asAdmin('/admin/api/keys.json')).status, 429)
  })
})

describe('the setting enable_oauth_introspection', () => {
  test('leaves the path to the application', async () => {
    await set('enable_oauth_introspection', 'false')
    const request = new Request(`${siteUrl}/oauth/introspect`, { method: 'POST' })
    assert.equal(await site.hallpass.handle(request), undefined)
  })
})
