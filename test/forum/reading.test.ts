import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openSite, type TestSite } from './site.ts'

describe('GET /latest', () => {
  test('lists topics with the newest activity first, below what is pinned', async () => {
    using site = await openSite()
    const first = await site.topic({ title: 'The first one' })
    site.advance(1000)
    await site.topic({ title: 'The second one' })
    site.advance(1000)
    await site.request('POST', '/posts', { as: 'kim', json: { topic_id: first.topic_id, raw: 'reply' } })
    const { json } = await site.request('GET', '/latest.json')
    assert.deepEqual(
      json.topic_list.topics.map((topic: { title: string }) => topic.title.slice(0, 7)),
      ['Welcome', 'The fir', 'The sec'],
    )
    const [, topic] = json.topic_list.topics
    assert.equal(topic.posts_count, 2)
    assert.equal(topic.last_poster_username, 'kim')
    const ids = json.users.map((user: { id: number }) => user.id)
    assert.ok(topic.posters.every((poster: { user_id: number }) => ids.includes(poster.user_id)))
  })

  test('gives thirty topics a page and the address of the next', async () => {
    using site = await openSite()
    for (let index = 0; index < 35; index += 1) await site.topic({ title: `Topic number ${index}` })
    const first = (await site.request('GET', '/latest.json')).json.topic_list
    assert.equal(first.topics.length, 30)
    assert.equal(first.more_topics_url, '/latest?page=1')
    const second = (await site.request('GET', '/latest.json?page=1')).json.topic_list
    assert.equal(second.topics.length, 6)
    assert.equal(second.more_topics_url, undefined)
    const far = await site.request('GET', '/latest.json?page=2147483647')
    assert.deepEqual(far.json.topic_list.topics, [])
  })

  test('answers alike with .json, a last slash and a query', async () => {
    using site = await openSite()
    const texts = await Promise.all(
      ['/latest', '/latest/', '/latest.json', '/latest.json?order=activity'].map(
        async (path) => (await site.request('GET', path)).text,
      ),
    )
    assert.equal(new Set(texts).size, 1)
  })
})

describe('GET /new and /unread', () => {
  const ids = async (site: TestSite, list: string) =>
    (await site.request('GET', `/${list}.json`, { as: 'kim' })).json.topic_list.topics.map(
      (topic: { id: number }) => topic.id,
    )

  test('follow what somebody has opened', async () => {
    using site = await openSite()
    const { topic_id } = await site.topic()
    assert.ok((await ids(site, 'new')).includes(topic_id))
    await site.request('GET', `/t/x/${topic_id}`, { as: 'kim', page: true })
    assert.ok(!(await ids(site, 'new')).includes(topic_id))
    assert.deepEqual(await ids(site, 'unread'), [])
    await site.request('POST', '/posts', { as: 'sam', json: { topic_id, raw: 'more' } })
    assert.deepEqual(await ids(site, 'unread'), [topic_id])
    const { json: state } = await site.request('GET', '/users/kim/topic-tracking-state.json', { as: 'kim' })
    const tracked = state.find((topic: { topic_id: number }) => topic.topic_id === topic_id)
    assert.equal(tracked.last_read_post_number, 1)
    assert.equal(tracked.highest_post_number, 2)
    const form = { topic_id: String(topic_id), 'timings[1]': '500', 'timings[2]': '900' }
    await site.request('POST', '/topics/timings', { as: 'kim', form })
    assert.deepEqual(await ids(site, 'unread'), [])
  })

  test('forget about a topic after two days', async () => {
    using site = await openSite()
    const { topic_id } = await site.topic()
    site.advance(2 * 86_400_000)
    assert.ok(!(await ids(site, 'new')).includes(topic_id))
  })

  test('a post by an app does not count as having read what others wrote', async () => {
    using site = await openSite()
    const { topic_id } = await site.topic({ raw: 'hello @kim' })
    const post = (as: 'sam' | 'kim by app') =>
      site.request('POST', '/posts', {
        ...(as === 'sam' ? { as } : { key: 'kim/Bot' }),
        json: { topic_id, raw: 'more' },
      })
    await post('kim by app')
    assert.deepEqual(await ids(site, 'unread'), [topic_id])
    const { json } = await site.request('GET', '/notifications/totals.json', { as: 'kim' })
    assert.equal(json.unread_notifications, 1)
    await site.request('GET', `/t/x/${topic_id}`, { as: 'kim', page: true })
    await post('kim by app')
    assert.deepEqual(await ids(site, 'unread'), [])
    await post('sam')
    await post('kim by app')
    assert.deepEqual(await ids(site, 'unread'), [topic_id])
  })

  test('are refused to somebody who is not signed in', async () => {
    using site = await openSite()
    assert.equal((await site.request('GET', '/new.json')).json.reason, 'not_signed_in')
  })

  test('the tracking state is one’s own', async () => {
    using site = await openSite()
    const { json } = await site.request('GET', '/u/sam/topic-tracking-state.json', { as: 'kim' })
    assert.equal(json.reason, 'not_permitted')
  })
})

describe('GET /t/:id', () => {
  test('answers by id, by slug and id, and with the Markdown on request', async () => {
    using site = await openSite()
    const { topic_id, id } = await site.topic({ raw: 'Some *text*', tags: 'b,a' })
    for (const path of [`/t/${topic_id}.json`, `/t/any-slug/${topic_id}.json`, `/t/${topic_id}/1.json`]) {
      const { json } = await site.request('GET', path)
      assert.equal(json.id, topic_id, path)
      assert.deepEqual(json.post_stream.stream, [id])
      assert.equal(json.post_stream.posts[0].raw, undefined)
    }
    const { json } = await site.request('GET', `/t/${topic_id}.json?include_raw=true`)
    assert.equal(json.post_stream.posts[0].raw, 'Some *text*')
    assert.deepEqual(json.tags, ['a', 'b'])
    assert.equal(json.details.created_by.username, 'Sam')
  })

  test('gives twenty posts a page, certain posts, and the page of a post', async () => {
    using site = await openSite()
    const { topic_id } = await site.topic()
    for (let index = 2; index <= 45; index += 1) {
      await site.request('POST', '/posts', { as: 'kim', json: { topic_id, raw: `Post ${index}` } })
    }
    const numbers = async (path: string) =>
      (await site.request('GET', path)).json.post_stream.posts.map(
        (post: { post_number: number }) => post.post_number,
      )
    assert.deepEqual((await numbers(`/t/${topic_id}.json`)).at(-1), 20)
    assert.deepEqual(await numbers(`/t/${topic_id}.json?page=3`), [41, 42, 43, 44, 45])
    assert.deepEqual((await numbers(`/t/${topic_id}/25.json`)).at(0), 21)
    const { stream } = (await site.request('GET', `/t/${topic_id}.json`)).json.post_stream
    assert.equal(stream.length, 45)
    const query = `post_ids[]=${stream[30]}&post_ids[]=${stream[2]}&post_ids[]=999999`
    assert.deepEqual(await numbers(`/t/${topic_id}/posts.json?${query}`), [31, 3])
    assert.equal((await site.request('GET', `/t/${topic_id}.json?page=9`)).status, 404)
  })

  test('escapes the title where the wire wants HTML', async () => {
    using site = await openSite()
    const { topic_id } = await site.topic({ title: 'Less < more & "so"' })
    const { json } = await site.request('GET', `/t/${topic_id}.json`)
    assert.equal(json.title, 'Less < more & "so"')
    assert.equal(json.fancy_title, 'Less &lt; more &amp; &quot;so&quot;')
  })
})

describe('GET /search', () => {
  const found = async (site: TestSite, query: string) =>
    (await site.request('GET', `/search.json?q=${encodeURIComponent(query)}`)).json.posts.map(
      (post: { id: number }) => post.id,
    )

  test('finds every word in text and title, whatever the case of the letters', async () => {
    using site = await openSite()
    const { id } = await site.topic({ title: 'Große ÄPFEL', raw: 'red and green' })
    for (const query of ['RED', 'äpfel', 'green große', '@sam red', 'category:general red']) {
      assert.deepEqual(await found(site, query), [id], query)
    }
    for (const query of ['red blue', '@kim red', 'topic:1 red', 'topic:99999999999 red', '@nobody red', '']) {
      assert.deepEqual(await found(site, query), [], query)
    }
  })

  test('takes wildcards and quotation marks as letters', async () => {
    using site = await openSite()
    const { id } = await site.topic({ raw: 'it\'s 100% _sure_! "yes" \\ no' })
    for (const query of ['100%', '_sure_!', "it's", '"yes"', '\\ 100%']) {
      assert.deepEqual(await found(site, query), [id], query)
    }
    assert.deepEqual(await found(site, '1%0'), [])
    assert.deepEqual(await found(site, "' or 1=1 --"), [])
  })

  test('answers in the form that clients read', async () => {
    using site = await openSite()
    const { id, topic_id } = await site.topic({ raw: 'a needle here' })
    const { json } = await site.request('GET', '/search.json?q=needle&page=1')
    assert.equal(json.posts[0].blurb, 'a needle here')
    assert.equal(json.topics[0].id, topic_id)
    assert.deepEqual(json.grouped_search_result.post_ids, [id])
    assert.equal(json.grouped_search_result.term, 'needle')
  })
})

describe('GET /filter', () => {
  test('narrows by category, tag, author, state and order', async () => {
    using site = await openSite()
    const tagged = await site.topic({ title: 'With a tag', tags: 'help' })
    await site.topic({ title: 'Another one', as: 'kim' })
    await site.request('PUT', `/t/${tagged.topic_id}/status`, {
      as: 'ada',
      json: { status: 'closed', enabled: true },
    })
    const titles = async (query: string) =>
      (await site.request('GET', `/filter.json?q=${encodeURIComponent(query)}`)).json.topic_list.topics.map(
        (topic: { title: string }) => topic.title,
      )
    assert.deepEqual(await titles('tag:help'), ['With a tag'])
    assert.deepEqual(await titles('created-by:@kim'), ['Another one'])
    assert.deepEqual(await titles('status:closed category:general'), ['With a tag'])
    assert.deepEqual(await titles('category:nowhere'), [])
    assert.equal((await titles('order:title-asc'))[0], 'Another one')
  })
})

describe('the other lists', () => {
  test('categories, tags, groups, site and about answer in the forms that clients read', async () => {
    using site = await openSite()
    const { topic_id } = await site.topic({ tags: 'help' })
    const get = async (path: string) => (await site.request('GET', path)).json
    assert.equal((await get('/categories.json')).category_list.categories[0].slug, 'general')
    assert.equal((await get('/c/1/show.json')).category.name, 'General')
    assert.equal((await get('/c/general/1.json')).topic_list.topics[1].id, topic_id)
    assert.equal((await get('/c/general/1/l/latest.json')).topic_list.topics[1].id, topic_id)
    assert.deepEqual((await get('/tags.json')).tags[0], {
      id: 'help',
      text: 'help',
      name: 'help',
      slug: 'help',
      count: 1,
    })
    assert.equal((await get('/tag/help.json')).topic_list.topics[0].id, topic_id)
    assert.equal((await get('/top/weekly.json')).topic_list.topics.length, 2)
    assert.equal((await get('/groups.json')).groups[0].name, 'admins')
    assert.equal((await get('/site.json')).categories[0].id, 1)
    assert.equal((await get('/about.json')).about.title, 'Hallpass')
    assert.equal((await get('/posts.json')).latest_posts[0].topic_id, topic_id)
  })

  test('a user’s card, actions and bookmarks', async () => {
    using site = await openSite({
      userFields: async (user, viewer) => ({ apps_seen_by: `${user.username} by ${viewer?.username}` }),
    })
    const { topic_id } = await site.topic()
    await site.request('POST', '/posts', { as: 'sam', json: { topic_id, raw: 'reply' } })
    const { user } = (await site.request('GET', '/u/SAM.json', { as: 'kim' })).json
    assert.equal(user.username, 'Sam')
    assert.equal(user.post_count, 2)
    assert.equal(user.topic_count, 1)
    assert.equal(user.apps_seen_by, 'Sam by kim')
    assert.equal((await site.request('GET', '/users/sam.json')).json.user.id, 3)
    assert.equal((await site.request('GET', '/u/nobody.json')).status, 404)
    const actions = async (filter: string) =>
      (await site.request('GET', `/user_actions.json?username=sam&filter=${filter}`)).json.user_actions.map(
        (action: { action_type: number }) => action.action_type,
      )
    assert.deepEqual(await actions('4,5'), [5, 4])
    assert.deepEqual(await actions('4'), [4])
    assert.deepEqual(await actions('7'), [])
    const bookmarks = await site.request('GET', '/u/sam/bookmarks.json', { as: 'sam' })
    assert.deepEqual(bookmarks.json.user_bookmark_list.bookmarks, [])
  })

  test('feeds are well-formed and escape what people wrote', async () => {
    using site = await openSite()
    const { topic_id } = await site.topic({ title: 'Less < more & ]]>', raw: 'a < b \u0001 \ufffe' })
    for (const path of [
      '/latest.rss',
      '/posts.rss',
      `/t/x/${topic_id}.rss`,
      '/c/general/1.rss',
      '/u/sam/activity.rss',
    ]) {
      const { status, headers, text } = await site.request('GET', path)
      assert.equal(status, 200, path)
      assert.match(headers.get('content-type') ?? '', /rss\+xml/)
      assert.match(text, /<title>Less &lt; more &amp; \]\]&gt;<\/title>/, path)
      assert.doesNotMatch(text, /(?!\n)\p{Cc}|\ufffe/u)
    }
  })

  test('drafts are kept, counted and thrown away, each for its owner', async () => {
    using site = await openSite()
    const save = (data: string) =>
      site.request('POST', '/drafts.json', { as: 'sam', json: { draft_key: 'new_topic', data, sequence: 0 } })
    assert.equal((await save('{"reply":"a"}')).json.draft_sequence, 0)
    assert.equal((await save('{"reply":"b"}')).json.draft_sequence, 1)
    const { drafts } = (await site.request('GET', '/drafts.json', { as: 'sam' })).json
    assert.equal(drafts.length, 1)
    assert.equal(drafts[0].data, '{"reply":"b"}')
    assert.deepEqual((await site.request('GET', '/drafts.json', { as: 'kim' })).json.drafts, [])
    assert.equal((await site.request('DELETE', '/drafts/new_topic.json', { as: 'sam' })).status, 200)
    assert.equal((await site.request('GET', '/drafts/new_topic.json', { as: 'sam' })).json.draft, null)
    const refused = await site.request('POST', '/drafts.json', {
      as: 'sam',
      json: { draft_key: 'a b', data: 'x' },
    })
    assert.equal(refused.json.reason, 'record_invalid')
  })

  test('the message bus answers that there is no news', async () => {
    using site = await openSite()
    assert.deepEqual((await site.request('POST', '/message-bus/abc/poll', { key: 'sam', form: {} })).json, [])
    assert.equal((await site.request('POST', '/message-bus/abc/poll', { form: {} })).status, 403)
  })
})
