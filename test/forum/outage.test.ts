/** The forum while its database does not answer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '../../src/storage/database.ts'
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
