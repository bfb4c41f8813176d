import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { auditEntry, auditHash } from '../../src/domain/audit.ts'
import { systemActor } from '../../src/domain/events.ts'

const event = {
  type: 'user_api_key_revoked',
  keyId: 7,
  keyHash: 'secret',
  userId: '1',
  clientId: 'c',
} as const

describe('auditEntry', () => {
  test('chains each entry to the one before', () => {
    const first = auditEntry(undefined, systemActor, event, 1000)
    const second = auditEntry(first, systemActor, event, 2000)
    assert.deepEqual([first.sequence, second.sequence], [1, 2])
    assert.equal(first.previousHash, '0'.repeat(64))
    assert.equal(second.previousHash, first.hash)
    assert.notEqual(first.hash, second.hash)
  })

  test('covers every field, so that whoever changes a line breaks the chain', () => {
    const entry = auditEntry(undefined, { userId: '1', via: 'session', address: '127.0.0.1' }, event, 1000)
    const { hash, ...covered } = entry
    assert.equal(auditHash(covered), hash)
    for (const [name, value] of Object.entries(covered)) {
      const changed = { ...covered, [name]: typeof value === 'number' ? value + 1 : `${value}x` }
      assert.notEqual(auditHash(changed), hash, name)
    }
  })

  test('leaves the hash of a key out of the log', () => {
    assert.doesNotMatch(JSON.stringify(auditEntry(undefined, systemActor, event, 0)), /secret/)
  })

  // The log is never changed, so that a secret in it could not be taken back.
  test('says that a secret setting was changed, and not from what to what', () => {
    const change = { type: 'setting_changed', name: 'push_api_secret_key', from: '', to: 'sesame' } as const
    const { details } = auditEntry(undefined, systemActor, change, 0)
    assert.deepEqual(JSON.parse(details), { name: 'push_api_secret_key', from: '', to: '(secret)' })
    const open = auditEntry(undefined, systemActor, { ...change, name: 'title' }, 0)
    assert.deepEqual(JSON.parse(open.details), { name: 'title', from: '', to: 'sesame' })
  })
})
