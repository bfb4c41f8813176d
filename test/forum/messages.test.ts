import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openSite, type TestSite } from './site.ts'

describe('GET /topics/private-messages…', () => {
  test('tells apart what was sent, what is new and what has posts since', async () => {
    using site = await openSite()
    const topicId = await messageToKim(site)
    const inBox = async (mailbox: string, username: 'sam' | 'kim') => {
      const path = `/topics/private-messages${mailbox}/${username}.json`
      const { json } = await site.request('GET', path, { as: username })
      return json.topic_list.topics.map(({ id }: { id: number }) => id)
    }
    assert.deepEqual(await inBox('', 'kim'), [topicId])
    assert.deepEqual(await inBox('-sent', 'sam'), [topicId])
    assert.deepEqual(await inBox('-sent', 'kim'), [])
    assert.deepEqual(await inBox('-new', 'kim'), [topicId])
    assert.deepEqual(await inBox('-new', 'sam'), [])

    const timings = { topic_id: topicId, topic_time: 1000, timings: { 1: 1000 } }
    await site.request('POST', '/topics/timings', { as: 'kim', json: timings })
    assert.deepEqual(await inBox('-new', 'kim'), [])
    assert.deepEqual(await inBox('-unread', 'kim'), [])
    await site.request('POST', '/posts', { as: 'sam', json: { topic_id: topicId, raw: 'One thing more.' } })
    assert.deepEqual(await inBox('-unread', 'kim'), [topicId])
    assert.deepEqual(await inBox('-archive', 'kim'), [])
  })

  test('are for their owner alone', async () => {
    using site = await openSite()
    await messageToKim(site)
    for (const mailbox of ['', '-sent', '-new', '-unread', '-archive']) {
      const path = `/topics/private-messages${mailbox}/kim.json`
      assert.equal((await site.request('GET', path, { as: 'ada' })).json.reason, 'not_permitted', path)
      assert.equal((await site.request('GET', path)).json.reason, 'not_signed_in', path)
    }
  })
})

describe('POST /t/:id/invite', () => {
  test('lets somebody take part, and tells them once', async () => {
    using site = await openSite()
    const topicId = await messageToKim(site)
    const path = `/t/${topicId}/invite.json`
    for (const _ of ['the first time', 'again']) {
      const { json } = await site.request('POST', path, { as: 'kim', json: { user: 'Mod' } })
      assert.equal(json.user.username, 'mod')
    }
    const { json: topic } = await site.request('GET', `/t/${topicId}.json`, { as: 'mod' })
    const names = topic.details.allowed_users.map(({ username }: { username: string }) => username)
    assert.deepEqual(names.sort(), ['Sam', 'kim', 'mod'])
    const told = site.pushed.filter(({ userId }) => userId === site.users.mod.id)
    assert.deepEqual(
      told.map(({ notification }) => [notification.notification_type, notification.username]),
      [[6, 'kim']],
    )
    const { json: stored } = await site.request('GET', '/notifications.json', { as: 'mod' })
    assert.equal(stored.notifications[0].topic_id, topicId)
  })

  test('is for those who take part: somebody else could invite themselves and read it', async () => {
    using site = await openSite()
    const topicId = await messageToKim(site)
    const invite = { json: { user: 'ada' } }
    const refused = await site.request('POST', `/t/${topicId}/invite.json`, { as: 'ada', ...invite })
    assert.equal(refused.json.reason, 'not_found')
    assert.equal((await site.request('GET', `/t/${topicId}.json`, { as: 'ada' })).status, 404)
  })

  test('refuses a public topic, a name that nobody has, and nobody', async () => {
    using site = await openSite()
    const topicId = await messageToKim(site)
    const { topic_id: publicId } = await site.topic()
    const reasonOf = async (id: number, user: string) =>
      (await site.request('POST', `/t/${id}/invite.json`, { as: 'sam', json: { user } })).json.reason
    assert.equal(await reasonOf(publicId, 'ada'), 'parameter_invalid')
    assert.equal(await reasonOf(topicId, 'nobody-here'), 'record_invalid')
    assert.equal(await reasonOf(topicId, ''), 'record_invalid')
    assert.equal(await reasonOf(topicId, 'system'), 'record_invalid')
  })
})

/** A personal message from sam to kim; its topic’s id. */
async function messageToKim(site: TestSite): Promise<number> {
  const json = {
    title: 'To you alone',
    raw: 'a secretword',
    archetype: 'private_message',
    target_recipients: 'kim',
  }
  return (await site.request('POST', '/posts.json', { as: 'sam', json })).json.topic_id
}
