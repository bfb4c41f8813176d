import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { auditEntry } from '../../src/domain/audit.ts'
import { systemActor } from '../../src/domain/events.ts'
import { readAudit, verifyAudit } from '../../src/domain/read-audit.ts'
import type { Store } from '../../src/domain/store.ts'
import { dropAppendOnly, newTestData } from '../test-database.ts'

/** A log of `count` entries, on which `tamper` then works with SQL, as somebody could who has the file. */
async function logOf(count: number, tamper?: string): Promise<Store> {
  const data = await newTestData()
  const store = await data.open()
  after(async () => {
    await store.close()
    await data.remove()
  })
  await store.transaction(async (session) => {
    let last = await session.audit.last()
    for (let index = 1; index <= count; index += 1) {
      last = auditEntry(last, systemActor, { type: 'user_created', userId: String(index) }, index)
      await session.audit.append(last)
    }
  })
  if (tamper !== undefined) {
    await data.execute(`${dropAppendOnly} ${tamper}`)
  }
  return store
}

describe('verifyAudit', () => {
  test('finds a log whole, and tells where it stands', async () => {
    const store = await logOf(2500)
    const read: number[] = []
    const verdict = await verifyAudit(store, { onProgress: (count) => read.push(count) })
    assert.deepEqual(verdict, {
      outcome: 'whole',
      head: { sequence: 2500, hash: (await store.audit.last())?.hash },
    })
    assert.deepEqual(read, [1000, 2000, 2500, 2500])
    await store.close()
  })

  test('finds an empty log whole', async () => {
    const store = await logOf(0)
    assert.equal((await verifyAudit(store)).outcome, 'whole')
    await store.close()
  })

  const tampered: readonly [what: string, sql: string, sequence: number][] = [
    ['changed details', `update audit_events set details = '{}' where sequence = 4`, 4],
    ['another actor', `update audit_events set actor_user_id = '7' where sequence = 1`, 1],
    ['another time', 'update audit_events set at = at + 1 where sequence = 6', 6],
    ['an entry taken out', 'delete from audit_events where sequence = 3', 3],
    ['the first entry taken out', 'delete from audit_events where sequence = 1', 1],
    ['a hash changed', `update audit_events set hash = previous_hash where sequence = 5`, 5],
  ]
  for (const [what, sql, sequence] of tampered) {
    test(`finds ${what}`, async () => {
      const store = await logOf(6, sql)
      const verdict = await verifyAudit(store)
      assert.deepEqual(verdict.outcome === 'broken' && verdict.sequence, sequence)
      await store.close()
    })
  }

  test('finds an end cut off, and a log written anew, by a head that was noted', async () => {
    const long = await logOf(6)
    const known = { sequence: 6, hash: (await long.audit.last())?.hash ?? '' }
    assert.equal((await verifyAudit(long, { known })).outcome, 'whole')
    const cut = await logOf(6, 'delete from audit_events where sequence > 4')
    assert.equal((await verifyAudit(cut)).outcome, 'whole')
    assert.deepEqual(await verifyAudit(cut, { known }), {
      outcome: 'broken',
      sequence: 5,
      problem: 'the log ends before entry 6, which was there when its hash was noted',
    })
    const other = { sequence: 3, hash: 'f'.repeat(64) }
    const verdict = await verifyAudit(long, { known: other })
    assert.deepEqual(verdict.outcome === 'broken' && verdict.sequence, 3)
    await long.close()
    await cut.close()
  })
})

describe('readAudit', () => {
  test('looks through a bounded part of the log at a time, and says where to go on', async () => {
    const store = await logOf(50_010)
    const rare = { details: { userId: '3' } }
    const first = await readAudit(store, { limit: 10 }, rare)
    assert.deepEqual([first.entries.length, first.nextBefore], [0, 11])
    const second = await readAudit(store, { limit: 10, before: 11 }, rare)
    assert.deepEqual([second.entries.map(({ sequence }) => sequence), second.nextBefore], [[3], null])
    await store.close()
  })
})
