import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { createHallpass } from '../../src/server/create-hallpass.ts'
import type { Hallpass } from '../../src/server/hallpass.ts'
import { newTestData } from '../test-database.ts'
import { createTestSite, siteUrl, type TestSite } from '../test-site.ts'

/** Beyond this, what another process has changed must be heard of; the machine may be busy. */
const boundMs = 1000

// What an attacker would gain: a key that its owner saw revoked, and that goes on working at another server.
describe('two servers on one database', () => {
  test('a key revoked at one is refused by the other, which had it in memory', async (t) => {
    const { site, other } = await twoServers(t)
    const key = await site.approvedKey({ scopes: 'write' })
    const asked = () => ask(other, '/session/current.json', key)
    assert.equal((await asked()).status, 200)
    const revoked = await site.request('/user-api-key/revoke.json', {
      method: 'POST',
      headers: { 'user-api-key': key },
    })
    assert.equal(revoked.status, 200)
    const refused = await within(boundMs, asked, (response) => response.status !== 200)
    assert.equal(((await refused.json()) as { reason: string }).reason, 'user_api_key_revoked')
  })

  test('a suspended owner’s key is refused by the other', async (t) => {
    const { site, other } = await twoServers(t)
    const key = await site.approvedKey()
    const asked = () => ask(other, '/session/current.json', key)
    assert.equal((await asked()).status, 200)
    const path = `/admin/users/${site.user.id}/suspend.json`
    await site.asAdmin(path, { method: 'PUT', form: { suspend_until: '2030-01-01' } })
    const refused = await within(boundMs, asked, (response) => response.status !== 200)
    assert.equal(((await refused.json()) as { reason: string }).reason, 'owner_suspended')
  })

  test('a setting changed at one holds at the other', async (t) => {
    const { site, other } = await twoServers(t)
    await site.asAdmin('/admin/site_settings/title.json', { method: 'PUT', form: { title: 'Changed' } })
    await within(
      boundMs,
      async () => other.settings(),
      ({ title }) => title === 'Changed',
    )
  })
})

async function twoServers(t: TestContext): Promise<{ site: TestSite; other: Hallpass }> {
  const data = await newTestData()
  const site = await createTestSite({ store: await data.open() })
  const store = await data.open()
  const other = await createHallpass({ store, clock: { now: () => site.now() } })
  t.after(async () => {
    await other.close()
    await store.close()
    await site.close()
    await data.remove()
  })
  return { site, other }
}

function ask(server: Hallpass, path: string, key: string): Promise<Response> {
  return server.fetch(new Request(new URL(path, siteUrl), { headers: { 'user-api-key': key } }))
}

/** Asks until the answer is as wanted, at the most for `ms` milliseconds. */
async function within<T>(ms: number, ask: () => Promise<T>, isWanted: (answer: T) => boolean): Promise<T> {
  const deadline = Date.now() + ms
  for (;;) {
    const answer = await ask()
    if (isWanted(answer)) return answer
    assert.ok(Date.now() < deadline, `not within ${ms} ms`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
