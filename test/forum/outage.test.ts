/** The forum while its database does not answer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '../../src/storage/database.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { openTestDatabase } from '../test-database.ts'
import { openSite } from './site.ts'

async function openWithoutDatabase() {
  const database: Database = await openTestDatabase()
  const site = await openSite({ database })
  await database.close()
  return site
}

test('a page of the forum: 503 and when to come again, and no fault for each request', async () => {
  const site = await openWithoutDatabase()
  for (const path of ['/latest.json', '/categories.json']) {
    const { status, json } = await site.request('GET', path)
    assert.deepEqual([status, json.reason], [503, 'store_unavailable'])
  }
  assert.deepEqual(site.faults, [])
})

test('what the forum adds to the current user says that the store is not there', async () => {
  const site = await openWithoutDatabase()
  await assert.rejects(site.forum.currentUserFields(site.users.sam), { name: 'StoreUnavailable' })
})

test('a page whose database stands still: 503 after store_timeout_ms', async (t) => {
  const database = await openTestDatabase()
  const site = await openSite({ database })
  t.after(() => site[Symbol.dispose]())
  const held = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const holding = inTransaction(database.tables<unknown>(), () => {
    begun.resolve()
    return held.promise
  })
  await begun.promise
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const asked = site.request('POST', '/posts.json', {
    as: 'sam',
    json: { title: 'A topic to talk about', raw: 'The first post of it.' },
  })
  let answered = false
  void asked.then(() => (answered = true))
  for (let waited = 0; !answered && waited < 10_000; waited += 100) {
    t.mock.timers.tick(100)
    await new Promise((resolve) => setImmediate(resolve))
  }
  held.resolve()
  t.mock.timers.reset()
  const { status, json } = await asked
  assert.deepEqual([status, json.reason], [503, 'store_unavailable'])
  assert.deepEqual(site.faults, [])
  await holding
})
