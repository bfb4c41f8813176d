import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { afterEach, beforeEach, describe, test } from 'node:test'
import {
  appPublicKey,
  authorizationParameters,
  createTestSite,
  openSealed,
  type RequestOptions,
  type TestSite,
} from '../test-site.ts'

let site: TestSite
beforeEach(async () => {
  site = await createTestSite()
  await set('allow_user_api_key_client_scopes', 'read|session_info|one_time_password')
})
afterEach(() => site.close())

async function set(name: string, value: string): Promise<void> {
  const form = { [name]: value }
  const response = await site.asAdmin(`/admin/site_settings/${name}.json`, { method: 'PUT', form })
  assert.equal(response.status, 200, await response.text())
}

function registration(change: Record<string, string | undefined> = {}): Record<string, string> {
  const parameters = {
    client_id: 'client-1',
    application_name: 'Registered app',
    public_key: appPublicKey,
    auth_redirect: 'http://127.0.0.1:9999/cb',
    scopes: 'read,session_info',
    ...change,
  }
  return Object.fromEntries(
    Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}

async function register(
  change: Record<string, string | undefined> = {},
  options: RequestOptions = {},
): Promise<{ status: number; reason: string | undefined; body: Record<string, unknown> }> {
  const response = await site.request('/user-api-key-client', { form: registration(change), ...options })
  const body = await response.json()
  return { status: response.status, reason: body.reason, body }
}

describe('POST /user-api-key-client', () => {
  test('registers a client, without a session and without a CSRF token, and tells the audit log', async () => {
    const { status, body } = await register({}, { headers: { cookie: `_t=${'a'.repeat(64)}` } })
    assert.equal(status, 200)
    assert.deepEqual(body, { success: 'OK' })
    const client = await site.store.clients.findByClientId('client-1')
    assert.equal(client?.publicKey, appPublicKey)
    assert.equal(client?.authRedirect, 'http://127.0.0.1:9999/cb')
    assert.deepEqual(client?.registeredScopes, ['read', 'session_info'])
    const [entry] = await site.store.audit.list({ limit: 1 })
    assert.equal(entry?.action, 'client_registered')
    assert.equal(entry?.actorAddress, '127.0.0.1')
    assert.match(entry?.details ?? '', /client-1.*Registered app/)
  })

  test('takes JSON as well, and the suffix', async () => {
    const response = await site.request('/user-api-key-client.json', {
      json: { ...registration(), scopes: ['read', 'session_info'] },
    })
    assert.equal(response.status, 200)
    const client = await site.store.clients.findByClientId('client-1')
    assert.deepEqual(client?.registeredScopes, ['read', 'session_info'])
  })

  test('names all that is missing', async () => {
    const response = await site.request('/user-api-key-client', { form: { scopes: ' ' } })
    assert.equal(response.status, 400)
    const body = await response.json()
    assert.equal(
      body.message,
      'missing or blank: client_id, application_name, public_key, auth_redirect, scopes',
    )
    assert.match(body.errors[0], /: client_id$/)
  })

  const refusals: readonly [string, Record<string, string | undefined>, number, string][] = [
    [
      'a missing key before a wrong scope',
      { public_key: undefined, scopes: 'fly' },
      400,
      'parameters_missing',
    ],
    ['an unknown scope', { scopes: 'fly' }, 403, 'scope_unknown'],
    ['a scope that is not for clients', { scopes: 'read,write' }, 403, 'client_scope_not_allowed'],
    ['a scope before a key', { scopes: 'write', public_key: 'hello' }, 403, 'client_scope_not_allowed'],
    ['text that is no key', { public_key: 'hello' }, 400, 'public_key_unreadable'],
    ['a name that is too long', { application_name: 'x'.repeat(501) }, 400, 'parameter_too_long'],
  ]
  for (const [name, change, status, reason] of refusals) {
    test(`refuses ${name}, and keeps nothing`, async () => {
      const answer = await register(change)
      assert.deepEqual([answer.status, answer.reason], [status, reason])
      assert.equal(await site.store.clients.findByClientId('client-1'), undefined)
    })
  }

  test('is off by default, and says so', async () => {
    await set('allow_user_api_key_client_scopes', '')
    const { status, reason, body } = await register()
    assert.deepEqual([status, reason], [403, 'client_scope_not_allowed'])
    assert.match(String(body.remedy), /allow_user_api_key_client_scopes/)
  })

  // Whoever could register a client id in use would have the keys of its users sealed for themselves.
  test('refuses a client id that is taken, by a registered client or by any other', async () => {
    await site.approvedKey({ client_id: 'unregistered' })
    const unregistered = await register({ client_id: 'unregistered' })
    assert.deepEqual([unregistered.status, unregistered.reason], [403, 'client_id_taken'])
    assert.equal((await register()).status, 200)
    assert.equal((await register()).reason, 'client_id_taken')
    assert.equal((await site.store.clients.findByClientId('unregistered'))?.publicKey, null)
  })

  test('registers one of two who want the same client id at once', async () => {
    await set('disable_rate_limits', 'true')
    const answers = await Promise.all(Array.from({ length: 5 }, () => register()))
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 403, 403, 403, 403])
  })

  test('counts attempts of an address before it looks at them, three a day', async () => {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      assert.equal((await register({ scopes: undefined })).reason, 'parameters_missing')
    }
    const response = await site.request('/user-api-key-client', { form: registration() })
    assert.equal(response.status, 429)
    assert.equal(response.headers.get('retry-after'), '86400')
    assert.equal((await response.json()).extras.wait_seconds, 86_400)
    site.advance(86_400)
    assert.equal((await register()).status, 200)
  })

  test('counts nobody from an exempt address', async () => {
    await set('create_user_api_key_client_ip_rate_limit_override_ips', '10.0.0.0/8|127.0.0.0/8')
    for (let attempt = 0; attempt < 5; attempt += 1) {
      assert.equal((await register({ client_id: `client-${attempt}` })).status, 200)
    }
  })

  test('refuses a body that is too large', async () => {
    assert.equal((await register({ public_key: 'x'.repeat(70_000) })).reason, 'body_too_large')
  })
})

describe('GET /user-api-key-client', () => {
  const statusOf = async (query: string, options?: RequestOptions): Promise<number> => {
    const response = await site.request(`/user-api-key-client${query}`, options)
    const text = await response.text()
    if (response.status === 200 || options?.method === 'HEAD') assert.equal(text, '')
    return response.status
  }

  test('says in its status alone whether a client is registered', async () => {
    await register({ client_id: 'ends in\n' })
    await site.approvedKey({ client_id: 'unregistered' })
    for (const method of ['GET', 'HEAD']) {
      assert.equal(await statusOf('?client_id=ends%20in%0A', { method }), 200)
      assert.equal(await statusOf('.json?client_id=ends%20in%0A', { method }), 200)
      assert.equal(await statusOf('?client_id=unregistered', { method }), 400)
      assert.equal(await statusOf('?client_id=nobody', { method }), 400)
      assert.equal(await statusOf('', { method }), 400)
    }
    const unknown = await site.request('/user-api-key-client?client_id=nobody')
    assert.equal((await unknown.json()).reason, 'client_unknown')
    const missing = await site.request('/user-api-key-client?client_id=%20')
    assert.equal((await missing.json()).reason, 'parameters_missing')
  })

  test('answers a session and a key that may read, and refuses one that is none', async () => {
    await register()
    const query = '?client_id=client-1'
    assert.equal((await (await site.signedIn()).request(`/user-api-key-client${query}`)).status, 200)
    const key = await site.approvedKey({ client_id: 'reader' })
    assert.equal(await statusOf(query, { headers: { 'user-api-key': key } }), 200)
    const bad = await site.request(`/user-api-key-client${query}`, {
      headers: { 'user-api-key': '0'.repeat(32) },
    })
    assert.equal((await bad.json()).reason, 'user_api_key_invalid')
  })
})

describe('a registered client', () => {
  beforeEach(async () => {
    assert.equal((await register()).status, 200)
  })

  const asked = { public_key: undefined, application_name: undefined, nonce: 'n', scopes: 'read' }

  test('need not send its key and its name, and gets its key sealed for the one it registered', async () => {
    const visitor = await site.signedIn()
    const path = `/user-api-key/new.json?${new URLSearchParams(authorizationParameters(asked))}`
    const model = await (await visitor.request(path)).json()
    assert.equal(model.state, 'ready')
    assert.equal(model.application_name, 'Registered app')
    assert.equal(model.public_key, null)
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey
    const foreign = other.export({ type: 'spki', format: 'pem' }).toString()
    for (const publicKey of [undefined, foreign, 'not even a key']) {
      const form = authorizationParameters({ ...asked, public_key: publicKey })
      const { payload } = await (await visitor.post('/user-api-key.json', form)).json()
      assert.equal(openSealed(payload).nonce, 'n')
    }
    assert.equal((await site.store.clients.findByClientId('client-1'))?.publicKey, appPublicKey)
  })

  const cases: readonly [string, Record<string, string | undefined>, string | undefined][] = [
    ['its own redirect', { auth_redirect: 'http://127.0.0.1:9999/cb' }, undefined],
    ['no redirect', {}, undefined],
    [
      'a redirect that the site lists, but that is not its own',
      { auth_redirect: 'http://127.0.0.1:9999/' },
      'auth_redirect_not_registered',
    ],
    ['a blank redirect', { auth_redirect: '' }, 'auth_redirect_not_registered'],
    ['a scope that it did not register', { scopes: 'read,write' }, 'scope_not_registered'],
    ['a scope that it did register', { scopes: 'session_info' }, undefined],
  ]
  for (const [name, change, reason] of cases) {
    test(`${reason === undefined ? 'may ask for' : 'is refused'} ${name}, when asking and when approving`, async () => {
      const visitor = await site.signedIn()
      const parameters = authorizationParameters({ ...asked, ...change })
      const shown = await visitor.request(`/user-api-key/new.json?${new URLSearchParams(parameters)}`)
      const model = await shown.json()
      assert.equal(shown.status, 200)
      assert.equal(model.state, reason === undefined ? 'ready' : 'generic_error')
      assert.equal(model.reason, reason)
      const posted = await visitor.post('/user-api-key.json', parameters)
      assert.equal(posted.status, reason === undefined ? 200 : 403)
      assert.equal((await posted.json()).reason, reason)
    })
  }

  test('is refused its own redirect once the site’s list does not hold it any more', async () => {
    await set('allowed_user_api_auth_redirects', 'discourse://auth_redirect')
    const visitor = await site.signedIn()
    const form = authorizationParameters({ ...asked, auth_redirect: 'http://127.0.0.1:9999/cb' })
    const response = await visitor.post('/user-api-key.json', form)
    assert.equal((await response.json()).reason, 'auth_redirect_not_allowed')
  })

  test('is refused a scope that it registered, once the site does not offer it any more', async () => {
    await set('allow_user_api_key_scopes', 'session_info')
    const visitor = await site.signedIn()
    const response = await visitor.post('/user-api-key.json', authorizationParameters(asked))
    assert.equal((await response.json()).reason, 'scope_not_allowed')
  })

  test('goes by the name that its request gives, which is its name from then on', async () => {
    const visitor = await site.signedIn()
    const form = authorizationParameters({ ...asked, application_name: 'New name' })
    const model = await (await visitor.request(`/user-api-key/new.json?${new URLSearchParams(form)}`)).json()
    assert.equal(model.application_name, 'New name')
    assert.equal((await visitor.post('/user-api-key.json', form)).status, 200)
    assert.equal((await site.store.clients.findByClientId('client-1'))?.applicationName, 'New name')
  })

  test('is known in the device flow: by its key and name, and within its scopes', async () => {
    const start = (change: Record<string, string | undefined>): Promise<Response> =>
      site.request('/user-api-key/device.json', { json: authorizationParameters({ ...asked, ...change }) })
    const refused = await start({ scopes: 'write' })
    assert.equal((await refused.json()).reason, 'scope_not_registered')
    const { user_code: code, device_code: deviceCode } = await (
      await start({ application_name: 'Another name', public_key: 'not even a key' })
    ).json()
    const visitor = await site.signedIn()
    const entered = await (await visitor.post('/user-api-key/activate.json', { code })).json()
    assert.equal(entered.device_auth.application_name, 'Registered app')
    assert.equal(entered.device_auth.unregistered_client, false)
    const { approval_token: token } = entered
    const approved = await visitor.post('/user-api-key/device/authorize.json', { approval_token: token })
    assert.equal((await approved.json()).state, 'complete')
    const polled = await site.request('/user-api-key/device/poll.json', { json: { device_code: deviceCode } })
    assert.equal(openSealed((await polled.json()).payload).nonce, 'n')
  })
})
