import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, beforeEach, describe, test } from 'node:test'
import type { UserApiKeyRecord } from '../../src/domain/store.ts'
import { createTestSite, siteUrl, type TestSite } from '../test-site.ts'

let site: TestSite
beforeEach(async () => {
  await site?.close()
  site = await createTestSite({ random: { bytes: (length) => new Uint8Array(randomBytes(length)) } })
})
after(() => site.close())

async function call(key: string, clientId: string): Promise<{ status: number; reason?: string }> {
  const headers = { 'user-api-key': key, 'user-api-client-id': clientId }
  const response = await site.request('/session/current.json', { headers })
  const { reason } = (await response.json()) as { reason?: string }
  return { status: response.status, ...(reason === undefined ? {} : { reason }) }
}

async function clientsOf(userId = site.user.id): Promise<readonly UserApiKeyRecord['client'][]> {
  return (await site.store.userApiKeys.listByUser(userId)).map(({ client }) => client)
}

async function changes(): Promise<readonly (string | undefined)[]> {
  const entries = await site.store.audit.list({ limit: 100 }, { action: 'user_api_key_client_changed' })
  return entries.map(({ details }) => (JSON.parse(details) as { from?: string }).from)
}

describe('the User-Api-Client-Id header', () => {
  test('moves the key to a client of that id, made with the app’s name and nothing else', async () => {
    const key = await site.approvedKey({ client_id: 'old', application_name: 'An app' })
    assert.equal((await call(key, 'new')).status, 200)
    assert.deepEqual(await site.store.clients.findByClientId('new'), {
      id: (await clientsOf())[0]?.id,
      clientId: 'new',
      applicationName: 'An app',
      publicKey: null,
      authRedirect: null,
      registeredScopes: [],
      createdAt: site.now(),
    })
    const [entry] = await site.store.audit.list({ limit: 1 })
    assert.deepEqual(
      [entry?.action, entry?.actorVia, entry?.actorUserId, entry?.actorAddress],
      ['user_api_key_client_changed', 'user_api_key', site.user.id, '127.0.0.1'],
    )
    const { keyId, ...details } = JSON.parse(entry?.details ?? '{}') as Record<string, unknown>
    assert.deepEqual(details, { userId: site.user.id, clientId: 'new', from: 'old' })
  })

  test('is seen in the identity of the very request that changes it, and of the next', async () => {
    const key = await site.approvedKey({ client_id: 'old' })
    const ask = async (headers: Record<string, string>): Promise<string | undefined> => {
      const request = new Request(`${siteUrl}/orders`, { headers: { 'user-api-key': key, ...headers } })
      const answer = await site.hallpass.authenticate(request)
      return answer.outcome === 'authenticated' && answer.identity.via === 'user_api_key'
        ? answer.identity.key.clientId
        : undefined
    }
    assert.deepEqual(
      [await ask({}), await ask({ 'user-api-client-id': 'new' }), await ask({})],
      ['old', 'new', 'new'],
    )
  })

  for (const [name, clientId, sent] of [
    ['that is empty', 'old', ''],
    ['that is blank', 'old', '  '],
    ['that names the key’s own client', 'old', 'old'],
    ['that cannot carry the line feed of the client’s id', 'host\n', 'host'],
    ['in UTF-8', 'Müllers Laptop', Buffer.from('Müllers Laptop').toString('latin1')],
  ] as const) {
    test(`changes nothing ${name}`, async () => {
      const key = await site.approvedKey({ client_id: clientId })
      assert.equal((await call(key, sent)).status, 200)
      assert.deepEqual(await changes(), [])
    })
  }

  test('re-uses a client that nobody else has, and leaves the user’s other key of it alone', async () => {
    const one = await site.approvedKey({ client_id: 'one' })
    const two = await site.approvedKey({ client_id: 'two' })
    assert.equal((await call(one, 'two')).status, 200)
    assert.deepEqual(
      (await clientsOf()).map(({ clientId }) => clientId),
      ['two', 'two'],
    )
    assert.deepEqual([(await call(one, '')).status, (await call(two, '')).status], [200, 200])
    const three = await site.approvedKey({ client_id: 'two' })
    assert.deepEqual(
      [(await call(one, '')).reason, (await call(two, '')).reason, (await call(three, '')).status],
      ['user_api_key_invalid', 'user_api_key_invalid', 200],
    )
  })

  test('goes back and forth without making a client twice', async () => {
    const key = await site.approvedKey({ client_id: 'one' })
    for (const id of ['two', 'one', 'two']) assert.equal((await call(key, id)).status, 200)
    assert.deepEqual(await changes(), ['one', 'two', 'one'])
  })

  test('is refused for a client of which somebody else has keys; the key works on without', async () => {
    await site.approvedKey({ client_id: 'theirs' }, 'admin')
    const key = await site.approvedKey({ client_id: 'mine' })
    assert.deepEqual(await call(key, 'theirs'), { status: 403, reason: 'client_change_refused' })
    assert.equal((await call(key, '')).status, 200)
    assert.deepEqual(await changes(), [])
  })

  test('is refused for an id that is too long', async () => {
    const key = await site.approvedKey()
    assert.equal((await call(key, 'x'.repeat(1000))).status, 200)
    assert.deepEqual(await call(key, 'x'.repeat(1001)), { status: 400, reason: 'parameter_too_long' })
  })

  test('is refused after so many changes a day, so that one key cannot fill the store', async () => {
    const name = 'max_user_api_key_client_changes_per_day'
    await site.asAdmin(`/admin/site_settings/${name}.json`, { method: 'PUT', form: { [name]: '2' } })
    const key = await site.approvedKey({ client_id: 'a' })
    assert.deepEqual([(await call(key, 'b')).status, (await call(key, 'c')).status], [200, 200])
    assert.deepEqual(await call(key, 'd'), { status: 429, reason: 'rate_limited' })
    assert.equal(await site.store.clients.findByClientId('d'), undefined)
    assert.equal((await call(key, 'c')).status, 200)
  })

  test('changes nothing when the request is refused for another reason', async () => {
    const key = await site.approvedKey({ client_id: 'old', scopes: 'notifications' })
    assert.equal((await call(key, 'new')).reason, 'scope_insufficient')
    assert.equal(await site.store.clients.findByClientId('new'), undefined)
  })

  test('of many requests at once makes one client and one change, and refuses none', async () => {
    const key = await site.approvedKey({ client_id: 'old' })
    const answers = await Promise.all(Array.from({ length: 40 }, () => call(key, 'new')))
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
    assert.deepEqual(await changes(), ['old'])
  })

  test('of two users who want one new id at once lets the first have it', async () => {
    const mine = await site.approvedKey({ client_id: 'mine' })
    const theirs = await site.approvedKey({ client_id: 'theirs' }, 'admin')
    const answers = await Promise.all([call(mine, 'new'), call(theirs, 'new')])
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 403])
  })
})
