import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openSite, type TestSite } from './site.ts'

async function bookmark(site: TestSite, json: Record<string, unknown>, as = 'kim') {
  return site.request('POST', '/bookmarks.json', { as, json })
}

async function listed(site: TestSite, as = 'kim') {
  const answer = await site.request('GET', `/u/${as}/bookmarks.json`, { as })
  return answer.json.user_bookmark_list.bookmarks
}

describe('bookmarks', () => {
  test('keep a post with a name and a reminder, and are listed newest first', async () => {
    using site = await openSite()
    const post = await site.topic()
    const other = await site.topic({ title: 'Another one of them' })
    const made = await bookmark(site, {
      bookmarkable_id: post.id,
      bookmarkable_type: 'Post',
      name: 'read  this',
      reminder_at: '2026-03-01T09:00:00Z',
    })
    assert.deepEqual([made.status, made.json.success], [200, 'OK'])
    await bookmark(site, { bookmarkable_id: other.topic_id, bookmarkable_type: 'Topic' })
    const [second, first] = await listed(site)
    assert.equal(second.bookmarkable_id, other.id)
    assert.deepEqual(
      [first.id, first.name, first.reminder_at, first.title, first.bookmarkable_user_username],
      [made.json.id, 'read this', '2026-03-01T09:00:00.000Z', 'A topic to talk about', 'Sam'],
    )
  })

  test('are their owner’s to change and to delete', async () => {
    using site = await openSite()
    const { id } = (await bookmark(site, { bookmarkable_id: (await site.topic()).id })).json
    const change = { json: { name: 'later', reminder_at: '' } }
    assert.equal((await site.request('PUT', `/bookmarks/${id}.json`, { as: 'mod', ...change })).status, 404)
    assert.equal((await site.request('PUT', `/bookmarks/${id}.json`, { as: 'kim', ...change })).status, 200)
    assert.equal((await listed(site))[0].name, 'later')
    assert.equal((await site.request('DELETE', `/bookmarks/${id}.json`, { as: 'mod' })).status, 404)
    assert.equal((await site.request('DELETE', `/bookmarks/${id}.json`, { as: 'kim' })).status, 200)
    assert.deepEqual(await listed(site), [])
    assert.equal((await site.request('GET', '/u/kim/bookmarks.json', { as: 'mod' })).status, 403)
  })

  const refused: readonly [json: Record<string, unknown>, reason: string][] = [
    [{}, 'parameters_missing'],
    [{ bookmarkable_id: 999 }, 'not_found'],
    [{ bookmarkable_id: 1, bookmarkable_type: 'User' }, 'parameter_invalid'],
    [{ bookmarkable_id: 1, reminder_at: 'soon' }, 'record_invalid'],
    [{ bookmarkable_id: 1, name: 'x'.repeat(256) }, 'record_invalid'],
  ]
  for (const [json, reason] of refused) {
    test(`refuse ${JSON.stringify(json).slice(0, 60)} with ${reason}`, async () => {
      using site = await openSite()
      assert.equal((await bookmark(site, json)).json.reason, reason)
    })
  }

  test('mark a post once, and not one that their owner may not read', async () => {
    using site = await openSite()
    const post = await site.topic()
    await bookmark(site, { bookmarkable_id: post.id })
    assert.equal((await bookmark(site, { bookmarkable_id: post.id })).json.reason, 'record_invalid')
    const json = {
      title: 'Between us',
      raw: 'Not for kim.',
      archetype: 'private_message',
      target_recipients: 'mod',
    }
    const message = (await site.request('POST', '/posts.json', { as: 'sam', json })).json
    assert.equal((await bookmark(site, { bookmarkable_id: message.id })).json.reason, 'not_found')
  })
})

describe('GET /u/:username/bookmarks.ics', () => {
  test('is a calendar of the reminders, those without one left out', async () => {
    using site = await openSite()
    const raw = 'Commas, semicolons; and a back\\slash.'
    const post = await site.topic({
      title: 'A topic; with, many ünusual çharacters in its very long title',
      raw,
    })
    await bookmark(site, { bookmarkable_id: post.id, reminder_at: '2026-03-01T09:00:00Z' })
    await bookmark(site, { bookmarkable_id: (await site.topic()).id })
    const answer = await site.request('GET', '/u/kim/bookmarks.ics', { as: 'kim' })
    assert.equal(answer.headers.get('content-type'), 'text/calendar; charset=utf-8')
    const lines = answer.text.split('\r\n')
    assert.equal(lines.pop(), '')
    for (const line of lines) assert.ok(Buffer.byteLength(line) <= 75, line)
    const unfolded = answer.text.replaceAll('\r\n ', '').split('\r\n')
    assert.equal(unfolded.filter((line) => line === 'BEGIN:VEVENT').length, 1)
    for (const line of [
      'DTSTART:20260301T090000Z',
      'DTSTAMP:20260101T000000Z',
      'SUMMARY:A topic\\; with\\, many ünusual çharacters in its very long title',
      'DESCRIPTION:Commas\\, semicolons\\; and a back\\\\slash.',
      `UID:bookmark-1@forum.test`,
    ]) {
      assert.ok(unfolded.includes(line), `${line} is not in\n${answer.text}`)
    }
  })
})

describe('/user-status', () => {
  test('is set, read, shown on the card, and cleared', async () => {
    using site = await openSite()
    const status = { emoji: 'coffee', description: 'having a break', ends_at: '2026-01-01T01:00:00Z' }
    assert.equal((await site.request('PUT', '/user-status.json', { as: 'kim', json: status })).status, 200)
    const shown = { ...status, ends_at: '2026-01-01T01:00:00.000Z' }
    assert.deepEqual((await site.request('GET', '/user-status.json', { as: 'kim' })).json, shown)
    assert.deepEqual((await site.request('GET', '/u/kim.json')).json.user.status, shown)
    site.advance(3_600_000)
    assert.deepEqual((await site.request('GET', '/user-status.json', { as: 'kim' })).json, {})
    const forever = { emoji: 'zzz', description: 'asleep' }
    await site.request('PUT', '/user-status.json', { as: 'kim', json: forever })
    assert.equal((await site.request('DELETE', '/user-status.json', { as: 'kim' })).status, 200)
    assert.equal((await site.request('GET', '/u/kim.json')).json.user.status, null)
  })

  for (const json of [{ emoji: 'coffee' }, { description: 'x' }, { emoji: 'a b', description: 'x' }]) {
    test(`refuses ${JSON.stringify(json)}`, async () => {
      using site = await openSite()
      const answer = await site.request('PUT', '/user-status.json', { as: 'kim', json })
      assert.equal(answer.json.reason, 'record_invalid')
    })
  }

  test('needs somebody signed in', async () => {
    using site = await openSite()
    assert.equal((await site.request('GET', '/user-status.json')).status, 403)
  })
})
