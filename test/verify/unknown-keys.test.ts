import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { UnknownKeys } from '../../src/verify/unknown-keys.ts'

function unknownKeys() {
  const at = { now: 1_800_000_000_000, isTrusted: true }
  return { at, keys: new UnknownKeys({ now: () => at.now }, () => at.isTrusted) }
}

const issued = {
  type: 'user_api_key_issued',
  scopes: [],
  keyId: 1,
  keyHash: 'a',
  userId: '1',
  clientId: 'c',
} as const

describe('UnknownKeys', () => {
  test('remembers for five seconds', () => {
    const { keys, at } = unknownKeys()
    keys.add('a')
    at.now += 4999
    assert.equal(keys.has('a'), true)
    at.now += 1
    assert.equal(keys.has('a'), false)
  })

  test('does not go by a clock that was set back', () => {
    const { keys, at } = unknownKeys()
    keys.add('a')
    at.now -= 1
    assert.equal(keys.has('a'), false)
  })

  test('forgets a key at once that this process issues, or that another tells of', () => {
    const { keys } = unknownKeys()
    keys.add('a')
    keys.apply(issued)
    assert.equal(keys.has('a'), false)
    keys.add('a')
    keys.forget({ kind: 'key', value: 'a' })
    assert.equal(keys.has('a'), false)
  })

  test('answers for no key while nobody knows what others do', () => {
    const { keys, at } = unknownKeys()
    keys.add('a')
    at.isTrusted = false
    assert.equal(keys.has('a'), false)
  })

  test('keeps ten thousand, the last that were looked up', () => {
    const { keys } = unknownKeys()
    for (let index = 0; index <= 10_000; index += 1) keys.add(String(index))
    assert.deepEqual([keys.has('0'), keys.has('1'), keys.has('10000')], [false, true, true])
  })
})
