import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openSite, type TestSite } from './site.ts'

const typesOf = (site: TestSite) =>
  site.pushed.map(({ userId, notification }) => [userId, notification.notification_type])

describe('notifications', () => {
  test('a reply tells the author of the topic and of the post that it answers, once each', async () => {
    using site = await openSite()
    const { topic_id } = await site.topic()
    await site.request('POST', '/posts', { as: 'kim', json: { topic_id, raw: 'first' } })
    await site.request('POST', '/posts', {
      as: 'ada',
      json: { topic_id, raw: 'second', reply_to_post_number: 2 },
    })
    await site.request('POST', '/posts', {
      as: 'ada',
      json: { topic_id, raw: 'third', reply_to_post_number: 1 },
    })
    const { sam, kim } = site.users
    assert.deepEqual(typesOf(site), [
      [sam.id, 2],
      [kim.id, 2],
      [sam.id, 2],
      [sam.id, 2],
    ])
  })

  test('nobody hears of what they wrote themselves', async () => {
    using site = await openSite()
    const { topic_id } = await site.topic({ raw: 'I, @sam, say so' })
    await site.request('POST', '/posts', {
      as: 'sam',
      json: { topic_id, raw: 'again @Sam', reply_to_post_number: 1 },
    })
    assert.deepEqual(site.pushed, [])
  })

  test('a mention outranks a quotation, and a quotation a reply', async () => {
    using site = await openSite()
    const { topic_id } = await site.topic()
    const quote = `[quote="Sam, post:1, topic:${topic_id}"]\ntext\n[/quote]\n`
    await site.request('POST', '/posts', {
      as: 'kim',
      json: { topic_id, raw: quote, reply_to_post_number: 1 },
    })
    await site.request('POST', '/posts', { as: 'kim', json: { topic_id, raw: `${quote}\n@sam` } })
    assert.deepEqual(typesOf(site), [
      [site.users.sam.id, 3],
      [site.users.sam.id, 1],
    ])
  })

  // Else anybody could make anybody hear of anything by putting their name over it.
  test('a quotation under a false name tells nobody', async () => {
    using site = await openSite()
    const { topic_id } = await site.topic({ as: 'ada' })
    const raw = `[quote="sam, post:1, topic:${topic_id}"]\ntext\n[/quote]`
    await site.topic({ title: 'Somewhere else', raw, as: 'kim' })
    assert.deepEqual(site.pushed, [])
  })

  test('the hook gets exactly the fields that are pushed', async () => {
    using site = await openSite()
    const { topic_id } = await site.topic({ title: 'Title & more', raw: 'Hello **@kim**' })
    assert.deepEqual(site.pushed, [
      {
        userId: site.users.kim.id,
        notification: {
          notification_type: 1,
          post_number: 1,
          topic_title: 'Title & more',
          topic_id,
          excerpt: 'Hello @kim',
          username: 'Sam',
          url: `https://forum.test/t/title-more/${topic_id}/1`,
        },
      },
    ])
  })

  test('a hook that throws is reported and breaks nothing', async () => {
    const faults: unknown[] = []
    using site = await openSite({
      onNotification: () => {
        throw new Error('hook')
      },
      onError: (error) => faults.push(error),
    })
    assert.equal((await site.topic({ raw: 'hello @kim' })).post_number, 1)
    assert.equal(faults.length, 1)
  })

  test('nobody waits for a hook, and one that fails later is reported', async () => {
    const faults: unknown[] = []
    const hook = Promise.withResolvers<never>()
    const reported = Promise.withResolvers<void>()
    using site = await openSite({
      onNotification: () => hook.promise,
      onError: (error) => {
        faults.push(error)
        reported.resolve()
      },
    })
    assert.equal((await site.topic({ raw: 'hello @kim' })).post_number, 1)
    assert.deepEqual(faults, [])
    hook.reject(new Error('late'))
    await reported.promise
    assert.equal(faults.length, 1)
  })
})

describe('GET /notifications', () => {
  test('lists one’s own, newest first, in the form that the app reads', async () => {
    using site = await openSite()
    const { topic_id } = await site.topic({ title: 'A <title>', raw: 'hello @kim' })
    await site.topic({ raw: 'again @kim' })
    const path = '/notifications.json?recent=true&limit=25'
    const { notifications, seen_notification_id } = (await site.request('GET', path, { as: 'kim' })).json
    assert.equal(seen_notification_id, 0)
    assert.equal(notifications.length, 2)
    assert.ok(notifications[0].id > notifications[1].id)
    const [, older] = notifications
    assert.equal(older.notification_type, 1)
    assert.equal(older.read, false)
    assert.equal(older.topic_id, topic_id)
    assert.equal(older.post_number, 1)
    assert.equal(older.slug, 'a-title')
    assert.equal(older.fancy_title, 'A &lt;title&gt;')
    assert.equal(older.data.display_username, 'Sam')
    assert.equal(older.data.topic_title, 'A <title>')
    assert.deepEqual((await site.request('GET', path, { as: 'sam' })).json.notifications, [])
  })

  test('moves the mark of what was seen, but not when silent', async () => {
    using site = await openSite()
    await site.topic({ raw: 'hello @kim' })
    const seen = async (query: string) =>
      (await site.request('GET', `/notifications.json?recent=true${query}`, { as: 'kim' })).json
        .seen_notification_id
    assert.equal(await seen('&silent=true'), 0)
    assert.equal(await seen(''), 0)
    assert.equal(await seen(''), 1)
  })

  test('gives a bounded page, the total and the address of the next', async () => {
    using site = await openSite()
    for (let index = 0; index < 4; index += 1) await site.topic({ raw: `hello @kim ${index}` })
    const { json } = await site.request('GET', '/notifications.json?limit=3&filter=unread', { as: 'kim' })
    assert.equal(json.notifications.length, 3)
    assert.equal(json.total_rows_notifications, 4)
    const next = await site.request('GET', json.load_more_notifications, { as: 'kim' })
    assert.equal(next.json.notifications.length, 1)
    assert.equal((await site.request('GET', '/notifications.json?limit=99999', { as: 'kim' })).status, 200)
  })
})

describe('PUT /notifications/mark-read and /notifications/read', () => {
  for (const path of ['/notifications/mark-read', '/notifications/read.json']) {
    test(`${path} marks one, then all`, async () => {
      using site = await openSite()
      for (const raw of ['a @kim', 'b @kim', 'c @kim']) await site.topic({ raw })
      const unread = async () =>
        (await site.request('GET', '/notifications/totals.json', { as: 'kim' })).json.unread_notifications
      const [{ id }] = (await site.request('GET', '/notifications.json', { as: 'kim' })).json.notifications
      assert.equal((await site.request('PUT', path, { as: 'kim', json: { id } })).json.success, 'OK')
      assert.equal(await unread(), 2)
      const headers = { 'content-type': 'application/json' }
      assert.equal((await site.request('PUT', path, { as: 'kim', headers, body: '' })).status, 200)
      assert.equal(await unread(), 0)
    })
  }

  test('does not touch somebody else’s', async () => {
    using site = await openSite()
    await site.topic({ raw: 'a @kim' })
    const { status } = await site.request('PUT', '/notifications/read', { as: 'sam', json: { id: 1 } })
    assert.equal(status, 404)
    const { json } = await site.request('GET', '/notifications.json', { as: 'kim' })
    assert.equal(json.notifications[0].read, false)
  })
})

describe('GET /notifications/totals and currentUserFields', () => {
  test('count what is unread, by kind, and what is tracked', async () => {
    using site = await openSite()
    await site.topic({ raw: 'a @kim' })
    const json = {
      title: 'To you alone',
      raw: 'psst',
      archetype: 'private_message',
      target_recipients: 'kim',
    }
    await site.request('POST', '/posts', { as: 'sam', json })
    const totals = (await site.request('GET', '/notifications/totals.json', { as: 'kim' })).json
    assert.equal(totals.unread_notifications, 1)
    assert.equal(totals.unread_personal_messages, 1)
    assert.deepEqual(totals.topic_tracking, { new: 2, unread: 0 })
    const fields = await site.forum.currentUserFields(site.users.kim)
    assert.equal(fields.unread_notifications, 1)
    assert.equal(fields.unread_high_priority_notifications, 1)
    assert.equal(fields.new_personal_messages_notifications_count, 1)
    assert.equal(fields.seen_notification_id, 0)
    assert.equal(fields.reviewable_count, 0)
    await site.request('GET', '/notifications.json?recent=true', { as: 'kim' })
    const seen = await site.forum.currentUserFields(site.users.kim)
    assert.equal(seen.new_personal_messages_notifications_count, 0)
    assert.equal(seen.seen_notification_id, 2)
  })
})

describe('personal messages', () => {
  const send = (site: TestSite) =>
    site.request('POST', '/posts.json', {
      as: 'sam',
      json: {
        title: 'To you alone',
        raw: 'a secretword',
        archetype: 'private_message',
        target_recipients: 'kim',
      },
    })

  test('are for those who take part in them, by whichever door somebody comes', async () => {
    using site = await openSite()
    const { json: post } = await send(site)
    const doors = [
      `/t/${post.topic_id}.json`,
      `/t/x/${post.topic_id}.rss`,
      `/posts/${post.id}.json`,
      `/posts/${post.id}/raw`,
      `/posts/by_number/${post.topic_id}/1.json`,
    ]
    for (const door of doors) {
      for (const as of ['mod', 'ada'] as const)
        assert.equal((await site.request('GET', door, { as })).status, 404, door)
      assert.equal((await site.request('GET', door)).status, 404, door)
    }
    const lists = [
      '/latest',
      '/posts',
      '/posts.rss',
      '/latest.rss',
      '/search?q=secretword',
      '/u/sam/activity.rss',
    ]
    for (const list of [...lists, '/user_actions?username=sam&filter=4,5', '/top', '/c/general/1', '/new']) {
      const { text } = await site.request('GET', list, { as: 'ada' })
      assert.doesNotMatch(text, /a secretword|To you alone/, list)
    }
    const reply = { topic_id: post.topic_id, raw: 'I am not here' }
    assert.equal((await site.request('POST', '/posts', { as: 'ada', json: reply })).status, 404)
    assert.equal((await site.request('GET', `/t/${post.topic_id}.json`, { as: 'kim' })).status, 200)
    const own = await site.request('GET', '/search.json?q=secretword', { as: 'kim' })
    assert.equal(own.json.posts.length, 1)
    const listed = await site.request('GET', '/topics/private-messages/kim.json', { as: 'kim' })
    assert.equal(listed.json.topic_list.topics[0].id, post.topic_id)
    assert.equal((await site.request('GET', '/topics/private-messages/kim.json', { as: 'ada' })).status, 403)
  })

  test('tell everybody in them of each post, and nobody who is only mentioned', async () => {
    using site = await openSite()
    const { json: post } = await send(site)
    await site.request('POST', '/posts', { as: 'kim', json: { topic_id: post.topic_id, raw: 'ask @ada' } })
    assert.deepEqual(typesOf(site), [
      [site.users.kim.id, 6],
      [site.users.sam.id, 6],
    ])
  })
})
