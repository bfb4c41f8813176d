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

  test('answers for no key while it is not trusted, and for all of them again afterwards', () => {
    let isTrusted = true
    const cache = new KeyCache({ isTrusted: () => isTrusted })
    cache.put('a', known('1'), cache.generation)
    isTrusted = false
    assert.equal(cache.get('a'), undefined)
    assert.equal(cache.isKnown('a'), true)
    isTrusted = true
    assert.notEqual(cache.get('a'), undefined)
  })

  test('forgets what another process changed, and nothing else', () => {
    const cache = new KeyCache()
    for (const [hash, userId] of [
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
    ] as const) {
      cache.put(hash, known(userId), cache.generation)
    }
    cache.forget({ kind: 'key', value: 'a' })
    cache.forget({ kind: 'user', value: '2' })
    cache.forget({ kind: 'settings', value: '' })
    assert.deepEqual(
      ['a', 'b', 'c'].map((hash) => cache.get(hash) !== undefined),
      [false, false, true],
    )
  })

  test('a user’s key that is put in after a change of the user is kept', () => {
    const cache = new KeyCache()
    cache.put('a', known('1'), cache.generation)
    cache.forget({ kind: 'user', value: '1' })
    cache.put('b', known('1'), cache.generation)
    assert.deepEqual([cache.get('a') !== undefined, cache.get('b') !== undefined], [false, true])
    cache.forget({ kind: 'user', value: '1' })
    assert.equal(cache.get('b'), undefined)
  })

  test('never holds more than its capacity, also when that is lowered', () => {
    let capacity = 200
    const cache = new KeyCache({ capacity: () => capacity })
    const held = () =>
      Array.from({ length: 401 }, (_, index) => String(index)).filter((hash) => cache.get(hash)).length
    for (let index = 0; index < 400; index += 1) {
      cache.put(String(index), known(String(index)), cache.generation)
      cache.get(String(index))
    }
    assert.equal(held(), 200)
    capacity = 10
    cache.put('400', known('400'), cache.generation)
    assert.equal(held(), 10)
  })

  test('drops the keys of a changed client, also of many, and keeps those read since', () => {
    const ofClient = (clientId: string) =>
      ({ ...known('1'), kind: 'user_api_key', key: { client: { clientId } } }) as unknown as KnownKey
    const cache = new KeyCache()
    cache.put('a', ofClient('app'), cache.generation)
    cache.put('b', ofClient('other'), cache.generation)
    cache.forget({ kind: 'client', value: 'app' })
    assert.deepEqual([cache.get('a') !== undefined, cache.get('b') !== undefined], [false, true])
    cache.put('a', ofClient('app'), cache.generation)
    assert.notEqual(cache.get('a'), undefined)
    cache.forget({ kind: 'client', value: 'app' })
    for (let index = 0; index < 2000; index += 1) cache.forget({ kind: 'client', value: String(index) })
    assert.deepEqual([cache.get('a') !== undefined, cache.get('b') !== undefined], [false, true])
  })
})
