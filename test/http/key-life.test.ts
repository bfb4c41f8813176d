/** The life of a key, state by state (protocol §8.1 to §8.4). */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { UserApiKeyRecord } from '../../src/domain/store.ts'
import { createTestSite, type TestSite } from '../test-site.ts'

let site: TestSite
beforeEach(async () => {
  site = await createTestSite({ pinnedSettings: { disable_rate_limits: 'true' } })
})
afterEach(() => site.close())

describe('a user API key', () => {
  test('works until the second it expires, and is refused from then on', async () => {
    const key = await site.approvedKey({ expires_in_seconds: '60' })
    site.advance(59.999)
    assert.equal(await outcomeOf(key), 200)
    site.advance(0.001)
    assert.equal(await outcomeOf(key), 'user_api_key_expired')
  })

  test('that has expired cannot revoke itself, and is not revived by undoing', async () => {
    const key = await site.approvedKey({ expires_in_seconds: '60' })
    const { id, expiresAt } = await record('client-1')
    site.advance(60)
    assert.equal(await post('/user-api-key/revoke.json', key), 'user_api_key_expired')
    const sam = await site.signedIn()
    await sam.post('/user-api-key/revoke.json', { id: String(id) })
    assert.equal((await sam.post('/user-api-key/undo-revoke.json', { id: String(id) })).status, 200)
    assert.equal((await record('client-1')).expiresAt, expiresAt)
    assert.equal(await outcomeOf(key), 'user_api_key_expired')
  })

  test('that is asked for again replaces the one of the same user and client, and no one else’s', async () => {
    const [first, admins] = [await site.approvedKey(), await site.approvedKey({}, 'admin')]
    const second = await site.approvedKey()
    assert.equal(await outcomeOf(first), 'user_api_key_invalid')
    assert.deepEqual([await outcomeOf(second), await outcomeOf(admins)], [200, 200])
  })

  test('is last used when it was made, and then at each request that it is good for', async () => {
    const made = site.now()
    const key = await site.approvedKey()
    assert.equal((await record('client-1')).lastUsedAt, made)
    site.advance(100)
    await outcomeOf(key)
    // What is still in memory is written before a job decides by it.
    await site.hallpass.jobs.run('revoke-unused-user-api-keys')
    assert.equal((await record('client-1')).lastUsedAt, made + 100_000)
    site.advance(100)
    assert.equal(await post('/user-api-key/undo-revoke.json', key), 'scope_insufficient')
    await site.hallpass.jobs.run('revoke-unused-user-api-keys')
    assert.equal((await record('client-1')).lastUsedAt, made + 100_000)
  })
})

describe('POST /user-api-key/undo-revoke', () => {
  test('is open to a key with write, and not to one without', async () => {
    const key = await site.approvedKey({ client_id: 'revoked' })
    await post('/user-api-key/revoke.json', key)
    const { id } = await record('revoked')
    const reader = await site.approvedKey({ client_id: 'reader', scopes: 'read' })
    assert.equal(
      await post('/user-api-key/undo-revoke.json', reader, { id: String(id) }),
      'scope_insufficient',
    )
    const writer = await site.approvedKey({ client_id: 'writer', scopes: 'write' })
    assert.equal(await post('/user-api-key/undo-revoke.json', writer, { id: String(id) }), 200)
    assert.equal(await outcomeOf(key), 200)
  })

  test('needs to be told which key, and one that is there', async () => {
    const writer = await site.approvedKey({ client_id: 'writer', scopes: 'write' })
    assert.equal(await post('/user-api-key/undo-revoke.json', writer), 'not_found')
    assert.equal(await post('/user-api-key/undo-revoke.json', writer, { id: '999' }), 'not_found')
  })

  test('restores nobody else’s key, except for an administrator', async () => {
    const key = await site.approvedKey({ client_id: 'admins' }, 'admin')
    await post('/user-api-key/revoke.json', key)
    const [admins] = await site.store.userApiKeys.listByUser(site.admin.id)
    const id = String(admins?.id)
    const sam = await site.signedIn('sam')
    const refused = await sam.post('/user-api-key/undo-revoke.json', { id })
    assert.equal(((await refused.json()) as { reason: string }).reason, 'not_permitted')
    const own = await site.approvedKey({ client_id: 'sams' })
    await post('/user-api-key/revoke.json', own)
    const form = { id: String((await record('sams')).id) }
    assert.equal((await site.asAdmin('/user-api-key/undo-revoke.json', { form })).status, 200)
    assert.equal(await outcomeOf(own), 200)
  })
})

describe('POST /user-api-key/revoke', () => {
  test('with its own id is open to a key of any scope; with another, to one with write of the same user', async () => {
    const pusher = await site.approvedKey({ client_id: 'pusher', scopes: 'push' })
    const own = { id: String((await record('pusher')).id) }
    assert.equal(await post('/user-api-key/revoke.json', pusher, own), 200)
    await site.approvedKey({ client_id: 'victim' })
    const writer = await site.approvedKey({ client_id: 'writer', scopes: 'write' })
    const other = { id: String((await record('victim')).id) }
    assert.equal(await post('/user-api-key/revoke.json', writer, other), 200)
    assert.notEqual((await record('victim')).revokedAt, null)
    const admins = await site.approvedKey({ client_id: 'admins' }, 'admin')
    const [theirs] = await site.store.userApiKeys.listByUser(site.admin.id)
    assert.equal(await post('/user-api-key/revoke.json', writer, { id: String(theirs?.id) }), 'not_permitted')
    assert.equal(await outcomeOf(admins), 200)
  })
})

async function outcomeOf(key: string): Promise<string | 200> {
  return answerOf(await site.request('/session/current.json', { headers: { 'user-api-key': key } }))
}

async function post(path: string, key: string, form: Record<string, string> = {}): Promise<string | 200> {
  return answerOf(await site.request(path, { method: 'POST', form, headers: { 'user-api-key': key } }))
}

async function answerOf(response: Response): Promise<string | 200> {
  return response.status === 200 ? 200 : ((await response.json()) as { reason: string }).reason
}

async function record(clientId: string): Promise<UserApiKeyRecord> {
  const keys = await site.store.userApiKeys.listByUser(site.user.id)
  const key = keys.find(({ client }) => client.clientId === clientId)
  assert.ok(key)
  return key
}
