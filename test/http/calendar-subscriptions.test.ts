import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { CalendarFeed } from '../../src/domain/calendar-subscription.ts'
import { type Browser, createTestSite, siteUrl, type TestSite } from '../test-site.ts'

const bookmarks: CalendarFeed = {
  name: 'bookmarks',
  scope: 'bookmarks_calendar',
  path: (user) => `/u/${user.username}/bookmarks.ics`,
}

let site: TestSite
let sam: Browser
beforeEach(async () => {
  site = await createTestSite({ calendarFeeds: [bookmarks] })
  sam = await site.signedIn()
})
afterEach(() => site.close())

async function subscribe(): Promise<{ key: string; urls: Record<string, string> }> {
  const response = await sam.post('/calendar-subscriptions.json', {})
  assert.equal(response.status, 200)
  return (await response.json()) as { key: string; urls: Record<string, string> }
}

async function unsubscribe(): Promise<Response> {
  const headers = { 'x-csrf-token': await sam.csrf() }
  return sam.request('/calendar-subscriptions.json', { method: 'DELETE', headers })
}

async function state(): Promise<unknown> {
  return (await sam.request('/calendar-subscriptions.json')).json()
}

/** How the key's holder is answered at the feed: `identified`, or the reason of the refusal. */
async function feedFor(key: string, path = '/u/sam/bookmarks.ics'): Promise<string> {
  const request = new Request(siteUrl + path, { headers: { 'user-api-key': key } })
  const answer = await site.hallpass.authenticate(request, { connection: { remoteAddress: null } })
  return answer.outcome === 'refused' ? answer.refusal.reason : answer.outcome
}

describe('/calendar-subscriptions', () => {
  test('gives a key for the feeds alone, and its addresses, though no app could ask for the scope', async () => {
    assert.deepEqual(await state(), { has_subscription: false, feeds: ['bookmarks'] })
    const { key, urls } = await subscribe()
    assert.match(key, /^[0-9a-f]{32}$/)
    assert.deepEqual(urls, { bookmarks: `${siteUrl}/u/sam/bookmarks.ics?user_api_key=${key}` })
    assert.deepEqual(await state(), { has_subscription: true, feeds: ['bookmarks'] })
    assert.equal(await feedFor(key), 'authenticated')
    assert.equal(await feedFor(key, '/u/sam/bookmarks.json'), 'scope_insufficient')
    assert.equal(await feedFor(key, '/session/current.json'), 'scope_insufficient')
    const { settings } = site.hallpass
    assert.ok(!settings().allow_user_api_key_scopes.includes('bookmarks_calendar'))
  })

  test('a second subscription takes the place of the first', async () => {
    const first = await subscribe()
    const second = await subscribe()
    assert.equal(await feedFor(first.key), 'user_api_key_invalid')
    assert.equal(await feedFor(second.key), 'authenticated')
  })

  test('DELETE ends it with 204, and a second time too', async () => {
    const { key } = await subscribe()
    for (let time = 0; time < 2; time += 1) {
      const response = await unsubscribe()
      assert.deepEqual([response.status, await response.text()], [204, ''])
      assert.deepEqual(await state(), { has_subscription: false, feeds: ['bookmarks'] })
    }
    assert.equal(await feedFor(key), 'user_api_key_revoked')
    const actions = (await site.store.audit.list({ limit: 2 })).map(({ action }) => action)
    assert.deepEqual(actions, ['user_api_key_revoked', 'user_api_key_issued'])
  })

  test('stands among the user’s apps, where it can be revoked', async () => {
    await subscribe()
    const [app] = await site.hallpass.appsOf(site.user)
    assert.equal(app?.application_name, 'Calendar subscription')
    assert.deepEqual(app?.scopes, ['Read the reminders of your bookmarks'])
  })

  test('is limited to five a minute for each user', async () => {
    for (let time = 0; time < 5; time += 1) await subscribe()
    const response = await sam.post('/calendar-subscriptions.json', {})
    const { reason } = (await response.json()) as { reason: string }
    assert.deepEqual(
      [response.status, reason, response.headers.get('retry-after')],
      [429, 'rate_limited', '60'],
    )
    site.advance(60)
    await subscribe()
  })

  test('needs somebody signed in, with their CSRF token, and a key that may get keys', async () => {
    assert.equal((await site.request('/calendar-subscriptions.json')).status, 403)
    assert.equal((await sam.request('/calendar-subscriptions.json', { method: 'POST' })).status, 403)
    const key = await site.approvedKey({ scopes: 'write' })
    const change = { user_api_key_write_may_mint: 'false' }
    await site.asAdmin('/admin/site_settings/user_api_key_write_may_mint.json', {
      method: 'PUT',
      json: change,
    })
    const headers = { 'user-api-key': key }
    const response = await site.request('/calendar-subscriptions.json', { method: 'POST', headers })
    assert.equal(((await response.json()) as { reason: string }).reason, 'not_permitted')
  })

  test('is no route of a site without calendars', async () => {
    const plain = await createTestSite()
    const visitor = await plain.signedIn()
    assert.equal((await visitor.request('/calendar-subscriptions.json')).status, 404)
    await plain.close()
  })
})

describe('appsOf', () => {
  test('lists keys that are not revoked, the one used last first', async () => {
    const first = await site.approvedKey({ client_id: 'a', application_name: 'First', scopes: 'read' })
    site.advance(60)
    await site.approvedKey({ client_id: 'b', application_name: 'Second', scopes: 'read,session_info' })
    const names = async () => (await site.hallpass.appsOf(site.user)).map((app) => app.application_name)
    assert.deepEqual(await names(), ['Second', 'First'])
    assert.deepEqual((await site.hallpass.appsOf(site.user))[0], {
      id: 2,
      application_name: 'Second',
      scopes: ['Read everything that you can read', 'See who you are'],
      created_at: '2026-01-15T12:01:00.000Z',
      last_used_at: '2026-01-15T12:01:00.000Z',
    })
    await site.request('/user-api-key/revoke.json', { method: 'POST', headers: { 'user-api-key': first } })
    assert.deepEqual(await names(), ['Second'])
  })
})
