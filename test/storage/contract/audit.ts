import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { auditRecord, hash } from './samples.ts'
import { assertTaken, type OpenStore, storeTest } from './store-test.ts'

export function auditContract(openStore: OpenStore): void {
  describe('the audit log', () => {
    const test = storeTest(openStore)

    test('an empty log has no last entry', async (store) => {
      assert.equal(await store.audit.last(), undefined)
      assert.deepEqual(await store.audit.list({ limit: 10 }), [])
    })

    test('the last entry is the one with the highest number, as it was appended', async (store) => {
      const system = { actorUserId: null, actorVia: 'system', actorAddress: null, details: '{"a":"“ü”"}' }
      await store.audit.append(auditRecord(1))
      await store.audit.append(auditRecord(2, system))
      assert.deepEqual(await store.audit.last(), auditRecord(2, system))
    })

    test('lists newest first, in pages below a number', async (store) => {
      for (let sequence = 1; sequence <= 12; sequence += 1) {
        await store.audit.append(auditRecord(sequence, { hash: hash('f'), previousHash: hash('e') }))
      }
      const numbers = async (page: { before?: number; limit: number }) =>
        (await store.audit.list(page)).map(({ sequence }) => sequence)
      assert.deepEqual(await numbers({ limit: 3 }), [12, 11, 10])
      assert.deepEqual(await numbers({ before: 10, limit: 3 }), [9, 8, 7])
      assert.deepEqual(await numbers({ before: 3, limit: 3 }), [2, 1])
      assert.deepEqual(await numbers({ before: 1, limit: 3 }), [])
    })

    test('refuses a number that is taken, so that the chain cannot fork', async (store) => {
      await store.audit.append(auditRecord(1))
      await assertTaken('sequence', store.audit.append(auditRecord(1, { details: '{}' })))
      assert.deepEqual(await store.audit.list({ limit: 10 }), [auditRecord(1)])
    })
  })
}
