import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { auditHash } from '../../src/domain/audit.ts'
import { verifyAudit } from '../../src/domain/read-audit.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { createStore } from '../../src/storage/store.ts'
import { createTestSite, type TestSite } from '../test-site.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const traceparent = `00-${traceId}-b7ad6b7169203331-01`

let site: TestSite
before(async () => {
  site = await createTestSite()
})
after(() => site.close())

describe('a request’s trace', () => {
  test('is told in a refusal, in its body and its header', async () => {
    const answer = await site.request('/session/current.json', { headers: { traceparent } })
    const body = await answer.json()
    assert.deepEqual([body.trace_id, answer.headers.get('x-request-id')], [traceId, traceId])
  })

  test('is one of ours where the caller’s is not well-formed', async () => {
    const ids = new Set<string>()
    for (const sent of ['00-x', `00-${traceId}-b7ad6b7169203331-01\u00ff`]) {
      const answer = await site.request('/session/current.json', { headers: { traceparent: sent } })
      const { trace_id: id } = await answer.json()
      assert.match(id, /^[0-9a-f]{32}$/)
      ids.add(id)
    }
    assert.equal(ids.size, 2)
    assert.equal(ids.has(traceId), false)
  })

  test('is in the audit log’s entry of what the request changed, and found there', async () => {
    const json = { key: { description: 'traced' } }
    await site.asAdmin('/admin/api/keys.json', { json, headers: { traceparent } })
    const answer = await site.asAdmin(`/hallpass/audit.json?trace_id=${traceId}`)
    const { entries } = await answer.json()
    assert.deepEqual(
      entries.map((entry: { action: string; trace_id: string }) => [entry.action, entry.trace_id]),
      [['api_key_created', traceId]],
    )
  })

  // What an attacker would gain who can write the database: an entry that points to somebody else’s request.
  test('is covered by the entry’s hash', async () => {
    const entry = await site.store.audit.last()
    assert.ok(entry?.traceId)
    assert.equal(auditHash(entry), entry.hash)
    assert.notEqual(auditHash({ ...entry, traceId: 'f'.repeat(32) }), entry.hash)
    assert.notEqual(auditHash({ ...entry, traceId: null }), entry.hash)
  })
})

/** Of the entry below, as the version without traces made it. */
const oldHash = '6b1ca0f14816bc207a6f1265ae5e2507953757d374b8d2c5b24df62aab3bdfc4'

test('entries of before there were traces are whole still, and those after them', async () => {
  const database = await openSqlite({ path: ':memory:' })
  const store = await createStore(database)
  const old = {
    sequence: 1,
    at: 1_700_000_000_000,
    actorUserId: '1',
    actorVia: 'session',
    actorAddress: '192.0.2.1',
    action: 'signed_in',
    details: '{"userId":"1"}',
    traceId: null,
    previousHash: '0'.repeat(64),
  }
  const hash = auditHash(old)
  assert.equal(hash, oldHash)
  await store.audit.append({ ...old, hash })
  const next = { ...old, sequence: 2, traceId, previousHash: hash }
  await store.audit.append({ ...next, hash: auditHash(next) })
  const verdict = await verifyAudit(store)
  assert.equal(verdict.outcome, 'whole')
  await store.close()
})
