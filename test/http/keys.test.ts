import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestSite, type TestSite } from '../test-site.ts'

let site: TestSite
before(async () => {
  site = await createTestSite({ pinnedSettings: { disable_rate_limits: 'true' } })
})
after(() => site.close())

async function call(
  key: string,
  path = '/session/current.json',
): Promise<{ status: number; reason?: string }> {
  const response = await site.request(path, { headers: { 'user-api-key': key } })
  const { reason } = (await response.json()) as { reason?: string }
  return { status: response.status, ...(reason === undefined ? {} : { reason }) }
}

async function keyId(clientId: string): Promise<number> {
  const keys = await site.store.userApiKeys.listByUser(site.user.id)
  return keys.find((key) => key.client.clientId === clientId)?.id ?? 0
}

describe('POST /user-api-key/revoke', () => {
  test('lets a key of any scope revoke itself, with an empty JSON body, and refuses it from then on', async () => {
    const key = await site.approvedKey({ scopes: 'push', client_id: 'self' })
    const response = await site.request('/user-api-key/revoke', {
      method: 'POST',
      headers: { 'user-api-key': key, 'content-type': 'application/json' },
    })
    assert.equal(response.status, 200)
    assert.deepEqual(await response.json(), { success: 'OK' })
    assert.deepEqual(await call(key), { status: 403, reason: 'user_api_key_revoked' })
    const again = await site.request('/user-api-key/revoke', {
      method: 'POST',
      headers: { 'user-api-key': key },
    })
    assert.equal(again.status, 403)
  })

  test('lets a user revoke their key in the browser, and undo it', async () => {
    const key = await site.approvedKey({ client_id: 'browser' })
    const visitor = await site.signedIn()
    const id = String(await keyId('browser'))
    assert.equal((await call(key)).status, 200)
    const revoked = await visitor.post('/user-api-key/revoke', { id }, { accept: 'text/html' })
    assert.equal(revoked.headers.get('location'), '/hallpass/apps')
    assert.deepEqual(await call(key), { status: 403, reason: 'user_api_key_revoked' })
    assert.match(await (await visitor.request('/u/sam/preferences/apps')).text(), /[Uu]ndo/)
    assert.equal((await visitor.post('/user-api-key/undo-revoke.json', { id })).status, 200)
    assert.equal((await call(key)).status, 200)
  })

  test('the page of a user’s apps says how often each was used', async () => {
    await site.approvedKey({ client_id: 'busy' })
    const id = await keyId('busy')
    await site.store.userApiKeys.touch([{ id, lastUsedAt: 1, count: 4321 }])
    const visitor = await site.signedIn()
    assert.match(await (await visitor.request('/hallpass/apps')).text(), /<dd>4,321 times<\/dd>/)
  })

  test('refuses a key of another user, unless an administrator asks', async () => {
    const key = await site.approvedKey({ client_id: 'other' }, 'admin')
    const keys = await site.store.userApiKeys.listByUser(site.admin.id)
    const id = String(keys[0]?.id)
    const sam = await site.signedIn('sam')
    const refused = await sam.post('/user-api-key/revoke.json', { id })
    assert.equal(refused.status, 403)
    assert.equal((await call(key)).status, 200)
    const admin = await site.signedIn('admin')
    assert.equal((await admin.post('/user-api-key/revoke.json', { id })).status, 200)
    assert.equal((await call(key)).status, 403)
  })

  test('refuses a key of another user to an administrator’s user API key, which does not administer', async () => {
    const app = await site.approvedKey({ scopes: 'write', client_id: 'admin-app' }, 'admin')
    const key = await site.approvedKey({ client_id: 'taken-back' })
    const form = { id: String(await keyId('taken-back')) }
    const send = (path: string): Promise<Response> =>
      site.request(path, { form, headers: { 'user-api-key': app } })
    assert.equal((await (await send('/user-api-key/revoke.json')).json()).reason, 'not_permitted')
    assert.equal((await call(key)).status, 200)
    assert.equal((await (await site.signedIn()).post('/user-api-key/revoke.json', form)).status, 200)
    assert.equal((await (await send('/user-api-key/undo-revoke.json')).json()).reason, 'not_permitted')
    assert.equal((await call(key)).status, 403)
  })

  test('refuses another key of the same user to a key without write', async () => {
    const key = await site.approvedKey({ scopes: 'read', client_id: 'reader' })
    await site.approvedKey({ client_id: 'victim' })
    const form = { id: String(await keyId('victim')) }
    const response = await site.request('/user-api-key/revoke.json', {
      form,
      headers: { 'user-api-key': key },
    })
    assert.equal(response.status, 403)
    assert.equal((await response.json()).reason, 'scope_insufficient')
  })

  test('answers 404 for an id that does not exist, and for none from a browser', async () => {
    const visitor = await site.signedIn()
    for (const form of [{ id: '999999' }, { id: 'abc' }, {}]) {
      assert.equal((await visitor.post('/user-api-key/revoke.json', form)).status, 404)
    }
  })
})

describe('authentication', () => {
  const wrongKeys: [name: string, headers: Record<string, string>, reason: string][] = [
    ['an unknown key', { 'user-api-key': 'f'.repeat(32) }, 'user_api_key_invalid'],
    ['text of another form', { 'user-api-key': 'hello' }, 'user_api_key_malformed'],
    [
      'a sealed payload',
      { 'user-api-key': Buffer.alloc(256, 7).toString('base64') },
      'user_api_key_is_payload',
    ],
    ['an unknown API key', { 'api-key': 'f'.repeat(64), 'api-username': 'sam' }, 'api_key_invalid'],
  ]
  for (const [name, headers, reason] of wrongKeys) {
    test(`refuses ${name} by its own reason, on public routes too`, async () => {
      const response = await site.request('/user-api-key/new.json', { headers })
      assert.equal(response.status, 403)
      const body = await response.json()
      assert.deepEqual([body.reason, body.error_type], [reason, 'invalid_access'])
    })
  }

  test('tells which header takes which key', async () => {
    const key = await site.approvedKey({ client_id: 'mixed up' })
    const asApiKey = await site.request('/session/current.json', {
      headers: { 'api-key': key, 'api-username': 'sam' },
    })
    assert.equal((await asApiKey.json()).reason, 'user_api_key_sent_as_api_key')
    assert.equal((await call(site.adminApiKey)).reason, 'api_key_sent_as_user_api_key')
  })

  test('asks an API key for all users whom it acts for', async () => {
    const response = await site.request('/session/current.json', { headers: { 'api-key': site.adminApiKey } })
    assert.equal((await response.json()).reason, 'api_key_identity_missing')
  })

  test('names the scopes that a route needs and those that the key has', async () => {
    const key = await site.approvedKey({ scopes: 'notifications', client_id: 'narrow' })
    const response = await site.request('/session/current.json', { headers: { 'user-api-key': key } })
    const body = await response.json()
    assert.equal(body.reason, 'scope_insufficient')
    assert.match(body.message, /session_info, read, write/)
    assert.match(body.message, /notifications/)
  })

  test('takes an empty client id header for none', async () => {
    const key = await site.approvedKey({ client_id: 'headers' })
    const headers = { 'user-api-key': key, 'user-api-client-id': '' }
    assert.equal((await site.request('/session/current.json', { headers })).status, 200)
  })

  test('refuses the keys of a suspended or deactivated user at once, and takes them again afterwards', async () => {
    const key = await site.approvedKey({ client_id: 'owner' })
    const put = (verb: string, form: Record<string, string> = {}): Promise<Response> =>
      site.asAdmin(`/admin/users/${site.user.id}/${verb}.json`, { method: 'PUT', form })
    assert.equal((await call(key)).status, 200)
    await put('suspend', { suspend_until: '2030-01-01', reason: 'test' })
    assert.deepEqual(await call(key), { status: 403, reason: 'owner_suspended' })
    await put('unsuspend')
    assert.equal((await call(key)).status, 200)
    await put('deactivate')
    assert.deepEqual(await call(key), { status: 403, reason: 'owner_inactive' })
    await put('activate')
    assert.equal((await call(key)).status, 200)
  })

  test('reads nothing from the store for a key seen before, and writes last use in batches', async () => {
    const key = await site.approvedKey({ client_id: 'warm' })
    const id = await keyId('warm')
    await call(key)
    site.advance(10)
    const before = await site.store.userApiKeys.findById(id)
    const { findByHashWithAccount } = site.store.userApiKeys
    Object.assign(site.store.userApiKeys, { findByHashWithAccount: () => assert.fail('the store was read') })
    try {
      await call(key)
    } finally {
      Object.assign(site.store.userApiKeys, { findByHashWithAccount })
    }
    await site.hallpass.close()
    const flushed = await site.store.userApiKeys.findById(id)
    assert.ok(
      before && flushed && flushed.lastUsedAt === site.now() && before.lastUsedAt < flushed.lastUsedAt,
    )
  })
})
