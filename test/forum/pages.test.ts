import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openSite } from './site.ts'

describe('the forum’s pages', () => {
  test('an empty forum begins with a category and a topic that tells how to get a key', async () => {
    using site = await openSite()
    const { status, text } = await site.request('GET', '/', { page: true })
    assert.equal(status, 200)
    assert.match(text, /Welcome: get a key for your app in five minutes/)
    assert.match(text, /General/)
    const topic = await site.request('GET', '/t/1.json')
    assert.match(topic.json.post_stream.posts[0].cooked, /hallpass login https:\/\/forum\.test/)
  })

  test('every page has one heading and marks where one is', async () => {
    using site = await openSite()
    await site.topic({ tags: 'help' })
    const paths = [
      '/',
      '/latest',
      '/new',
      '/unread',
      '/top',
      '/categories',
      '/tags',
      '/tag/help',
      '/c/general/1',
    ]
    const own = [
      '/u/sam',
      '/u/sam/messages',
      '/u/sam/notifications',
      '/new-topic',
      '/new-message',
      '/t/x/2',
      '/search?q=a',
    ]
    for (const path of [
      ...paths,
      ...own,
      '/filter?q=tag:help',
      '/posts/2/edit',
      '/topics/2/edit',
      '/posts/2/delete',
    ]) {
      const { status, text } = await site.request('GET', path, { as: 'sam', page: true })
      assert.equal(status, 200, path)
      assert.equal(text.match(/<h1/g)?.length, 1, path)
      assert.doesNotMatch(text, /undefined|\[object/, path)
    }
    const { text } = await site.request('GET', '/categories', { page: true })
    assert.match(text, /href="\/categories" aria-current="page"/)
  })

  test('nothing of what people write runs or loads on them', async () => {
    using site = await openSite()
    const evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    const { topic_id } = await site.topic({ title: `Title ${evil}`, raw: evil })
    await site.request('POST', '/posts', { key: `kim/${evil}`, json: { topic_id, raw: 'by an app @sam' } })
    const query = encodeURIComponent(evil)
    for (const path of [
      '/',
      `/t/x/${topic_id}`,
      '/u/kim',
      '/u/sam/notifications',
      `/search?q=${query}`,
      '/search?q=app',
    ]) {
      const { text, headers } = await site.request('GET', path, { as: 'sam', page: true })
      assert.doesNotMatch(text, /<script|<img src=x|onerror=alert\(1\)>/, path)
      const policy = headers.get('content-security-policy') ?? ''
      assert.match(policy, /default-src 'none'/)
      assert.doesNotMatch(policy, /unsafe|script-src/)
      assert.doesNotMatch(text, /<script|style="/, path)
    }
  })

  test('a post by an app says which, quoted and isolated', async () => {
    using site = await openSite()
    const { topic_id } = await site.topic()
    await site.request('POST', '/posts', { key: 'kim/My <app>', json: { topic_id, raw: 'text' } })
    const { text } = await site.request('GET', `/t/x/${topic_id}`, { page: true })
    assert.match(text, /via “<bdi>My &lt;app&gt;<\/bdi>”/)
  })

  test('forms carry the CSRF token, and its cookie is set', async () => {
    using site = await openSite()
    const { text, headers } = await site.request('GET', '/new-topic', { as: 'sam', page: true })
    assert.match(
      text,
      /<form class="editor"[^>]*>\s*<input type="hidden" name="authenticity_token" value="good">/,
    )
    assert.match(text, /action="\/hallpass\/sign-out"/)
    assert.match(headers.get('set-cookie') ?? '', /csrf=1/)
  })

  test('somebody who is not signed in reads, and is sent to sign in before writing', async () => {
    using site = await openSite()
    const { text, headers } = await site.request('GET', '/t/x/1', { page: true })
    assert.match(text, /href="\/login\?redirect=%2Ft%2F/)
    assert.doesNotMatch(text, /<textarea/)
    assert.equal(headers.get('set-cookie'), null)
    const form = await site.request('GET', '/new-topic?category=1', { page: true })
    assert.equal(form.status, 303)
    assert.equal(form.headers.get('location'), '/login?redirect=%2Fnew-topic%3Fcategory%3D1')
  })

  test('a form leads to what it made', async () => {
    using site = await openSite()
    const form = {
      title: 'Made by a form',
      raw: 'text',
      category: '1',
      tags: 'a, b',
      authenticity_token: 'good',
    }
    const made = await site.request('POST', '/posts', { as: 'sam', form, page: true })
    assert.equal(made.status, 303)
    assert.equal(made.headers.get('location'), '/t/made-by-a-form/2/1')
    const there = await site.request('GET', '/t/made-by-a-form/2/1', { as: 'sam', page: true })
    assert.equal(there.headers.get('location'), '/t/made-by-a-form/2?page=1#post_1')
  })

  test('a form that is not taken comes back with what was written and why', async () => {
    using site = await openSite()
    const form = { title: 'Hey', raw: 'my <long> text', category: '1' }
    const { status, text } = await site.request('POST', '/posts', { as: 'sam', form, page: true })
    assert.equal(status, 422)
    assert.match(text, /Title is too short/)
    assert.match(text, /my &lt;long&gt; text/)
    const reply = await site.request('POST', '/posts', {
      as: 'sam',
      form: { topic_id: '1', raw: ' ' },
      page: true,
    })
    assert.equal(reply.status, 422)
    assert.match(reply.text, /Body is empty/)
  })

  test('editing and deleting work without scripts', async () => {
    using site = await openSite()
    const { id, topic_id } = await site.topic()
    const ask = (method: string, path: string, form?: Record<string, string>, as = 'sam') =>
      site.request(method, path, { as, page: true, ...(form ? { form } : {}) })
    assert.equal((await ask('GET', `/posts/${id}/edit`, undefined, 'kim')).status, 403)
    assert.match((await ask('GET', `/posts/${id}/edit`)).text, /The first post of it\./)
    assert.equal((await ask('POST', `/posts/${id}/edit`, { raw: 'changed' })).status, 303)
    assert.equal((await ask('POST', `/posts/${id}/edit`, { raw: '' })).status, 422)
    assert.equal((await ask('POST', `/topics/${topic_id}/edit`, { title: 'A new title' })).status, 303)
    assert.match((await ask('GET', `/t/x/${topic_id}`)).text, /A new title/)
    assert.match((await ask('GET', `/posts/${id}/delete`)).text, /Delete this topic\?/)
    assert.equal((await ask('POST', `/posts/${id}/delete`, {})).headers.get('location'), '/')
    assert.equal((await ask('GET', `/t/x/${topic_id}`)).status, 404)
  })

  test('a user’s page links to apps and notifications for themselves only', async () => {
    using site = await openSite()
    const own = await site.request('GET', '/u/sam', { as: 'sam', page: true })
    assert.match(own.text, /<a class="button" href="\/u\/Sam\/preferences\/apps">/)
    assert.match(own.text, /<a class="button" href="\/u\/Sam\/notifications">/)
    const other = await site.request('GET', '/u/sam', { as: 'kim', page: true })
    assert.doesNotMatch(other.text, /Sam\/preferences\/apps/)
    assert.match(other.text, /\/new-message\?username=Sam/)
  })

  test('the stylesheet and the pictures are served, the pictures as documents that run nothing', async () => {
    using site = await openSite()
    const style = await site.request('GET', '/forum/assets/forum.css')
    assert.match(style.headers.get('content-type') ?? '', /text\/css/)
    const picture = await site.request('GET', '/forum/avatar/%3Cscript%3E/48.svg')
    assert.equal(picture.status, 200)
    assert.doesNotMatch(picture.text, /<script/)
    assert.match(picture.headers.get('content-security-policy') ?? '', /sandbox/)
    for (const path of [
      '/forum/assets/../forum.ts',
      '/forum/assets/%2e%2e/forum.ts',
      '/forum/avatar/a/9999.svg',
    ]) {
      assert.notEqual((await site.request('GET', path)).status, 200, path)
    }
  })
})
