import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, type TestContext, test } from 'node:test'
import { sql } from 'kysely'
import type { Database } from '../../src/storage/database.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { createStore } from '../../src/storage/store.ts'
import {
  account,
  apiKey,
  auditRecord,
  hash,
  insertClient,
  now,
  userApiKey,
} from '../../src/testing/store-contract/samples.ts'
import { unlessSqlite } from '../test-database.ts'

// Somebody who reached the database through the program could otherwise take their traces out of the log.
describe('audit_events is append-only', { skip: unlessSqlite }, () => {
  const changes: readonly string[] = [
    `update audit_events set details = '{}'`,
    'delete from audit_events',
    `insert or replace into audit_events select sequence, at, null, actor_via, null, action, '{}', previous_hash, hash, trace_id
     from audit_events where sequence = 1`,
    `insert into audit_events select * from audit_events where true
     on conflict (sequence) do update set details = '{}'`,
  ]
  for (const change of changes) {
    test(`refuses: ${change.slice(0, 40).trim()}…`, async (t) => {
      const database = await openMemory(t)
      const store = await createStore(database)
      await store.audit.append(auditRecord(1))
      await assert.rejects(sql.raw(change).execute(database.tables()), /audit_events is append-only/)
      assert.deepEqual(await store.audit.last(), auditRecord(1))
    })
  }
})

describe('indexes', { skip: unlessSqlite }, () => {
  test('every query of the store finds its rows, in their order, by an index', async (t) => {
    const prepare = t.mock.method(DatabaseSync.prototype, 'prepare')
    const database = await openMemory(t)
    const store = await createStore(database)
    prepare.mock.resetCalls()
    const client = await insertClient(store)
    await store.clients.findByClientId('client-1')
    await store.clients.findByPublicKey(hash('f'))
    await store.clients.rename(client.id, 'Another Name')
    const { id } = await store.userApiKeys.insert(userApiKey(client))
    await store.userApiKeys.findByHash(hash('a'))
    await store.userApiKeys.findByHashWithAccount(hash('a'))
    await store.userApiKeys.findById(id)
    await store.userApiKeys.listByUser('1')
    await store.userApiKeys.setRevokedAt(id, now)
    await store.userApiKeys.touch([{ id, lastUsedAt: now, count: 1 }])
    await store.userApiKeys.deleteByUserAndClient('1', client.id)
    const inserted = await store.apiKeys.insert(apiKey())
    await store.apiKeys.findByHash(hash('a'))
    await store.apiKeys.findByHashWithAccount(hash('a'))
    await store.apiKeys.findById(inserted.id)
    await store.changes.listAfter(1)
    await store.changes.kept()
    await store.apiKeys.list({ offset: 0, limit: 50 })
    await store.apiKeys.update(inserted.id, { description: 'another' }, now)
    await store.apiKeys.setRevokedAt(inserted.id, now, now)
    await store.apiKeys.touch([{ id: inserted.id, lastUsedAt: now, count: 1 }])
    await store.apiKeys.delete(inserted.id)
    await store.accounts.insert(account())
    await store.accounts.findById(1)
    await store.accounts.findByLogin('alice@example.com')
    await store.accounts.findByUsername('alice')
    await store.accounts.update(1, { admin: true })
    await store.sessions.find(hash('a'))
    await store.sessions.extend(hash('a'), now)
    await store.sessions.delete(hash('a'))
    await store.sessions.deleteByUser('1')
    await store.parkedRequests.find('one')
    await store.parkedRequests.take('one')
    await store.externalAccounts.findAccountId({ provider: 'p', subject: 's' })
    await store.oneTimePasswords.find(hash('a'))
    await store.oneTimePasswords.take(hash('a'), now)
    const push = await store.pushDeliveries.insert({
      targetUrl: 'https://push.example.com',
      userId: '1',
      body: '{}',
      createdAt: now,
    })
    await store.pushDeliveries.find(push)
    await store.pushDeliveries.heads()
    await store.pushDeliveries.countPending('https://push.example.com')
    await store.pushDeliveries.counts()
    for (const state of [undefined, 'dead'] as const) {
      for (const targetUrl of [undefined, 'https://push.example.com']) {
        await store.pushDeliveries.list({ state, targetUrl, before: 9, limit: 3 })
      }
    }
    await store.pushDeliveries.claim(push, { token: 'one', now, until: now + 1 })
    await store.pushDeliveries.settle(push, 'one', { state: 'dead', at: now, status: null, error: null })
    await store.pushDeliveries.revive(push, now)
    await store.pushDeliveries.dropOldest('https://push.example.com', { count: 1, now, problem: '' })
    await store.pushDeliveries.deleteFinished({ delivered: now, dead: now }, 100)
    await store.settings.put({ name: 'one', value: '', updatedAt: now })
    await store.audit.append(auditRecord(1))
    await store.audit.last()
    await store.audit.list({ before: 9, limit: 3 })
    await store.deleteExpired(now, 100)
    const pages = [
      { before: now, limit: 9 },
      { before: now, limit: 9, after: { at: 1, id: 1 } },
    ]
    for (const page of pages) {
      await store.userApiKeys.listUnrevoked('lastUsedAt', page)
      await store.userApiKeys.listUnrevoked('createdAt', page)
      await store.apiKeys.listUnrevoked(page)
      await store.clients.listUnused(page)
    }
    await store.userApiKeys.revokeAll([1, 2], now)
    await store.userApiKeys.deleteByClient(1, 9)
    await store.apiKeys.revokeAll([1, 2], now)
    await store.clients.delete(1)
    await store.jobRuns.schedule('tidy', now)
    await store.jobRuns.take('tidy', { owner: 'one', now, until: now, onlyDue: true })
    await store.jobRuns.renew('tidy', 'one', now)
    await store.jobRuns.finish('tidy', 'one', {
      outcome: 'succeeded',
      summary: '',
      failures: 0,
      finishedAt: now,
      nextRunAt: now,
    })
    await store.jobRuns.find('tidy')
    await store.jobRuns.all()

    const statements = prepare.mock.calls
      .map((call) => String(call.arguments[0]).trim())
      .filter((text) => /^(select|update|delete|with)/.test(text))
    assert.ok(statements.length > 25)
    for (const text of statements) {
      const { rows } = await sql<{ detail: string }>`${sql.raw(explainable(text))}`.execute(database.tables())
      for (const { detail } of rows) {
        // What is given in the statement itself, and a list read along its index, are scans that cost what they yield.
        const cheap =
          /^SCAN (used$|\d+ CONSTANT ROW|CONSTANT ROW)/.test(detail) ||
          / USING (COVERING )?INDEX /.test(detail)
        const listed = /^SCAN (audit_events|cache_changes)$/.test(detail) && text.includes('limit')
        assert.doesNotMatch(detail, /TEMP B-TREE/, text)
        assert.ok(!detail.startsWith('SCAN') || cheap || listed, `${text}\n${detail}`)
      }
    }
  })
})

/** A statement's plan can be asked for without values. */
function explainable(text: string): string {
  return `explain query plan ${text.replaceAll('?', 'null')}`
}

async function openMemory(t: TestContext): Promise<Database> {
  const database = await openSqlite({ path: ':memory:' })
  t.after(() => database.close())
  return database
}
