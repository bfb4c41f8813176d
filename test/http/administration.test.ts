import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestSite, type TestSite } from '../test-site.ts'

let site: TestSite
before(async () => {
  site = await createTestSite()
})
after(() => site.close())

describe('PUT /admin/site_settings/:name', () => {
  const put = (name: string, value: unknown): Promise<Response> =>
    site.asAdmin(`/admin/site_settings/${name}.json`, { method: 'PUT', json: { [name]: value } })

  test('audits no change when the value is there already', async () => {
    assert.equal((await put('site_description', 'We talk.')).status, 200)
    const [before] = await site.store.audit.list({ limit: 1 })
    assert.equal((await put('site_description', 'We talk.')).status, 200)
    assert.deepEqual(await site.store.audit.list({ limit: 1 }), [before])
  })

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

describe('GET /admin/site_settings', () => {
  test('tells a secret to whoever could set it, and not to an API key that only reads', async () => {
    const name = 'push_api_secret_key'
    await site.asAdmin(`/admin/site_settings/${name}.json`, { method: 'PUT', json: { [name]: 'hush-hush' } })
    const { key } = await (
      await site.asAdmin('/admin/api/keys.json', {
        json: { key: { description: 'monitor', scope_mode: 'read_only' } },
      })
    ).json()
    const valueFor = async (headers: Record<string, string>): Promise<unknown> => {
      const { site_settings: all } = await (
        await site.asAdmin('/admin/site_settings.json', { headers })
      ).json()
      return all.find((one: { setting: string }) => one.setting === name).value
    }
    assert.equal(await valueFor({}), 'hush-hush')
    assert.equal(await valueFor({ 'api-key': key.key }), null)
  })
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
