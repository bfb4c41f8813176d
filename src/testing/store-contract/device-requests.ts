import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { DeviceApprovalRecord, DeviceRequestRecord, NewDeviceRequest } from '../../domain/store.ts'
import { hash, now } from './samples.ts'
import { assertTaken, type OpenStore, storeTest } from './store-test.ts'

function request(letter: string, change: Partial<NewDeviceRequest> = {}): NewDeviceRequest {
  return {
    deviceCodeHash: hash(letter),
    userCodeHash: `user ${letter}`,
    requestTokenHash: `token ${letter}`,
    delivery: 'sealed',
    parameters: { application_name: 'An “App” 🎟', scopes: 'read', public_key: '-----BEGIN\n…' },
    keyExpiresAt: null,
    createdAt: now,
    expiresAt: now + 1000,
    ...change,
  }
}

function pending(letter: string, change: Partial<DeviceRequestRecord> = {}): DeviceRequestRecord {
  return { ...request(letter), status: 'pending', userId: null, payload: null, ...change }
}

function approval(letter: string, change: Partial<DeviceApprovalRecord> = {}): DeviceApprovalRecord {
  return {
    tokenHash: hash(letter),
    sessionHash: 'session 1',
    userId: '1',
    deviceCodeHash: hash('a'),
    createdAt: now,
    ...change,
  }
}

/** The requests of the device flow, and what lets a session decide on them. */
export function deviceRequestsContract(openStore: OpenStore): void {
  const test = storeTest(openStore)

  describe('device requests', () => {
    test('a request is found by each of its codes, as it came', async (store) => {
      const keyExpiresAt = now + 86_400_000
      await store.deviceRequests.insert(request('a', { keyExpiresAt }))
      await store.deviceRequests.insert(request('b'))
      const expected = pending('a', { keyExpiresAt })
      assert.deepEqual(await store.deviceRequests.find(hash('a')), expected)
      assert.deepEqual(await store.deviceRequests.findByUserCode('user a'), expected)
      assert.deepEqual(await store.deviceRequests.findByRequestToken('token a'), expected)
      assert.equal(await store.deviceRequests.find(hash('c')), undefined)
    })

    test('refuses each code that is taken', async (store) => {
      await store.deviceRequests.insert(request('a'))
      const taken: Partial<NewDeviceRequest>[] = [
        { deviceCodeHash: hash('a') },
        { userCodeHash: 'user a' },
        { requestTokenHash: 'token a' },
      ]
      for (const change of taken) {
        await assertTaken('device_request', store.deviceRequests.insert(request('b', change)))
      }
      assert.equal(await store.deviceRequests.find(hash('b')), undefined)
    })

    test('binding ties a request to the first user, who may do it again, and to no other', async (store) => {
      await store.deviceRequests.insert(request('a'))
      assert.equal(await store.deviceRequests.bind(hash('a'), '1', now), true)
      assert.equal(await store.deviceRequests.bind(hash('a'), '1', now), true)
      assert.equal(await store.deviceRequests.bind(hash('a'), '2', now), false)
      assert.deepEqual(await store.deviceRequests.find(hash('a')), pending('a', { userId: '1' }))
      assert.equal(await store.deviceRequests.bind(hash('a'), '1', now + 1000), false)
    })

    test('authorizing takes the codes away and keeps the payload until its time', async (store) => {
      await store.deviceRequests.insert(request('a'))
      const change = { payload: 'sealed', expiresAt: now + 60, now }
      assert.equal(await store.deviceRequests.authorize(hash('a'), '1', change), false)
      await store.deviceRequests.bind(hash('a'), '1', now)
      assert.equal(await store.deviceRequests.authorize(hash('a'), '2', change), false)
      assert.equal(
        await store.deviceRequests.authorize(hash('a'), '1', { ...change, now: now + 1000 }),
        false,
      )
      const attempts = [1, 2, 3].map(() => store.deviceRequests.authorize(hash('a'), '1', change))
      assert.deepEqual((await Promise.all(attempts)).sort(), [false, false, true])
      const expected = pending('a', {
        status: 'authorized',
        userId: '1',
        payload: 'sealed',
        expiresAt: now + 60,
        userCodeHash: null,
        requestTokenHash: null,
      })
      assert.deepEqual(await store.deviceRequests.find(hash('a')), expected)
      assert.equal(await store.deviceRequests.deny(hash('a'), '1', now), false)
    })

    test('several requests may have no codes any more', async (store) => {
      for (const letter of ['a', 'b']) {
        await store.deviceRequests.insert(request(letter))
        await store.deviceRequests.bind(hash(letter), '1', now)
        const change = { payload: letter, expiresAt: now + 60, now }
        assert.equal(await store.deviceRequests.authorize(hash(letter), '1', change), true)
      }
    })

    test('denying is for the user of a pending request', async (store) => {
      await store.deviceRequests.insert(request('a'))
      assert.equal(await store.deviceRequests.deny(hash('a'), '1', now), false)
      await store.deviceRequests.bind(hash('a'), '1', now)
      assert.equal(await store.deviceRequests.deny(hash('a'), '2', now), false)
      assert.equal(await store.deviceRequests.deny(hash('a'), '1', now), true)
      assert.equal(await store.deviceRequests.deny(hash('a'), '1', now), false)
      assert.equal((await store.deviceRequests.find(hash('a')))?.status, 'denied')
    })

    test('an approval without a payload waits for its poll', async (store) => {
      await store.deviceRequests.insert(request('a', { delivery: 'open' }))
      await store.deviceRequests.bind(hash('a'), '1', now)
      const change = { payload: null, expiresAt: now + 60, now }
      assert.equal(await store.deviceRequests.authorize(hash('a'), '1', change), true)
      const taken = await store.deviceRequests.take(hash('a'), now)
      assert.equal(taken?.delivery, 'open')
      assert.equal(taken.userId, '1')
      assert.equal(taken.payload, null)
    })

    test('one of those who ask at once gets the request, and it is gone', async (store) => {
      await store.deviceRequests.insert(request('a'))
      assert.equal(await store.deviceRequests.take(hash('a'), now), undefined)
      await store.deviceRequests.bind(hash('a'), '1', now)
      const change = { payload: 'sealed', expiresAt: now + 60, now }
      await store.deviceRequests.authorize(hash('a'), '1', change)
      assert.equal(await store.deviceRequests.take(hash('a'), now + 60), undefined)
      const taken = await Promise.all([1, 2, 3].map(() => store.deviceRequests.take(hash('a'), now)))
      const [one, ...others] = taken.filter((request) => request !== undefined)
      assert.equal(one?.payload, 'sealed')
      assert.equal(others.length, 0)
      assert.equal(await store.deviceRequests.find(hash('a')), undefined)
    })

    test('those whose time is over are deleted, with their approvals', async (store) => {
      await store.deviceRequests.insert(request('a', { expiresAt: now }))
      await store.deviceRequests.insert(request('b', { expiresAt: now + 1 }))
      await store.deviceApprovals.insert(approval('a'), 10)
      await store.deviceApprovals.insert(approval('b', { deviceCodeHash: hash('b') }), 10)
      await store.deleteExpired(now, 100)
      assert.equal(await store.deviceRequests.find(hash('a')), undefined)
      assert.equal(await store.deviceApprovals.find(hash('a')), undefined)
      assert.notEqual(await store.deviceRequests.find(hash('b')), undefined)
      assert.notEqual(await store.deviceApprovals.find(hash('b')), undefined)
    })
  })

  describe('device approvals', () => {
    test('an approval is found as it came', async (store) => {
      await store.deviceRequests.insert(request('a'))
      await store.deviceApprovals.insert(approval('a'), 10)
      assert.deepEqual(await store.deviceApprovals.find(hash('a')), approval('a'))
      await assertTaken('token_hash', store.deviceApprovals.insert(approval('a'), 10))
    })

    test('a session keeps its newest, and loses nobody else’s', async (store) => {
      await store.deviceRequests.insert(request('a'))
      await store.deviceApprovals.insert(approval('z', { sessionHash: 'session 2' }), 2)
      for (const letter of ['a', 'b', 'c']) await store.deviceApprovals.insert(approval(letter), 2)
      assert.equal(await store.deviceApprovals.find(hash('a')), undefined)
      for (const letter of ['b', 'c', 'z']) {
        assert.notEqual(await store.deviceApprovals.find(hash(letter)), undefined)
      }
    })
  })
}
