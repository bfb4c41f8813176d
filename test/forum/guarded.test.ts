/** The forum behind the real Hallpass, as the server runs it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createForum, type Forum } from '../../src/forum/forum.ts'
import { createHallpass } from '../../src/server/create-hallpass.ts'
import { createStore } from '../../src/storage/store.ts'
import { openTestDatabase } from '../test-database.ts'
import { authorizationParameters, openSealed, userPassword } from '../test-site.ts'

const baseUrl = 'http://forum.test'

interface Sent {
  readonly headers?: Readonly<Record<string, string>>
  readonly form?: Readonly<Record<string, string>>
}

/** A forum with the user sam, who is signed in, and a function that approves an app for them. */
async function openGuarded() {
  const database = await openTestDatabase()
  const fields: { forum?: Forum } = {}
  const hallpass = await createHallpass({
    store: await createStore(database),
    baseUrl,
    currentUserFields: async (user) => fields.forum?.currentUserFields(user) ?? {},
  })
  await hallpass.createAccount({ username: 'sam', password: userPassword, name: '', email: '', admin: false })
  const { directory } = hallpass
  const faults: unknown[] = []
  const clock = { now: () => Date.now() }
  const onError = (error: unknown) => faults.push(error)
  const forum = await createForum({ hallpass, database, directory, clock, baseUrl, onError })
  fields.forum = forum

  const cookies = new Map<string, string>()
  const send = async (method: string, path: string, sent: Sent = {}, withCookies = false) => {
    const headers = new Headers({ accept: 'application/json', ...sent.headers })
    if (withCookies) headers.set('cookie', [...cookies].map((pair) => pair.join('=')).join('; '))
    const body = sent.form === undefined ? {} : { body: new URLSearchParams(sent.form) }
    const response = await forum.fetch(new Request(baseUrl + path, { method, headers, ...body }), {
      remoteAddress: '127.0.0.1',
    })
    if (withCookies) {
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        cookies.set(name, value)
      }
    }
    return response
  }
  const browse = (method: string, path: string, sent?: Sent) => send(method, path, sent, true)
  const csrf = async () => String((await (await browse('GET', '/session/csrf.json')).json()).csrf)
  const token = await csrf()
  const login = { login: 'sam', password: userPassword, authenticity_token: token }
  assert.equal((await browse('POST', '/session.json', { form: login })).status, 200)

  return {
    send,
    forum,
    browse,
    csrf,
    faults,
    async approve(change: Record<string, string>) {
      const form = { ...authorizationParameters(change), authenticity_token: await csrf() }
      const { payload } = await (await browse('POST', '/user-api-key.json', { form })).json()
      return { 'user-api-key': String(openSealed(payload).key) }
    },
    async [Symbol.asyncDispose]() {
      await hallpass.close()
      await database.close()
    },
  }
}

describe('the forum behind Hallpass', () => {
  test('a key that may write posts under its app’s name', async () => {
    await using site = await openGuarded()
    const headers = await site.approve({ scopes: 'write', application_name: 'Pocket app' })
    const form = { title: 'Posted with a key', raw: 'Hello' }
    const made = await (await site.send('POST', '/posts.json', { headers, form })).json()
    assert.equal(made.via_app, 'Pocket app')
    assert.equal(made.username, 'sam')
    const page = await site.send('GET', `/t/x/${made.topic_id}`, { headers: { accept: 'text/html' } })
    assert.match(await page.text(), /via “<bdi>Pocket app<\/bdi>”/)
    assert.deepEqual(site.faults, [])
  })

  test('a key that may read does not write, and the refusal says so', async () => {
    await using site = await openGuarded()
    const headers = await site.approve({ scopes: 'read' })
    assert.equal((await site.send('GET', '/latest.json', { headers })).status, 200)
    const refused = await site.send('POST', '/posts.json', { headers, form: { topic_id: '1', raw: 'Hello' } })
    assert.equal(refused.status, 403)
    assert.equal((await refused.json()).reason, 'scope_insufficient')
  })

  test('a key for notifications reads them, and nothing else', async () => {
    await using site = await openGuarded()
    const headers = await site.approve({ scopes: 'notifications' })
    const totals = await site.send('GET', '/notifications/totals.json', { headers })
    assert.ok((await totals.json()).topic_tracking)
    assert.equal((await site.send('GET', '/notifications.json', { headers })).status, 200)
    assert.equal((await site.send('PUT', '/notifications/read', { headers })).status, 200)
    assert.deepEqual(await (await site.send('POST', '/message-bus/x/poll', { headers })).json(), [])
    for (const path of ['/latest.json', '/t/1.json', '/u/sam.json', '/']) {
      assert.equal((await site.send('GET', path, { headers })).status, 403, path)
    }
  })

  test('a key for session info reads the tracking state by either name', async () => {
    await using site = await openGuarded()
    const headers = await site.approve({ scopes: 'session_info' })
    for (const path of ['/users/sam/topic-tracking-state.json', '/u/sam/topic-tracking-state.json']) {
      assert.equal((await site.send('GET', path, { headers })).status, 200, path)
    }
  })

  test('an unknown key is refused on public pages as well', async () => {
    await using site = await openGuarded()
    const headers = { 'user-api-key': '0'.repeat(32) }
    assert.equal((await site.send('GET', '/latest.json', { headers })).status, 403)
    assert.equal((await site.send('GET', '/latest.json')).status, 200)
  })

  test('who is signed in is told what waits for them', async () => {
    await using site = await openGuarded()
    const { current_user } = await (await site.browse('GET', '/session/current.json')).json()
    assert.equal(current_user.username, 'sam')
    assert.equal(current_user.unread_notifications, 0)
    assert.equal(current_user.seen_notification_id, 0)
  })

  test('a page’s forms work with its own CSRF token, and not without', async () => {
    await using site = await openGuarded()
    const page = { accept: 'text/html' }
    const html = await (await site.browse('GET', '/new-topic', { headers: page })).text()
    const [, authenticity_token = ''] = /name="authenticity_token" value="([^"]+)"/.exec(html) ?? []
    const form = { title: 'Written in a browser', raw: 'Hello' }
    assert.equal((await site.browse('POST', '/posts', { headers: page, form })).status, 403)
    const made = await site.browse('POST', '/posts', { headers: page, form: { ...form, authenticity_token } })
    assert.equal(made.status, 303)
    const out = await site.browse('POST', '/hallpass/sign-out', {
      headers: page,
      form: { authenticity_token },
    })
    assert.equal(out.status, 302)
    const after = await site.browse('GET', '/new-topic', { headers: page })
    assert.match(after.headers.get('location') ?? '', /^\/login\?redirect=/)
  })

  test('a path that can be read in two ways is refused', async () => {
    await using site = await openGuarded()
    for (const path of ['/t/1%2f..%2flatest.json', '/latest%00.json', '/%5clatest']) {
      const response = await site.send('GET', path)
      assert.equal(response.status, 400, path)
      assert.equal((await response.json()).reason, 'path_ambiguous')
    }
  })

  // A quarter of a megabyte to be taken in and parsed is what the limit is to spare.
  test('the body of an address that is over its limit is not read', async () => {
    await using site = await openGuarded()
    let pulled = 0
    const post = async (): Promise<number> => {
      const pull = (controller: ReadableStreamDefaultController): void => {
        pulled += 1
        controller.close()
      }
      const body = new ReadableStream({ pull }, { highWaterMark: 0 })
      const init = { method: 'POST', body, duplex: 'half' } as RequestInit
      const connection = { remoteAddress: '192.0.2.77' }
      return (await site.forum.fetch(new Request(`${baseUrl}/posts.json`, init), connection)).status
    }
    let sent = 0
    while ((await post()) !== 429) sent += 1
    assert.equal(pulled, sent)
  })
})
