import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestSite, type TestSite } from '../test-site.ts'

let site: TestSite
before(async () => {
  site = await createTestSite()
})
after(() => site.close())

describe('POST /admin/users/:id/generate_api_key', () => {
  const path = (): string =>
    `/admin/users/${site.user.id}/generate_api_key?api_key=${site.adminApiKey}&api_username=admin`

  test('makes a key with the credentials in the query, as before 2019, and points to the current way', async () => {
    const response = await site.request(path(), { method: 'POST' })
    assert.equal(response.status, 200)
    const { api_key: made } = await response.json()
    assert.match(made.key, /^[0-9a-f]{64}$/)
    assert.equal(made.user.username, 'sam')
    assert.match(response.headers.get('deprecation') ?? '', /^@\d+$/)
    assert.match(response.headers.get('link') ?? '', /admin\/api\/keys/)
    const current = await site.request('/session/current.json', {
      headers: { 'api-key': made.key, 'api-username': 'sam' },
    })
    assert.equal((await current.json()).current_user.username, 'sam')
    const [last] = await site.store.audit.list({ limit: 1 })
    assert.equal(last?.action, 'api_key_created')
    assert.match(last?.details ?? '', /"route":"legacy"/)
    assert.equal(last?.actorUserId, site.admin.id)
  })

  test('is gone when the setting says so', async () => {
    const set = (value: string): Promise<Response> =>
      site.asAdmin('/admin/site_settings/legacy_api_key_routes.json', {
        method: 'PUT',
        form: { legacy_api_key_routes: value },
      })
    await set('false')
    const response = await site.request(path(), { method: 'POST' })
    assert.equal(response.status, 404)
    assert.match((await response.json()).message, /\/admin\/api\/keys/)
    await set('true')
  })

  test('is the only route where credentials in the query count', async () => {
    const response = await site.request(
      `/session/current.json?api_key=${site.adminApiKey}&api_username=admin`,
    )
    assert.equal(response.status, 404)
  })
})

describe('POST /admin/api/keys', () => {
  test('makes a key whose text is told once and kept as a hash', async () => {
    const response = await site.asAdmin('/admin/api/keys.json', {
      json: { key: { description: 'backup', username: 'sam' } },
    })
    assert.equal(response.status, 200)
    const { key } = await response.json()
    assert.match(key.key, /^[0-9a-f]{64}$/)
    assert.equal(key.truncated_key, key.key.slice(0, 4))
    assert.ok(!JSON.stringify(await site.store.apiKeys.list({ offset: 0, limit: 50 })).includes(key.key))
    const as = (username: string): Promise<Response> =>
      site.request('/session/current.json', { headers: { 'api-key': key.key, 'api-username': username } })
    assert.equal((await as('SAM')).status, 200)
    assert.equal((await as('admin')).status, 403)
  })

  test('takes a form as well', async () => {
    const response = await site.asAdmin('/admin/api/keys', { form: { 'key[description]': 'form' } })
    assert.equal((await response.json()).key.description, 'form')
  })

  const bad: [name: string, json: unknown, status: number][] = [
    ['without key', {}, 400],
    ['with a key that is no object', { key: 'x' }, 400],
    ['for an unknown user', { key: { username: 'nobody' } }, 404],
    ['with a description that is too long', { key: { description: 'x'.repeat(256) } }, 422],
    [
      'with scopes, which this version cannot enforce',
      { key: { scopes: [{ scope_id: 'topics:read' }] } },
      400,
    ],
  ]
  for (const [name, json, status] of bad) {
    test(`refuses a request ${name}`, async () => {
      const response = await site.asAdmin('/admin/api/keys.json', { json })
      assert.equal(response.status, status)
      assert.ok((await response.json()).remedy)
    })
  }

  test('does not exist for anybody but administrators', async () => {
    const headers = { 'api-key': site.adminApiKey, 'api-username': 'sam' }
    const response = await site.request('/admin/api/keys.json', { json: { key: {} }, headers })
    assert.equal(response.status, 404)
    assert.equal((await response.json()).error_type, 'not_found')
  })
})

describe('PUT /admin/site_settings/:name', () => {
  const put = (name: string, value: unknown): Promise<Response> =>
    site.asAdmin(`/admin/site_settings/${name}.json`, { method: 'PUT', json: { [name]: value } })

  test('changes a setting at once, and audits it', async () => {
    assert.equal((await put('title', 'Corner shop')).status, 200)
    assert.equal((await (await site.request('/site/basic-info.json')).json()).title, 'Corner shop')
    const [last] = await site.store.audit.list({ limit: 1 })
    assert.equal(last?.action, 'setting_changed')
    assert.match(last?.details ?? '', /Corner shop/)
  })

  const refusals: [name: string, value: unknown, reason: string][] = [
    ['session_lifetime_days', 0, 'setting_invalid'],
    ['disable_rate_limits', 'maybe', 'setting_invalid'],
    ['allow_user_api_key_scopes', 'read|fly', 'setting_invalid'],
    ['allowed_user_api_auth_redirects', 'https://', 'setting_invalid'],
    ['no_such_setting', 'x', 'not_found'],
  ]
  for (const [name, value, reason] of refusals) {
    test(`refuses ${name} = ${value}`, async () => {
      assert.equal((await (await put(name, value)).json()).reason, reason)
    })
  }
})

describe('administration', () => {
  test('is closed to user API keys: an app that an administrator approved must not outlive its key', async () => {
    const key = await site.approvedKey({ scopes: 'write', client_id: 'power' }, 'admin')
    for (const path of [
      '/admin/api/keys.json',
      `/admin/users/${site.user.id}/generate_api_key`,
      '/users.json',
    ]) {
      const response = await site.request(path, { json: { key: {} }, headers: { 'user-api-key': key } })
      assert.equal(response.status, 403)
      assert.equal((await response.json()).reason, 'user_api_key_not_for_administration')
    }
  })

  test('cannot shut itself out', async () => {
    for (const verb of ['deactivate', 'revoke_admin', 'suspend']) {
      const path = `/admin/users/${site.admin.id}/${verb}.json`
      const response = await site.asAdmin(path, { method: 'PUT', form: { suspend_until: '2030-01-01' } })
      assert.equal(response.status, 403)
    }
    assert.equal((await site.asAdmin('/admin/site_settings.json')).status, 200)
  })
})

describe('POST /users', () => {
  test('makes an account that can sign in', async () => {
    const response = await site.asAdmin('/users.json', {
      json: {
        name: 'Robin',
        email: 'robin@hallpass.test',
        username: 'robin',
        password: 'correct horse battery',
      },
    })
    const body = await response.json()
    assert.equal(body.success, true)
    assert.equal(typeof body.user_id, 'number')
    const visitor = await site.signedIn('robin')
    assert.equal((await visitor.request('/session/current.json')).status, 200)
  })

  test('refuses a name that is taken in any case, and a short password', async () => {
    const make = async (username: string, password: string): Promise<[number, string]> => {
      const response = await site.asAdmin('/users.json', { json: { username, password } })
      return [response.status, (await response.json()).errors[0]]
    }
    assert.deepEqual(await make('SAM', 'correct horse battery'), [422, 'Username has already been taken'])
    assert.deepEqual(await make('jo', 'short'), [422, 'Password is too short (minimum is 10 characters)'])
  })
})
