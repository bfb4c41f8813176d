import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { type Store, StoreUnavailable } from '../../src/domain/store.ts'
import { createHallpass } from '../../src/server/create-hallpass.ts'
import { openSqliteStore } from '../../src/storage/open-store.ts'
import { createTestSite, siteUrl, type TestSite } from '../test-site.ts'

/** A store that counts what it is asked, and whose answers can be held back. */
function counted(store: Store) {
  const asked: string[] = []
  const held: { by: Promise<void> | undefined } = { by: undefined }
  const part = (name: string, inner: object): unknown =>
    new Proxy(inner, {
      get: (target, method: string) => {
        const found: unknown = Reflect.get(target, method)
        if (typeof found !== 'function') return found
        return async (...given: unknown[]) => {
          asked.push(`${name}.${method}`)
          const answer: unknown = await Reflect.apply(found, target, given)
          await held.by
          return answer
        }
      },
    })
  const proxy = new Proxy(store, {
    get(target, name: string) {
      const found: unknown = Reflect.get(target, name)
      return name === 'userApiKeys' || name === 'apiKeys' || name === 'accounts'
        ? part(name, found as object)
        : typeof found === 'function'
          ? found.bind(target)
          : found
    },
  })
  return { store: proxy, asked, held }
}

interface CountedSite extends TestSite {
  readonly asked: string[]
  readonly held: { by: Promise<void> | undefined }
  authenticate(headers: Record<string, string>, address?: string): Promise<string>
}

async function countedSite(t: TestContext, settings: Record<string, string> = {}): Promise<CountedSite> {
  const { store, asked, held } = counted(await openSqliteStore({ path: ':memory:' }))
  const site = await createTestSite({
    store,
    hearOthers: settings.revocation_bound_ms !== undefined,
    flushIntervalMs: 0,
    pinnedSettings: {
      max_reqs_per_ip_per_minute: '100000',
      max_reqs_per_ip_per_10_seconds: '100000',
      max_user_api_reqs_per_minute: '100000',
      max_admin_api_reqs_per_minute: '100000',
      ...settings,
    },
  })
  t.after(() => site.close())
  return Object.assign(site, {
    asked,
    held,
    async authenticate(headers: Record<string, string>, address = '192.0.2.1') {
      const request = new Request(`${siteUrl}/orders`, { headers })
      const found = await site.hallpass.authenticate(request, { connection: { remoteAddress: address } })
      return found.outcome === 'refused' ? found.refusal.reason : found.outcome
    },
  })
}

/** API keys that another process has issued, and this one has not heard of. */
async function keysIssuedElsewhere({ store, user }: TestSite, count: number): Promise<string[]> {
  const other = await createHallpass({ store, hearOthers: false, timers: { after: () => () => {} } })
  const keys: string[] = []
  for (let index = 0; index < count; index += 1) {
    keys.push((await other.createApiKey({ user, description: '', route: 'current' })).text)
  }
  await other.close()
  return keys
}

const wrong = (index: number): string => index.toString(16).padStart(32, '0')

describe('a key not seen before', () => {
  test('costs one read, for the key, its client, its scopes and its owner', async (t) => {
    const site = await countedSite(t)
    const key = await site.approvedKey()
    site.asked.length = 0
    assert.equal(await site.authenticate({ 'user-api-key': key }), 'authenticated')
    assert.deepEqual(site.asked, ['userApiKeys.findByHashWithAccount'])
  })

  test('costs one read for an API key too', async (t) => {
    const site = await countedSite(t)
    const { text } = await site.hallpass.createApiKey({ user: site.user, description: '', route: 'current' })
    site.asked.length = 0
    assert.equal(await site.authenticate({ 'api-key': text }), 'authenticated')
    assert.deepEqual(site.asked, ['apiKeys.findByHashWithAccount'])
  })

  test('costs one read for all requests that come together', async (t) => {
    const site = await countedSite(t)
    const key = await site.approvedKey()
    site.asked.length = 0
    const late = Promise.withResolvers<void>()
    site.held.by = late.promise
    const all = Array.from({ length: 100 }, () => site.authenticate({ 'user-api-key': key }))
    late.resolve()
    assert.deepEqual(new Set(await Promise.all(all)), new Set(['authenticated']))
    assert.deepEqual(site.asked, ['userApiKeys.findByHashWithAccount'])
  })

  // What an attacker would gain: a revoked key that works once more, on a read that began before its revocation.
  test('is not told by a read that began before a change', async (t) => {
    const site = await countedSite(t)
    const key = await site.approvedKey({ scopes: 'write' })
    const [record] = await site.store.userApiKeys.listByUser(site.user.id)
    assert.ok(record)
    const late = Promise.withResolvers<void>()
    site.held.by = late.promise
    const before = site.authenticate({ 'user-api-key': key })
    await new Promise((resolve) => setImmediate(resolve))
    site.held.by = undefined
    const revoked = await site.asAdmin('/user-api-key/revoke.json', {
      method: 'POST',
      form: { id: String(record.id) },
    })
    assert.equal(revoked.status, 200)
    assert.equal(await site.authenticate({ 'user-api-key': key }), 'user_api_key_revoked')
    late.resolve()
    await before
    assert.equal(await site.authenticate({ 'user-api-key': key }), 'user_api_key_revoked')
  })
})

describe('an answer about a key that comes too late to be believed', () => {
  const boundMs = 500

  /** Asks about a key so that the answer comes after the bound, the first time or every time; with how often it was asked. */
  async function late(t: TestContext, isAlways: boolean): Promise<readonly [reason: string, asked: number]> {
    const site = await countedSite(t, { revocation_bound_ms: `${boundMs}` })
    const key = await site.approvedKey()
    site.asked.length = 0
    const beyond = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, boundMs + 20))
    Object.defineProperty(site.held, 'by', {
      get: () => (isAlways || site.asked.length === 1 ? beyond() : undefined),
    })
    return [await site.authenticate({ 'user-api-key': key }), site.asked.length]
  }

  // Else a process that stood still for a moment refuses a good key, though its database was there.
  test('is asked for once more', async (t) => {
    assert.deepEqual(await late(t, false), ['authenticated', 2])
  })

  test('is no answer the second time', async (t) => {
    await assert.rejects(late(t, true), StoreUnavailable)
  })
})

describe('a key that does not exist', () => {
  test('costs a look for each kind once in five seconds, however often it comes', async (t) => {
    const site = await countedSite(t)
    site.asked.length = 0
    for (let time = 0; time < 50; time += 1) {
      assert.equal(await site.authenticate({ 'user-api-key': wrong(1) }), 'user_api_key_invalid')
    }
    assert.deepEqual(site.asked, ['userApiKeys.findByHashWithAccount', 'apiKeys.findByHashWithAccount'])
    site.advance(5)
    await site.authenticate({ 'user-api-key': wrong(1) })
    assert.equal(site.asked.length, 4)
  })

  test('works at once when it is made', async (t) => {
    const site = await countedSite(t)
    const text = 'ab'.repeat(32)
    const headers = { 'api-key': text, 'api-username': 'sam' }
    assert.equal(await site.authenticate(headers), 'api_key_invalid')
    await site.hallpass.createApiKey({ user: undefined, description: '', route: 'bootstrap', text })
    assert.equal(await site.authenticate(headers), 'authenticated')
  })

  test('is refused as what it is when it was sent in the place of the other kind, from memory too', async (t) => {
    const site = await countedSite(t)
    const key = await site.approvedKey()
    for (let time = 0; time < 2; time += 1) {
      assert.equal(await site.authenticate({ 'api-key': key }), 'user_api_key_sent_as_api_key')
    }
    site.asked.length = 0
    await site.authenticate({ 'api-key': key })
    assert.deepEqual(site.asked, [])
  })
})

describe('an address that guesses keys', () => {
  const limit = { max_unknown_keys_per_ip_per_minute: '5' }

  test('is refused without a look once it has guessed too often, and after a minute guesses on', async (t) => {
    const site = await countedSite(t, limit)
    for (let index = 0; index < 5; index += 1) {
      assert.equal(await site.authenticate({ 'user-api-key': wrong(index) }), 'user_api_key_invalid')
    }
    site.asked.length = 0
    assert.equal(await site.authenticate({ 'user-api-key': wrong(6) }), 'rate_limited')
    assert.equal(await site.authenticate({ 'api-key': wrong(7) }), 'rate_limited')
    assert.deepEqual(site.asked, [])
    assert.equal(
      await site.authenticate({ 'user-api-key': wrong(6) }, '198.51.100.1'),
      'user_api_key_invalid',
    )
    site.advance(60)
    assert.equal(await site.authenticate({ 'user-api-key': wrong(6) }), 'user_api_key_invalid')
  })

  test('is told with 429 which limit it was and how long to wait', async (t) => {
    const site = await countedSite(t, { max_unknown_keys_per_ip_per_minute: '1' })
    const connection = { remoteAddress: '192.0.2.1' }
    const ask = (index: number) =>
      site.hallpass.fetch(
        new Request(`${siteUrl}/session/current.json`, { headers: { 'user-api-key': wrong(index) } }),
        connection,
      )
    await ask(0)
    const refused = await ask(1)
    assert.equal(refused.status, 429)
    assert.equal(refused.headers.get('retry-after'), '60')
    assert.match(
      ((await refused.json()) as { message: string }).message,
      /max_unknown_keys_per_ip_per_minute/,
    )
  })

  test('locks out no key in memory, and spends nothing with good keys or with one wrong key', async (t) => {
    const site = await countedSite(t, limit)
    const good = await site.approvedKey()
    for (let time = 0; time < 20; time += 1) {
      await site.authenticate({ 'user-api-key': wrong(0) })
      assert.equal(await site.authenticate({ 'user-api-key': good }), 'authenticated')
    }
    for (let index = 1; index < 9; index += 1) await site.authenticate({ 'user-api-key': wrong(index) })
    assert.equal(await site.authenticate({ 'user-api-key': wrong(9) }), 'rate_limited')
    assert.equal(await site.authenticate({ 'user-api-key': good }), 'authenticated')
  })

  test('locks out no key that was just issued or changed, nor one whose owner was', async (t) => {
    const site = await countedSite(t, limit)
    const old = await site.approvedKey()
    assert.equal(await site.authenticate({ 'user-api-key': old }), 'authenticated')
    for (let index = 0; index < 5; index += 1) await site.authenticate({ 'user-api-key': wrong(index) })
    await site.hallpass.userChanged(site.user.id)
    assert.equal(await site.authenticate({ 'user-api-key': old }), 'authenticated')
    const issued = await site.hallpass.createApiKey({ user: site.user, description: '', route: 'current' })
    assert.equal(await site.authenticate({ 'api-key': issued.text }), 'authenticated')
    assert.equal(await site.authenticate({ 'user-api-key': wrong(9) }), 'rate_limited')
  })

  // What an attacker would gain: more guesses a minute by asking them all at once.
  test('has no more looked up by asking at once', async (t) => {
    const site = await countedSite(t, limit)
    site.asked.length = 0
    const late = Promise.withResolvers<void>()
    site.held.by = late.promise
    const all = Array.from({ length: 50 }, (_, index) => site.authenticate({ 'api-key': wrong(index) }))
    late.resolve()
    const outcomes = await Promise.all(all)
    assert.equal(outcomes.filter((outcome) => outcome === 'rate_limited').length, 45)
    assert.equal(site.asked.filter((method) => method.startsWith('apiKeys')).length, 5)
  })

  test('does not hinder good keys that come at once, and are in no memory', async (t) => {
    const site = await countedSite(t, { max_unknown_keys_per_ip_per_minute: '2' })
    const keys = await keysIssuedElsewhere(site, 20)
    const all = keys.map((key) => site.authenticate({ 'api-key': key }))
    assert.deepEqual(new Set(await Promise.all(all)), new Set(['authenticated']))
  })

  test('lets nobody wait for others once the store has failed', async (t) => {
    const site = await countedSite(t, limit)
    const late = Promise.withResolvers<void>()
    site.held.by = late.promise
    const all = Array.from({ length: 50 }, (_, index) => site.authenticate({ 'api-key': wrong(index) }))
    late.promise.catch(() => {})
    site.asked.length = 0
    while (site.asked.length < 5) await new Promise((resolve) => setImmediate(resolve))
    late.reject(new StoreUnavailable('away'))
    // The test site throws what is reported, which is the first of them.
    const outcomes = (await Promise.allSettled(all)).map((one) => one.status === 'fulfilled' && one.value)
    assert.deepEqual(new Set(outcomes.slice(1)), new Set(['store_unavailable']))
    assert.equal(site.asked.length, 5)
  })

  // What an attacker would gain: to learn of a guess, by how it is refused, that it is right.
  test('is refused alike for keys that exist and are not in memory', async (t) => {
    const site = await countedSite(t, limit)
    const [cold = ''] = await keysIssuedElsewhere(site, 1)
    for (let index = 0; index < 5; index += 1) await site.authenticate({ 'user-api-key': wrong(index) })
    assert.equal(await site.authenticate({ 'api-key': cold }), 'rate_limited')
    assert.equal(await site.authenticate({ 'api-key': cold }, '198.51.100.1'), 'authenticated')
    assert.equal(await site.authenticate({ 'api-key': cold }), 'authenticated')
  })
})

describe('the cache’s size', () => {
  test('is what the setting says, from the next key on', async (t) => {
    const site = await countedSite(t, { key_cache_size: '100' })
    const keys: string[] = []
    for (let index = 0; index < 101; index += 1) {
      const { text } = await site.hallpass.createApiKey({
        user: site.user,
        description: '',
        route: 'current',
      })
      keys.push(text)
      await site.authenticate({ 'api-key': text })
    }
    site.asked.length = 0
    await site.authenticate({ 'api-key': String(keys[100]) })
    assert.deepEqual(site.asked, [])
    await site.authenticate({ 'api-key': String(keys[0]) })
    assert.equal(site.asked.length, 1)
  })
})
