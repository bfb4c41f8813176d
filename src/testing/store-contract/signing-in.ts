import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { OneTimePasswordRecord, ParkedRequestRecord, SessionRecord } from '../../domain/store.ts'
import { account, hash, now } from './samples.ts'
import { assertTaken, type OpenStore, storeTest } from './store-test.ts'

function session(letter: string, change: Partial<SessionRecord> = {}): SessionRecord {
  return { tokenHash: hash(letter), userId: '1', createdAt: now, expiresAt: now + 1000, ...change }
}

function parked(id: string, change: Partial<ParkedRequestRecord> = {}): ParkedRequestRecord {
  return {
    id,
    parameters: {
      application_name: 'An “App” 🎟',
      scopes: 'read,write',
      public_key: '-----BEGIN\n…',
      empty: '',
    },
    createdAt: now,
    expiresAt: now + 1000,
    ...change,
  }
}

function oneTimePassword(letter: string, change: Partial<OneTimePasswordRecord> = {}): OneTimePasswordRecord {
  return {
    tokenHash: hash(letter),
    userId: '1',
    username: 'Zoë',
    createdAt: now,
    expiresAt: now + 1000,
    ...change,
  }
}

/** Sessions, parked requests, one-time passwords, what is deleted when its time is over, and the settings. */
export function signingInContract(openStore: OpenStore): void {
  const test = storeTest(openStore)

  describe('external accounts', () => {
    test('lead to the account that stands for them, and only once', async (store) => {
      const { id } = await store.accounts.insert(account())
      const subject = { provider: 'openid-connect https://id.test', subject: 'auth0|ü' }
      assert.equal(await store.externalAccounts.findAccountId(subject), undefined)
      await store.externalAccounts.insert(subject, id, now)
      assert.equal(await store.externalAccounts.findAccountId(subject), id)
      assert.equal(await store.externalAccounts.findAccountId({ ...subject, provider: 'other' }), undefined)
      await assertTaken('external_account', store.externalAccounts.insert(subject, id, now))
    })

    test('are kept by the longest ids that services may give', async (store) => {
      const { id } = await store.accounts.insert(account())
      const longest = {
        provider: `openid-connect https://id.test/${'p'.repeat(255)}`,
        subject: '€'.repeat(255),
      }
      await store.externalAccounts.insert(longest, id, now)
      assert.equal(await store.externalAccounts.findAccountId(longest), id)
    })
  })

  describe('sessions', () => {
    test('a session is found until it is deleted', async (store) => {
      await store.sessions.insert(session('a'))
      await store.sessions.insert(session('b'))
      assert.deepEqual(await store.sessions.find(hash('a')), session('a'))
      await store.sessions.delete(hash('a'))
      assert.equal(await store.sessions.find(hash('a')), undefined)
      assert.deepEqual(await store.sessions.find(hash('b')), session('b'))
      await store.sessions.delete(hash('a'))
    })

    test('refuses a token that is taken', async (store) => {
      await store.sessions.insert(session('a'))
      await assertTaken('token_hash', store.sessions.insert(session('a', { userId: '2' })))
      assert.deepEqual(await store.sessions.find(hash('a')), session('a'))
    })

    test('extending changes when it ends, of that session alone', async (store) => {
      await store.sessions.insert(session('a'))
      await store.sessions.insert(session('b'))
      await store.sessions.extend(hash('a'), now + 5000)
      assert.deepEqual(await store.sessions.find(hash('a')), session('a', { expiresAt: now + 5000 }))
      assert.deepEqual(await store.sessions.find(hash('b')), session('b'))
    })

    test('deleting by user deletes all of theirs and nobody else’s', async (store) => {
      await store.sessions.insert(session('a'))
      await store.sessions.insert(session('b'))
      await store.sessions.insert(session('c', { userId: '2' }))
      await store.sessions.deleteByUser('1')
      assert.equal(await store.sessions.find(hash('a')), undefined)
      assert.equal(await store.sessions.find(hash('b')), undefined)
      assert.notEqual(await store.sessions.find(hash('c')), undefined)
    })
  })

  describe('parked requests', () => {
    test('a request is found as it came, until it is deleted', async (store) => {
      await store.parkedRequests.insert(parked('one'))
      await store.parkedRequests.insert(parked('two', { parameters: {} }))
      assert.deepEqual(await store.parkedRequests.find('one'), parked('one'))
      assert.deepEqual(await store.parkedRequests.take('one'), parked('one'))
      assert.equal(await store.parkedRequests.find('one'), undefined)
      assert.equal(await store.parkedRequests.take('one'), undefined)
      assert.deepEqual(await store.parkedRequests.find('two'), parked('two', { parameters: {} }))
    })

    test('refuses an id that is taken', async (store) => {
      await store.parkedRequests.insert(parked('one'))
      await assertTaken('request_id', store.parkedRequests.insert(parked('one', { parameters: {} })))
      assert.deepEqual(await store.parkedRequests.find('one'), parked('one'))
    })
  })

  describe('one-time passwords', () => {
    test('one is found as it was made, until it is taken', async (store) => {
      await store.oneTimePasswords.insert(oneTimePassword('a'))
      await store.oneTimePasswords.insert(oneTimePassword('b'))
      assert.deepEqual(await store.oneTimePasswords.find(hash('a')), oneTimePassword('a'))
      assert.equal(await store.oneTimePasswords.take(hash('a'), now), true)
      assert.equal(await store.oneTimePasswords.find(hash('a')), undefined)
      assert.deepEqual(await store.oneTimePasswords.find(hash('b')), oneTimePassword('b'))
    })

    test('of many who take one at once, one gets it', async (store) => {
      await store.oneTimePasswords.insert(oneTimePassword('a'))
      const takes = Array.from({ length: 10 }, () => store.oneTimePasswords.take(hash('a'), now))
      assert.equal((await Promise.all(takes)).filter(Boolean).length, 1)
    })

    test('one whose time is over, or that was never made, is not taken', async (store) => {
      await store.oneTimePasswords.insert(oneTimePassword('a'))
      assert.equal(await store.oneTimePasswords.take(hash('a'), now + 1000), false)
      assert.equal(await store.oneTimePasswords.take(hash('b'), now), false)
      assert.equal(await store.oneTimePasswords.take(hash('a'), now + 999), true)
    })

    test('refuses a token that is taken', async (store) => {
      await store.oneTimePasswords.insert(oneTimePassword('a'))
      await assertTaken('token_hash', store.oneTimePasswords.insert(oneTimePassword('a', { userId: '2' })))
      assert.deepEqual(await store.oneTimePasswords.find(hash('a')), oneTimePassword('a'))
    })
  })

  describe('deleteExpired', () => {
    test('deletes the sessions, parked requests and one-time passwords whose time is over, and no others', async (store) => {
      const expiries = { past: now - 1, over: now, going: now + 1 }
      for (const [name, expiresAt] of Object.entries(expiries)) {
        await store.sessions.insert(session(name.charAt(0), { expiresAt }))
        await store.parkedRequests.insert(parked(name, { expiresAt }))
        await store.oneTimePasswords.insert(oneTimePassword(name.charAt(0), { expiresAt }))
      }
      await store.deleteExpired(now, 100)
      for (const [name, isThere] of Object.entries({ past: false, over: false, going: true })) {
        assert.equal((await store.sessions.find(hash(name.charAt(0)))) !== undefined, isThere)
        assert.equal((await store.parkedRequests.find(name)) !== undefined, isThere)
        assert.equal((await store.oneTimePasswords.find(hash(name.charAt(0)))) !== undefined, isThere)
      }
    })
  })

  describe('settings', () => {
    test('what was put is there, once for each name, as it was put last', async (store) => {
      assert.deepEqual(await store.settings.all(), [])
      await store.settings.put({ name: 'one', value: 'true', updatedAt: now })
      await store.settings.put({ name: 'two', value: '', updatedAt: now })
      await store.settings.put({ name: 'one', value: 'a|b', updatedAt: now + 1 })
      const all = [...(await store.settings.all())].sort((a, b) => a.name.localeCompare(b.name))
      assert.deepEqual(all, [
        { name: 'one', value: 'a|b', updatedAt: now + 1 },
        { name: 'two', value: '', updatedAt: now },
      ])
    })
  })
}
