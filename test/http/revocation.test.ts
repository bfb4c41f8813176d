import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { createTestSite, siteUrl, type TestSite } from '../test-site.ts'

let site: TestSite
beforeEach(async () => {
  site = await createTestSite()
})
afterEach(() => site.close())

function revoke(form: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
  return site.request('/oauth/revoke', { form, headers })
}

async function reasonWith(key: string): Promise<unknown> {
  const response = await site.request('/session/current.json', { headers: { 'user-api-key': key } })
  return response.status === 200 ? 'accepted' : (await response.json()).reason
}

async function revocations() {
  const entries = await site.store.audit.list({ limit: 50 })
  return entries.filter(({ action }) => action === 'user_api_key_revoked')
}

describe('POST /oauth/revoke', () => {
  for (const scopes of ['read', 'session_info', 'push']) {
    test(`revokes the key in its body, here one with the scope ${scopes}`, async () => {
      const key = await site.approvedKey({ scopes })
      const response = await revoke({ token: key, token_type_hint: 'access_token', client_id: 'client-1' })
      assert.equal(response.status, 200)
      assert.equal(await response.text(), '')
      assert.match(response.headers.get('cache-control') ?? '', /no-store/)
      assert.equal(await reasonWith(key), 'user_api_key_revoked')
    })
  }

  test('is audited, once, as the doing of the key’s owner', async () => {
    const key = await site.approvedKey()
    await Promise.all([revoke({ token: key }), revoke({ token: key })])
    await revoke({ token: key })
    const [entry, ...others] = await revocations()
    assert.deepEqual(others, [])
    assert.deepEqual(
      [entry?.actorUserId, entry?.actorVia, entry?.actorAddress],
      [site.user.id, 'user_api_key', '127.0.0.1'],
    )
    assert.ok(!JSON.stringify(entry).includes(key))
  })

  test('answers alike for a token that is unknown, revoked or none, and changes nothing', async () => {
    const key = await site.approvedKey()
    const first = await revoke({ token: key })
    for (const token of [key, '0'.repeat(32), 'eyJhbGciOi.x.y', 'f'.repeat(60_000)]) {
      const response = await revoke({ token })
      assert.deepEqual([response.status, await response.text()], [200, ''])
      assert.deepEqual([...response.headers], [...first.headers])
    }
    assert.equal((await revocations()).length, 1)
  })

  test('needs nothing but the key: what else stands in the headers does not count', async () => {
    const key = await site.approvedKey({ scopes: 'push' })
    const response = await revoke({ token: key }, { authorization: `Bearer ${key}`, 'api-key': 'wrong' })
    assert.equal(response.status, 200)
    assert.equal(await reasonWith(key), 'user_api_key_revoked')
  })

  test('leaves the owner’s other keys alone', async () => {
    const other = await site.approvedKey({ client_id: 'other' })
    await revoke({ token: await site.approvedKey() })
    assert.equal(await reasonWith(other), 'accepted')
  })

  test('can be undone by the owner, like any revocation', async () => {
    const key = await site.approvedKey()
    await revoke({ token: key })
    const [record] = await site.store.userApiKeys.listByUser(site.user.id)
    const visitor = await site.signedIn()
    await visitor.post('/user-api-key/undo-revoke.json', { id: String(record?.id) })
    assert.equal(await reasonWith(key), 'accepted')
  })

  const bad: readonly (readonly [string, Record<string, string>, string, string])[] = [
    ['without a token', {}, 'invalid_request', 'parameters_missing'],
    ['with a blank token', { token: ' ' }, 'invalid_request', 'parameters_missing'],
    ['of an API key’s form', { token: 'f'.repeat(64) }, 'unsupported_token_type', 'token_type_unsupported'],
  ]
  for (const [what, form, error, reason] of bad) {
    test(`refuses a request ${what}`, async () => {
      const response = await revoke(form)
      const body = (await response.json()) as Record<string, unknown>
      assert.deepEqual([response.status, body.error, body.reason], [400, error, reason])
    })
  }

  test('refuses API keys by their form, so that it tells nobody which there are', async () => {
    const [real, made] = await Promise.all([
      revoke({ token: site.adminApiKey }),
      revoke({ token: 'f'.repeat(64) }),
    ])
    assert.deepEqual(await real?.json(), await made?.json())
    assert.equal((await site.asAdmin('/admin/api/keys.json')).status, 200)
  })

  test('takes no token from the address', async () => {
    const key = await site.approvedKey()
    assert.equal((await site.request(`/oauth/revoke?token=${key}`, { method: 'POST' })).status, 400)
    assert.equal(await reasonWith(key), 'accepted')
  })

  test('counts against the address', async () => {
    const form = { max_reqs_per_ip_per_minute: '2' }
    await site.asAdmin('/admin/site_settings/max_reqs_per_ip_per_minute.json', { method: 'PUT', form })
    const statuses: number[] = []
    for (let count = 0; count < 3; count += 1) statuses.push((await revoke({ token: 'x' })).status)
    assert.deepEqual(statuses, [200, 200, 429])
  })

  test('leaves its path to the application when the setting says so', async () => {
    const form = { enable_oauth_revocation: 'false' }
    await site.asAdmin('/admin/site_settings/enable_oauth_revocation.json', { method: 'PUT', form })
    const request = new Request(`${siteUrl}/oauth/revoke`, { method: 'POST' })
    assert.equal(await site.hallpass.handle(request), undefined)
  })
})
