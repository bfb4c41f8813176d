import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { User } from '../../src/domain/user.ts'
import { KeyCache, type KnownKey } from '../../src/verify/key-cache.ts'

function known(userId: string): KnownKey {
  const owner = { id: userId } as User
  return {
    kind: 'api_key',
    key: { id: 1 } as Extract<KnownKey, { kind: 'api_key' }>['key'],
    owner,
    ownerReadAt: 0,
    decide: () => ({ outcome: 'allowed' }),
    permitsAddress: () => true,
  }
}

const revoked = { type: 'user_api_key_revoked', keyId: 1, keyHash: 'a', userId: '1', clientId: 'c' } as const

describe('KeyCache', () => {
  test('drops a key that an event is about', () => {
    const cache = new KeyCache()
    cache.put('a', known('1'), cache.generation)
    cache.apply(revoked)
    assert.equal(cache.get('a'), undefined)
  })

  test('does not take in what was read before a change: the key may be the one that was revoked since', () => {
    const cache = new KeyCache()
    const readAt = cache.generation
    cache.apply(revoked)
    cache.put('a', known('1'), readAt)
    assert.equal(cache.get('a'), undefined)
  })

  test('drops all keys of a user who was changed, and no other', () => {
    const cache = new KeyCache()
    for (const [hash, userId] of [
      ['a', '1'],
      ['b', '1'],
      ['c', '2'],
    ] as const) {
      cache.put(hash, known(userId), cache.generation)
    }
    cache.apply({ type: 'user_changed', userId: '1', change: 'suspend' })
    assert.deepEqual(
      ['a', 'b', 'c'].map((hash) => cache.get(hash) !== undefined),
      [false, false, true],
    )
  })

  test('keeps the keys that were used last when it is full', () => {
    const cache = new KeyCache({ capacity: () => 2 })
    cache.put('a', known('1'), cache.generation)
    cache.put('b', known('1'), cache.generation)
    cache.get('a')
    cache.put('c', known('1'), cache.generation)
    assert.deepEqual(
      ['a', 'b', 'c'].map((hash) => cache.get(hash) !== undefined),
      [true, false, true],
    )
  })
})
