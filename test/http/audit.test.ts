import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestSite, type TestSite } from '../test-site.ts'

let site: TestSite
before(async () => {
  site = await createTestSite()
  await site.approvedKey({ client_id: 'app-a' })
  site.advance(3600)
  await site.approvedKey({ client_id: 'app-b' })
  await site.asAdmin('/admin/site_settings/title.json', { method: 'PUT', json: { title: 'Town hall' } })
})
after(() => site.close())

interface Entry {
  readonly sequence: number
  readonly action: string
  readonly at: string
  readonly actor: { readonly user_id: string | null; readonly username: string | null; readonly via: string }
  readonly details: Record<string, unknown>
}

async function read(query = ''): Promise<{ entries: Entry[]; next_before: number | null }> {
  const response = await site.asAdmin(`/hallpass/audit.json${query}`)
  assert.equal(response.status, 200)
  return (await response.json()) as { entries: Entry[]; next_before: number | null }
}

describe('GET /hallpass/audit', () => {
  test('tells who did what to what, when and from where, newest first', async () => {
    const { entries, next_before } = await read()
    assert.equal(next_before, null)
    assert.deepEqual(
      entries.map(({ sequence }) => sequence),
      entries.map((_, index) => entries.length - index),
    )
    const [{ sequence, at, action, actor, details } = assert.fail('there is no entry')] = entries
    assert.deepEqual(
      { at, action, actor, details },
      {
        at: new Date(site.now()).toISOString(),
        action: 'setting_changed',
        actor: { user_id: '1', username: 'admin', via: 'api_key', address: '127.0.0.1' },
        details: { name: 'title', from: 'Hallpass', to: 'Town hall' },
      },
    )
    assert.equal(sequence, entries.length)
  })

  test('goes page by page to the end', async () => {
    const all = (await read()).entries.map(({ sequence }) => sequence)
    const seen: number[] = []
    let next: number | null = null
    do {
      const page = await read(`?limit=3${next === null ? '' : `&before=${next}`}`)
      assert.ok(page.entries.length <= 3)
      seen.push(...page.entries.map(({ sequence }) => sequence))
      next = page.next_before
    } while (next !== null)
    assert.deepEqual(seen, all)
  })

  const filters: readonly [query: string, actions: readonly string[]][] = [
    ['?action=setting_changed', ['setting_changed']],
    ['?client_id=app-a', ['user_api_key_issued', 'client_first_seen']],
    ['?client_id=app', []],
    ['?setting=title', ['setting_changed']],
    ['?user_id=2&action=user_api_key_issued', ['user_api_key_issued', 'user_api_key_issued']],
    ['?key_id=1', ['user_api_key_issued']],
    ['?api_key_id=1', ['api_key_created']],
    ['?via=api_key', ['setting_changed']],
    ['?actor_id=1', ['setting_changed']],
    ['?since=2026-01-15T12:30:00Z&action=user_api_key_issued', ['user_api_key_issued']],
    ['?until=2026-01-15T12:30:00Z&action=user_api_key_issued', ['user_api_key_issued']],
  ]
  for (const [query, actions] of filters) {
    test(`${query} finds ${actions.join(', ') || 'nothing'}`, async () => {
      assert.deepEqual(
        (await read(query)).entries.map(({ action }) => action),
        actions,
      )
    })
  }

  for (const query of ['?before=x', '?limit=-1', '?since=yesterday', '?key_id=1.5']) {
    test(`${query} is refused`, async () => {
      const response = await site.asAdmin(`/hallpass/audit.json${query}`)
      const { reason } = (await response.json()) as { reason: string }
      assert.deepEqual([response.status, reason], [400, 'parameter_invalid'])
    })
  }

  test('does not exist for others, and is closed to user API keys', async () => {
    const visitor = await site.signedIn()
    assert.equal((await visitor.request('/hallpass/audit.json')).status, 404)
    assert.equal((await site.request('/hallpass/audit.json')).status, 404)
    const key = await site.approvedKey({}, 'admin')
    const response = await site.request('/hallpass/audit.json', { headers: { 'user-api-key': key } })
    assert.equal(response.status, 403)
  })
})
