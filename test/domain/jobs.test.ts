/** The rules of protocol §8.6, at their borders, through the jobs as an administrator runs them. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { hallpassJobs } from '../../src/domain/jobs.ts'
import type { ClientRecord, UserApiKeyRecord } from '../../src/domain/store.ts'
import type { Database } from '../../src/storage/database.ts'
import type { HallpassTables } from '../../src/storage/schema.ts'
import { createStore } from '../../src/storage/store.ts'
import { apiKey, hash } from '../../src/testing/store-contract/samples.ts'
import { openTestDatabase } from '../test-database.ts'
import { createTestSite, type TestSite } from '../test-site.ts'

const dayMs = 86_400_000

let site: TestSite
let database: Database
beforeEach(async () => {
  database = await openTestDatabase()
  site = await createTestSite({ store: await createStore(database) })
})
afterEach(() => site.close())

describe('every job', () => {
  for (const { name } of hallpassJobs) {
    test(`${name} finds nothing to do on a new site`, async () => {
      assert.match(
        await run(name),
        /^(0 (keys|clients) (revoked|deleted)|0 (sessions and requests|pushes) deleted|0 keys made, 0 deleted|turned off: \w+ is 0)$/,
      )
      assert.deepEqual(await actionsBy('system'), baseline)
    })
  }
})

interface Rule {
  readonly job: string
  readonly setting: string
  /** The time that the days are counted from. */
  readonly from: 'lastUsedAt' | 'createdAt'
  readonly cause: string
}

const userKeyRules: readonly Rule[] = [
  {
    job: 'revoke-unused-user-api-keys',
    setting: 'revoke_user_api_keys_unused_days',
    from: 'lastUsedAt',
    cause: 'unused',
  },
  {
    job: 'revoke-old-user-api-keys',
    setting: 'revoke_user_api_keys_maxlife_days',
    from: 'createdAt',
    cause: 'maximum_life',
  },
]

for (const { job, setting, from, cause } of userKeyRules) {
  describe(job, () => {
    test('revokes a key whose time is more than the days ago, and not one whose is exactly that', async () => {
      await set(setting, '10')
      const border = site.now() - 10 * dayMs
      const over = await insertKey('a', { [from]: border - 1 })
      const exact = await insertKey('b', { [from]: border })
      assert.equal(await run(job), '1 key revoked')
      assert.equal((await keyOf(over.id)).revokedAt, site.now())
      assert.equal((await keyOf(exact.id)).revokedAt, null)
      site.advance(0.001)
      assert.equal(await run(job), '1 key revoked')
    })

    test('does nothing when the setting is 0', async () => {
      await set(setting, '0')
      const old = await insertKey('a', { [from]: 0 })
      assert.equal(await run(job), `turned off: ${setting} is 0`)
      assert.equal((await keyOf(old.id)).revokedAt, null)
    })

    test('leaves revoked and expired keys as they are', async () => {
      await set(setting, '10')
      const revoked = await insertKey('a', { [from]: 0 })
      await site.store.userApiKeys.setRevokedAt(revoked.id, 5)
      const expired = await insertKey('b', { [from]: 0, expiresAt: site.now() })
      const expiring = await insertKey('c', { [from]: 0, expiresAt: site.now() + 1 })
      assert.equal(await run(job), '1 key revoked')
      assert.equal((await keyOf(revoked.id)).revokedAt, 5)
      assert.equal((await keyOf(expired.id)).revokedAt, null)
      assert.equal((await keyOf(expiring.id)).revokedAt, site.now())
    })

    test('is audited, key by key, as the system’s own doing', async () => {
      await set(setting, '10')
      const key = await insertKey('a', { [from]: 0 })
      await run(job)
      const entry = (await site.store.audit.list({ limit: 1 }))[0]
      assert.equal(entry?.action, 'user_api_key_revoked')
      assert.deepEqual([entry.actorUserId, entry.actorVia], [null, 'system'])
      assert.deepEqual(JSON.parse(entry.details), {
        cause,
        keyId: key.id,
        userId: '2',
        clientId: 'made-by-hand',
      })
    })
  })
}

describe('revoke-unused-user-api-keys', () => {
  // What an attacker would gain: a key that goes on working from memory after it was revoked.
  test('a key in memory is refused from the next request on', async () => {
    const key = await site.approvedKey()
    const ask = () => site.request('/session/current.json', { headers: { 'user-api-key': key } })
    assert.equal((await ask()).status, 200)
    site.advance(181 * 86_400)
    // A use that is not written yet counts: the key was used a day ago, whatever the database says.
    assert.equal((await ask()).status, 200)
    assert.equal(await run('revoke-unused-user-api-keys'), '0 keys revoked')
    site.advance(181 * 86_400)
    assert.equal(await run('revoke-unused-user-api-keys'), '1 key revoked')
    const refused = await ask()
    assert.equal(((await refused.json()) as { reason: string }).reason, 'user_api_key_revoked')
  })

  test('works through more keys than a batch holds, expired ones among them', async () => {
    const client = await site.store.clients.insert({
      clientId: 'many',
      applicationName: 'Many',
      createdAt: 0,
    })
    await site.store.transaction(async (session) => {
      for (let index = 0; index < 1001; index += 1) {
        await session.userApiKeys.insert({
          userId: '2',
          clientRowId: client.id,
          keyHash: String(index).padStart(64, '0'),
          scopes: [],
          pushUrl: null,
          // Many of one time, so that pages must go on within it.
          createdAt: Math.floor(index / 450),
          expiresAt: index < 300 ? 1 : null,
        })
      }
    })
    assert.equal(await run('revoke-unused-user-api-keys'), '701 keys revoked')
    const keys = await site.store.userApiKeys.listByUser('2')
    assert.equal(keys.filter(({ revokedAt }) => revokedAt !== null).length, 701)
    assert.equal(
      (await actionsBy('system')).filter((action) => action === 'user_api_key_revoked').length,
      701,
    )
  })
})

describe('revoke-unused-api-keys', () => {
  const border = () => site.now() - 180 * dayMs
  const job = 'revoke-unused-api-keys'

  /** What the latest of a key's times is; the others are long ago. */
  const latest: Readonly<Record<string, (at: number) => Promise<number>>> = {
    'its making': (at) => insertApiKey('a', at),
    'its last use': async (at) => {
      const id = await insertApiKey('a', 0)
      await site.store.apiKeys.touch([{ id, lastUsedAt: at, count: 1 }])
      return id
    },
    'its last change': async (at) => {
      const id = await insertApiKey('a', 0)
      await site.store.apiKeys.setRevokedAt(id, null, at)
      return id
    },
    'the epoch of recording': async (at) => {
      await set('api_key_last_used_epoch', new Date(at).toISOString())
      return insertApiKey('a', 0)
    },
  }
  for (const [name, insert] of Object.entries(latest)) {
    test(`counts from ${name} when that is the latest`, async () => {
      const id = await insert(border())
      assert.equal(await run(job), '0 keys revoked')
      site.advance(0.001)
      assert.equal(await run(job), '1 key revoked')
      assert.equal((await site.store.apiKeys.findById(id))?.revokedAt, site.now())
    })
  }

  test('revokes for all callers at once, and is audited', async () => {
    const { text, record } = await site.hallpass.createApiKey({
      user: undefined,
      description: 'idle',
      route: 'current',
    })
    const ask = () =>
      site.request('/session/current.json', { headers: { 'api-key': text, 'api-username': 'sam' } })
    assert.equal((await ask()).status, 200)
    site.advance(181 * 86_400)
    // With it goes the key of the site's own administrator, which nobody used either.
    assert.equal(await run(job), '2 keys revoked')
    const refused = await ask()
    assert.equal(((await refused.json()) as { reason: string }).reason, 'api_key_revoked')
    const entry = (await site.store.audit.list({ limit: 1 }))[0]
    assert.equal(entry?.action, 'api_key_revoked')
    assert.deepEqual(JSON.parse(entry.details), { cause: 'unused', apiKeyId: record.id, userId: null })
  })

  test('does nothing when the setting is 0', async () => {
    await set('revoke_api_keys_unused_days', '0')
    await insertApiKey('a', 0)
    assert.equal(await run(job), 'turned off: revoke_api_keys_unused_days is 0')
  })

  test('works through more keys than a batch holds', async () => {
    await site.store.transaction(async (session) => {
      for (let index = 0; index < 450; index += 1) {
        const key = await session.apiKeys.insert(
          apiKey({ keyHash: String(index).padStart(64, '0'), createdAt: Math.floor(index / 250) }),
        )
        if (index < 220) await session.apiKeys.touch([{ id: key.id, lastUsedAt: site.now(), count: 1 }])
      }
    })
    assert.equal(await run(job), '230 keys revoked')
  })
})

describe('revoke-old-api-keys', () => {
  test('revokes a key made more than the days ago, however much it is used', async () => {
    await set('revoke_api_keys_maxlife_days', '10')
    const border = site.now() - 10 * dayMs
    const [over, exact] = [await insertApiKey('a', border - 1), await insertApiKey('b', border)]
    await site.store.apiKeys.touch([{ id: over, lastUsedAt: site.now(), count: 1 }])
    assert.equal(await run('revoke-old-api-keys'), '1 key revoked')
    assert.equal((await site.store.apiKeys.findById(over))?.revokedAt, site.now())
    assert.equal((await site.store.apiKeys.findById(exact))?.revokedAt, null)
  })
})

describe('delete-unused-clients', () => {
  const job = 'delete-unused-clients'
  const border = () => site.now() - 30 * dayMs

  test('deletes a registered client made more than the days ago, and spares one made exactly then', async () => {
    await registeredClient('over', border() - 1)
    await registeredClient('exact', border())
    assert.equal(await run(job), '1 client deleted')
    assert.equal(await site.store.clients.findByClientId('over'), undefined)
    assert.notEqual(await site.store.clients.findByClientId('exact'), undefined)
  })

  test('spares a client one of whose keys was used within the days, and deletes it after that with all its keys', async () => {
    const client = await registeredClient('used', 0)
    await insertKey('a', { client, lastUsedAt: border() })
    const idle = await insertKey('b', { client, lastUsedAt: 0 })
    assert.equal(await run(job), '0 clients deleted')
    site.advance(0.001)
    assert.equal(await run(job), '1 client deleted, with 2 keys')
    assert.equal(await site.store.userApiKeys.findById(idle.id), undefined)
    const actions = await actionsBy('system')
    assert.deepEqual(actions.slice(-3), ['user_api_key_deleted', 'user_api_key_deleted', 'client_deleted'])
  })

  test('never deletes a client that is not registered', async () => {
    await insertKey('a', { lastUsedAt: 0 })
    assert.equal(await run(job), '0 clients deleted')
    assert.notEqual(await site.store.clients.findByClientId('made-by-hand'), undefined)
  })

  test('does nothing when the setting is 0', async () => {
    await set('unused_registered_user_api_key_clients_days', '0')
    await registeredClient('over', 0)
    assert.equal(await run(job), 'turned off: unused_registered_user_api_key_clients_days is 0')
  })

  test('deletes several clients, and one with more keys than a batch holds', async () => {
    const client = await registeredClient('large', 0)
    await site.store.transaction(async (session) => {
      for (let index = 0; index < 405; index += 1) {
        await session.userApiKeys.insert({
          userId: String(index),
          clientRowId: client.id,
          keyHash: String(index).padStart(64, '0'),
          scopes: [{ name: 'read', allowedParameters: null }],
          pushUrl: null,
          createdAt: 0,
          expiresAt: null,
        })
      }
    })
    await registeredClient('small', 1)
    assert.equal(await run(job), '2 clients deleted, with 405 keys')
  })

  test('the key of a deleted client, in memory until then, is refused', async () => {
    const key = await site.approvedKey()
    const ask = () => site.request('/session/current.json', { headers: { 'user-api-key': key } })
    assert.equal((await ask()).status, 200)
    const [{ client }] = (await site.store.userApiKeys.listByUser('2')) as [UserApiKeyRecord]
    await registeredClient(client.clientId, 0)
    site.advance(31 * 86_400)
    assert.equal(await run(job), '1 client deleted, with 1 key')
    const refused = await ask()
    assert.equal(((await refused.json()) as { reason: string }).reason, 'user_api_key_invalid')
  })
})

describe('delete-expired', () => {
  test('deletes what is over, in batches, and nothing else', async () => {
    await site.store.transaction(async (session) => {
      for (let index = 0; index < 405; index += 1) {
        const tokenHash = String(index).padStart(64, '0')
        await session.sessions.insert({ tokenHash, userId: '1', createdAt: 0, expiresAt: site.now() })
      }
    })
    const going = { tokenHash: hash('a'), userId: '1', createdAt: 0, expiresAt: site.now() + 1 }
    await site.store.sessions.insert(going)
    assert.equal(await run('delete-expired'), '405 sessions and requests deleted')
    assert.deepEqual(await site.store.sessions.find(hash('a')), going)
  })
})

/** Runs a job by hand, and answers with what it says. */
async function run(name: string): Promise<string> {
  const answer = await site.hallpass.jobs.run(name)
  assert.equal(answer.outcome, 'ran')
  assert.equal(answer.job.outcome, 'succeeded', answer.job.summary)
  return answer.job.summary
}

async function set(setting: string, value: string): Promise<void> {
  const path = `/admin/site_settings/${setting}.json`
  const response = await site.asAdmin(path, { method: 'PUT', form: { [setting]: value } })
  assert.equal(response.status, 200)
}

/** What the system did of its own accord, in order; a new site's accounts and key, and the run, are part of it. */
const baseline = ['user_created', 'user_created', 'api_key_created', 'job_run_asked_for']
async function actionsBy(via: string): Promise<readonly string[]> {
  const entries = await site.store.audit.list({ limit: 5000 })
  return entries
    .filter(({ actorVia }) => actorVia === via)
    .map(({ action }) => action)
    .reverse()
}

/** Registers a client, known or not, as if long ago. */
async function registeredClient(clientId: string, createdAt: number): Promise<ClientRecord> {
  const known = await site.store.clients.findByClientId(clientId)
  if (!known) await site.store.clients.insert({ clientId, applicationName: 'Registered', createdAt })
  await database
    .tables<HallpassTables>()
    .updateTable('user_api_key_clients')
    .set({ auth_redirect: 'https://app.example.com/callback', created_at: createdAt })
    .where('client_id', '=', clientId)
    .execute()
  const client = await site.store.clients.findByClientId(clientId)
  assert.ok(client)
  return client
}

async function insertKey(
  letter: string,
  given: {
    readonly client?: ClientRecord
    readonly createdAt?: number
    readonly lastUsedAt?: number
    readonly expiresAt?: number
  },
): Promise<UserApiKeyRecord> {
  const client =
    given.client ??
    (await site.store.clients.findByClientId('made-by-hand')) ??
    (await site.store.clients.insert({ clientId: 'made-by-hand', applicationName: 'By hand', createdAt: 0 }))
  const { id } = await site.store.userApiKeys.insert({
    userId: '2',
    clientRowId: client.id,
    keyHash: hash(letter),
    scopes: [{ name: 'read', allowedParameters: null }],
    pushUrl: null,
    createdAt: given.createdAt ?? 0,
    expiresAt: given.expiresAt ?? null,
  })
  // A key's last use starts at its making; for the rule about its age it is as recent as can be.
  await site.store.userApiKeys.touch([{ id, lastUsedAt: given.lastUsedAt ?? site.now(), count: 1 }])
  return keyOf(id)
}

async function keyOf(id: number): Promise<UserApiKeyRecord> {
  const key = await site.store.userApiKeys.findById(id)
  assert.ok(key)
  return key
}

async function insertApiKey(letter: string, createdAt: number): Promise<number> {
  return (await site.store.apiKeys.insert(apiKey({ keyHash: hash(letter), createdAt }))).id
}
