import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openSite } from './site.ts'

describe('POST /posts', () => {
  test('begins a topic from JSON and answers with its first post', async () => {
    using site = await openSite()
    const json = { title: 'Hello everybody', raw: 'This is **it**.', category: 1 }
    const { status, json: post } = await site.request('POST', '/posts.json', { as: 'sam', json })
    assert.equal(status, 200)
    assert.equal(post.post_number, 1)
    assert.equal(post.username, 'Sam')
    assert.equal(post.cooked, '<p>This is <strong>it</strong>.</p>\n')
    assert.equal(post.raw, 'This is **it**.')
    assert.equal(post.topic_slug, 'hello-everybody')
    assert.equal(post.created_at, '2026-01-01T00:00:00.000Z')
    assert.equal(typeof post.id, 'number')
    assert.equal(typeof post.topic_id, 'number')
    assert.equal(post.via_app, null)
  })

  test('takes a form, with and without .json and a last slash', async () => {
    using site = await openSite()
    for (const path of ['/posts', '/posts/', '/posts.json']) {
      const form = { title: `By way of ${path}`, raw: 'text' }
      const { status } = await site.request('POST', path, { as: 'sam', form })
      assert.equal(status, 200, path)
    }
  })

  test('takes multipart forms and parameters in the query', async () => {
    using site = await openSite()
    const body = new FormData()
    body.set('raw', 'from a multipart form')
    const { json } = await site.request('POST', '/posts.json?title=In+the+query', { as: 'sam', body })
    assert.equal(json.raw, 'from a multipart form')
    assert.equal(json.topic_title, 'In the query')
  })

  test('adds a reply and counts it', async () => {
    using site = await openSite()
    const { topic_id } = await site.topic()
    const json = { topic_id, raw: 'A reply', reply_to_post_number: 1 }
    const { json: post } = await site.request('POST', '/posts.json', { as: 'kim', json })
    assert.equal(post.post_number, 2)
    assert.equal(post.reply_to_post_number, 1)
    const { json: topic } = await site.request('GET', `/t/${topic_id}.json`)
    assert.equal(topic.posts_count, 2)
    assert.equal(topic.details.last_poster.username, 'kim')
    assert.equal(topic.post_stream.posts[0].reply_count, 1)
  })

  test('numbers replies that come at once without a gap or a repeat', async () => {
    using site = await openSite()
    const { topic_id } = await site.topic()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        site.request('POST', '/posts.json', { as: 'kim', json: { topic_id, raw: `Reply ${index}` } }),
      ),
    )
    const numbers = answers.map(({ json }) => Number(json.post_number)).sort((a, b) => a - b)
    assert.deepEqual(
      numbers,
      Array.from({ length: 20 }, (_, index) => index + 2),
    )
  })

  test('names the app that wrote it with a user API key', async () => {
    using site = await openSite()
    const json = { title: 'By an app', raw: 'text' }
    const { json: post, headers } = await site.request('POST', '/posts.json', { key: 'sam/My "app"', json })
    assert.equal(post.via_app, 'My "app"')
    assert.equal(headers.get('x-discourse-username'), 'Sam')
  })

  for (const [name, json, problem] of [
    ['a title that is too short', { title: 'Hey', raw: 'text' }, /title is too short/],
    ['a title of white space', { title: '      \u2028 ', raw: 'text' }, /title is too short/],
    ['a title that is too long', { title: 'x'.repeat(256), raw: 'text' }, /title is too long/],
    ['a missing body', { title: 'A good title' }, /body is empty/],
    ['an empty body', { title: 'A good title', raw: ' \n\t ' }, /body is empty/],
    ['a body that is too long', { title: 'A good title', raw: 'x'.repeat(32_001) }, /body is too long/],
    ['a NUL in the body', { title: 'A good title', raw: 'a\0b' }, /NUL/],
    [
      'a category that is not there',
      { title: 'A good title', raw: 'text', category: 99 },
      /no such category/,
    ],
    [
      'too many tags',
      { title: 'A good title', raw: 'text', tags: ['a', 'b', 'c', 'd', 'e', 'f'] },
      /too many tags/,
    ],
    ['a tag that is none', { title: 'A good title', raw: 'text', tags: ['<b>'] }, /a tag is made of/],
    [
      'a message to nobody',
      { title: 'A good title', raw: 'text', archetype: 'private_message' },
      /recipient/,
    ],
    [
      'a message to somebody who is not there',
      { title: 'A good title', raw: 'text', archetype: 'private_message', target_recipients: 'nobody' },
      /no user nobody/,
    ],
  ] as const) {
    test(`refuses ${name} with 422`, async () => {
      using site = await openSite()
      const { status, json: body } = await site.request('POST', '/posts.json', { as: 'sam', json })
      assert.equal(status, 422)
      assert.equal(body.reason, 'record_invalid')
      assert.equal(body.error_type, 'record_invalid')
      assert.match(body.errors[0], problem)
    })
  }

  test('refuses a reply to a topic that is not there with 404', async () => {
    using site = await openSite()
    const { status, json } = await site.request('POST', '/posts.json', {
      as: 'sam',
      json: { topic_id: 4711, raw: 'text' },
    })
    assert.equal(status, 404)
    assert.equal(json.reason, 'not_found')
  })

  test('refuses a reply to a post that is not there', async () => {
    using site = await openSite()
    const { topic_id } = await site.topic()
    const json = { topic_id, raw: 'text', reply_to_post_number: 5 }
    assert.equal((await site.request('POST', '/posts.json', { as: 'sam', json })).status, 422)
  })

  test('refuses a reply to a closed topic, but not from staff', async () => {
    using site = await openSite()
    const { topic_id } = await site.topic()
    const form = { status: 'closed', enabled: 'true' }
    assert.equal((await site.request('PUT', `/t/${topic_id}/status`, { as: 'sam', form })).status, 403)
    assert.equal((await site.request('PUT', `/t/${topic_id}/status`, { as: 'mod', form })).status, 200)
    const json = { topic_id, raw: 'text' }
    const { status, json: body } = await site.request('POST', '/posts.json', { as: 'sam', json })
    assert.equal(status, 422)
    assert.match(body.errors[0], /closed/)
    assert.equal((await site.request('POST', '/posts.json', { as: 'mod', json })).status, 200)
  })

  test('refuses somebody who is not signed in', async () => {
    using site = await openSite()
    const { status, json } = await site.request('POST', '/posts.json', {
      json: { title: 'Hello you', raw: 'a' },
    })
    assert.equal(status, 403)
    assert.equal(json.reason, 'not_signed_in')
  })

  // Another site could otherwise post in the name of whoever visits it.
  test('refuses a session without its CSRF token, and takes the token in the form', async () => {
    using site = await openSite()
    const form = { title: 'Hello you all', raw: 'text' }
    const headers = { 'x-csrf-token': 'bad' }
    const refused = await site.request('POST', '/posts', { as: 'sam', form, headers })
    assert.equal(refused.json.reason, 'csrf_invalid')
    const signed = { ...form, authenticity_token: 'good' }
    assert.equal((await site.request('POST', '/posts', { as: 'sam', form: signed, headers })).status, 200)
  })

  test('refuses a bad key before it says anything of the body', async () => {
    using site = await openSite()
    const headers = { 'content-type': 'application/json' }
    const { json } = await site.request('POST', '/posts.json', { key: 'nobody', body: '{', headers })
    assert.equal(json.reason, 'user_api_key_invalid')
  })

  test('leaves nothing behind when it refuses', async () => {
    using site = await openSite()
    await site.request('POST', '/posts.json', { as: 'sam', json: { title: 'A good title', raw: '' } })
    const { json } = await site.request('GET', '/about.json')
    assert.equal(json.about.stats.topics_count, 1)
  })
})

describe('PUT /posts/:id', () => {
  test('changes the text for its author, counts the version and keeps the reason', async () => {
    using site = await openSite()
    const { id } = await site.topic()
    const json = { post: { raw: 'Now *different*', edit_reason: 'typo' } }
    const { status, json: body } = await site.request('PUT', `/posts/${id}.json`, { as: 'sam', json })
    assert.equal(status, 200)
    assert.equal(body.post.cooked, '<p>Now <em>different</em></p>\n')
    assert.equal(body.post.version, 2)
    assert.equal(body.post.edit_reason, 'typo')
    const search = await site.request('GET', '/search.json?q=different')
    assert.deepEqual(search.json.grouped_search_result.post_ids, [id])
  })

  test('takes a form with post[raw]', async () => {
    using site = await openSite()
    const { id } = await site.topic()
    const { json } = await site.request('PUT', `/posts/${id}`, {
      as: 'sam',
      form: { 'post[raw]': 'by form' },
    })
    assert.equal(json.post.raw, 'by form')
  })

  test('is refused to others, and permitted to staff', async () => {
    using site = await openSite()
    const { id } = await site.topic()
    const json = { post: { raw: 'mine now' } }
    const refused = await site.request('PUT', `/posts/${id}.json`, { as: 'kim', json })
    assert.equal(refused.status, 403)
    assert.equal(refused.json.reason, 'not_permitted')
    assert.equal((await site.request('PUT', `/posts/${id}.json`, { as: 'mod', json })).status, 200)
  })

  test('tells who is mentioned for the first time, once', async () => {
    using site = await openSite()
    const { id } = await site.topic()
    for (const raw of ['hello @kim', 'hello again @kim']) {
      await site.request('PUT', `/posts/${id}.json`, { as: 'sam', json: { post: { raw } } })
    }
    assert.deepEqual(
      site.pushed.map(({ userId, notification }) => [userId, notification.notification_type]),
      [[site.users.kim.id, 1]],
    )
  })
})

describe('DELETE /posts/:id', () => {
  test('takes a reply away for everybody and counts the topic anew', async () => {
    using site = await openSite()
    const { topic_id } = await site.topic()
    site.advance(60_000)
    const reply = await site.request('POST', '/posts.json', { as: 'kim', json: { topic_id, raw: 'findme' } })
    const { id } = reply.json
    assert.equal((await site.request('DELETE', `/posts/${id}.json`, { as: 'sam' })).status, 403)
    assert.equal((await site.request('DELETE', `/posts/${id}.json`, { as: 'kim' })).status, 200)
    assert.equal((await site.request('GET', `/posts/${id}.json`, { as: 'kim' })).status, 404)
    const { json: topic } = await site.request('GET', `/t/${topic_id}.json`)
    assert.equal(topic.posts_count, 1)
    assert.equal(topic.last_posted_at, '2026-01-01T00:00:00.000Z')
    assert.deepEqual((await site.request('GET', '/search.json?q=findme')).json.posts, [])
    // The number stays taken: a link to the deleted post must not lead to another.
    const next = await site.request('POST', '/posts.json', { as: 'kim', json: { topic_id, raw: 'next' } })
    assert.equal(next.json.post_number, 3)
  })

  test('takes the topic away with its first post, for its author only while nobody replied', async () => {
    using site = await openSite()
    const first = await site.topic()
    assert.equal((await site.request('DELETE', `/posts/${first.id}`, { as: 'sam' })).status, 200)
    assert.equal((await site.request('GET', `/t/${first.topic_id}.json`, { as: 'sam' })).status, 404)
    const second = await site.topic()
    await site.request('POST', '/posts', { as: 'kim', json: { topic_id: second.topic_id, raw: 'reply' } })
    assert.equal((await site.request('DELETE', `/t/${second.topic_id}`, { as: 'sam' })).status, 403)
    assert.equal((await site.request('DELETE', `/t/${second.topic_id}`, { as: 'ada' })).status, 200)
    assert.equal((await site.request('GET', `/posts/${second.id}.json`)).status, 404)
  })

  test('is undone by staff', async () => {
    using site = await openSite()
    const { id, topic_id } = await site.topic()
    await site.request('DELETE', `/posts/${id}`, { as: 'sam' })
    assert.equal((await site.request('PUT', `/t/${topic_id}/recover`, { as: 'sam' })).status, 403)
    assert.equal((await site.request('PUT', `/t/${topic_id}/recover`, { as: 'mod' })).status, 200)
    const reply = await site.request('POST', '/posts', { as: 'kim', json: { topic_id, raw: 'reply' } })
    await site.request('DELETE', `/posts/${reply.json.id}`, { as: 'kim' })
    assert.equal((await site.request('PUT', `/posts/${reply.json.id}/recover`, { as: 'mod' })).status, 200)
    assert.equal((await site.request('GET', `/t/${topic_id}.json`)).json.posts_count, 2)
  })
})

describe('PUT /t/:id', () => {
  test('changes title, category and tags for author and staff only', async () => {
    using site = await openSite()
    const { topic_id } = await site.topic({ tags: 'old' })
    const made = await site.request('POST', '/categories.json', {
      as: 'ada',
      json: { name: 'Apps', color: 'ff0000' },
    })
    const json = { title: 'Another title', category_id: made.json.category.id, tags: ['new'] }
    assert.equal((await site.request('PUT', `/t/${topic_id}.json`, { as: 'kim', json })).status, 403)
    const changed = await site.request('PUT', `/t/-/${topic_id}.json`, { as: 'sam', json })
    assert.equal(changed.json.basic_topic.title, 'Another title')
    const { json: topic } = await site.request('GET', `/t/${topic_id}.json`)
    assert.equal(topic.slug, 'another-title')
    assert.equal(topic.category_id, made.json.category.id)
    assert.deepEqual(topic.tags, ['new'])
  })

  test('keeps what it is not told to change', async () => {
    using site = await openSite()
    const { topic_id } = await site.topic({ tags: 'old' })
    await site.request('PUT', `/t/${topic_id}.json`, { as: 'sam', json: { title: 'Another title' } })
    const { json: topic } = await site.request('GET', `/t/${topic_id}.json`)
    assert.deepEqual(topic.tags, ['old'])
    assert.equal(topic.category_id, 1)
  })
})
