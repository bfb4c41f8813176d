import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { AuditFilter, AuditRecord } from '../../domain/store.ts'
import { auditRecord, hash, now } from './samples.ts'
import { assertTaken, type OpenStore, storeTest } from './store-test.ts'

export function auditContract(openStore: OpenStore): void {
  describe('the audit log', () => {
    const test = storeTest(openStore)

    const whole = { from: 1, before: 1000, limit: 10 }

    test('an empty log has no last entry', async (store) => {
      assert.equal(await store.audit.last(), undefined)
      assert.deepEqual(await store.audit.list(whole), [])
      assert.deepEqual(await store.audit.listAfter(0, 10), [])
    })

    test('the last entry is the one with the highest number, as it was appended', async (store) => {
      const system = {
        actorUserId: null,
        actorVia: 'system',
        actorAddress: null,
        traceId: null,
        details: '{"a":"“ü”"}',
      }
      await store.audit.append(auditRecord(1))
      await store.audit.append(auditRecord(2, system))
      assert.deepEqual(await store.audit.last(), auditRecord(2, system))
    })

    test('lists newest first below a number, and oldest first above one', async (store) => {
      for (let sequence = 1; sequence <= 12; sequence += 1) {
        await store.audit.append(auditRecord(sequence, { hash: hash('f'), previousHash: hash('e') }))
      }
      const newest = async (from: number, before: number) =>
        numbersOf(await store.audit.list({ from, before, limit: 3 }))
      assert.deepEqual(await newest(1, 13), [12, 11, 10])
      assert.deepEqual(await newest(1, 10), [9, 8, 7])
      assert.deepEqual(await newest(9, 11), [10, 9])
      assert.deepEqual(await newest(1, 1), [])
      assert.deepEqual(numbersOf(await store.audit.listAfter(0, 3)), [1, 2, 3])
      assert.deepEqual(numbersOf(await store.audit.listAfter(10, 3)), [11, 12])
    })

    test('lists those that fit every part of a filter', async (store) => {
      const byKey = { actorVia: 'user_api_key', actorUserId: '10' }
      await store.audit.append(auditRecord(1, { details: '{"userId":"1","clientId":"a_b"}' }))
      await store.audit.append(auditRecord(2, { ...byKey, details: '{"clientId":"a%b\\\\\\"c","keyId":7}' }))
      await store.audit.append(auditRecord(3, { action: 'signed_in', details: '{"keyId":71,"userId":"11"}' }))
      const fitting = async (filter: AuditFilter) => numbersOf(await store.audit.list(whole, filter))
      assert.deepEqual(await fitting({}), [3, 2, 1])
      assert.deepEqual(await fitting({ action: 'signed_in' }), [3])
      assert.deepEqual(await fitting({ actorUserId: '1' }), [3, 1])
      assert.deepEqual(await fitting({ actorVia: 'user_api_key' }), [2])
      assert.deepEqual(await fitting({ since: now + 2, until: now + 3 }), [2])
      assert.deepEqual(await fitting({ details: { userId: '1' } }), [1])
      assert.deepEqual(await fitting({ details: { keyId: 7 } }), [2])
      assert.deepEqual(await fitting({ details: { keyId: '7' } }), [])
      assert.deepEqual(await fitting({ details: { clientId: 'a_b' } }), [1])
      assert.deepEqual(await fitting({ details: { clientId: 'a%b\\"c' } }), [2])
      assert.deepEqual(await fitting({ details: { clientId: 'a%' } }), [])
      assert.deepEqual(await fitting({ action: 'signed_in', details: { userId: '1' } }), [])
    })

    test('refuses a number that is taken, so that the chain cannot fork', async (store) => {
      await store.audit.append(auditRecord(1))
      await assertTaken('sequence', store.audit.append(auditRecord(1, { details: '{}' })))
      assert.deepEqual(await store.audit.list(whole), [auditRecord(1)])
    })
  })
}

function numbersOf(entries: readonly AuditRecord[]): number[] {
  return entries.map(({ sequence }) => sequence)
}
