import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  authorizationParameters,
  createTestSite,
  openSealed,
  type RequestOptions,
  siteUrl,
  type TestSite,
} from '../test-site.ts'

let site: TestSite
before(async () => {
  site = await createTestSite()
  await site.asAdmin('/admin/site_settings/disable_rate_limits.json', {
    method: 'PUT',
    form: { disable_rate_limits: 'true' },
  })
})
after(() => site.close())

const html = { accept: 'text/html' }

function newPath(change: Record<string, string | undefined> = {}, suffix = ''): string {
  return `/user-api-key/new${suffix}?${new URLSearchParams(authorizationParameters(change))}`
}

describe('HEAD /user-api-key/new', () => {
  test('tells the version of the API, whatever the parameters', async () => {
    const response = await site.request('/user-api-key/new', { method: 'HEAD' })
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('auth-api-version'), '4')
    assert.equal(await response.text(), '')
  })
})

describe('GET /user-api-key/new', () => {
  test('names every missing parameter at once, in JSON, with an example', async () => {
    const response = await site.request('/user-api-key/new?scopes=read')
    assert.equal(response.status, 400)
    const body = await response.json()
    assert.equal(body.reason, 'parameters_missing')
    assert.equal(body.message, 'missing or blank: nonce, client_id, public_key, application_name')
    assert.match(body.errors[0], /: nonce$/)
    assert.match(body.remedy, /http:\/\/hallpass\.test\/user-api-key\/new\?nonce=NONCE/)
    assert.equal(body.error_type, undefined)
  })

  test('names them in JSON to a browser as well', async () => {
    const response = await site.request('/user-api-key/new?scopes=read', { headers: html })
    assert.equal(response.status, 400)
    assert.match(response.headers.get('content-type') ?? '', /json/)
    assert.equal((await response.json()).reason, 'parameters_missing')
  })

  test('shows a wrong padding as a page with status 400', async () => {
    const response = await site.request(newPath({ padding: 'x' }), { headers: html })
    assert.equal(response.status, 400)
    assert.match(response.headers.get('content-type') ?? '', /html/)
  })

  // An app whose redirect got lost on the way would otherwise wait for ever, its user before a page with a payload.
  test('refuses a redirect that is there and blank, and takes null in JSON for none', async () => {
    for (const blank of ['', ' ']) {
      const body = await (await site.request(newPath({ auth_redirect: blank }, '.json'))).json()
      assert.equal(body.reason, 'auth_redirect_invalid')
    }
    const headers = { 'api-key': site.adminApiKey, 'api-username': 'sam' }
    const json = { ...authorizationParameters(), auth_redirect: null }
    assert.equal((await site.request('/user-api-key.json', { json, headers })).status, 200)
  })

  test('has every field in JSON, null where nothing was sent', async () => {
    const visitor = await site.signedIn()
    const model = await (await visitor.request(newPath({}, '.json'))).json()
    assert.deepEqual(Object.keys(model), [
      'state',
      'application_name',
      'public_key',
      'nonce',
      'client_id',
      'auth_redirect',
      'redirect_uri',
      'push_url',
      'localized_scopes',
      'scopes',
      'write_scope',
      'padding',
      'expires_in_seconds',
      'expires_at',
      'current_user',
    ])
    for (const name of [
      'auth_redirect',
      'redirect_uri',
      'push_url',
      'padding',
      'expires_in_seconds',
      'expires_at',
    ])
      assert.equal(model[name], null, name)
  })

  test('sends somebody who is not signed in to sign in, and keeps all nine parameters until then', async () => {
    const asked = {
      auth_redirect: 'http://127.0.0.1:9999/cb?a=1',
      push_url: 'https://push.example.com/x',
      padding: 'oaep',
      expires_in_seconds: '3600',
      client_id: 'keeps\nits line feed\n',
    }
    const visitor = site.browser()
    const response = await visitor.request(newPath(asked), { headers: html })
    assert.equal(response.status, 302)
    const location = response.headers.get('location') ?? ''
    assert.match(location, /^\/login\?redirect=%2Fhallpass%2Fauthorize%2F[\w-]{16}$/)
    assert.doesNotMatch(response.headers.getSetCookie().join(), /destination/)

    const signIn = await visitor.request(location, { headers: html })
    assert.match(await signIn.text(), /My app/)
    const target = decodeURIComponent(location.split('=')[1] ?? '')
    const answer = await visitor.post('/login', {
      username: 'sam',
      password: 'correct horse battery',
      redirect: target,
    })
    assert.equal(answer.headers.get('location'), target)
    const shown = await visitor.request(`${target}.json`)
    const model = await shown.json()
    assert.equal(model.state, 'ready')
    assert.deepEqual(
      Object.fromEntries(Object.entries(model).filter(([name]) => name in authorizationParameters(asked))),
      { ...authorizationParameters(asked) },
    )
  })

  test('forgets a waiting request once its time is over', async () => {
    const visitor = site.browser()
    const response = await visitor.request(newPath(), { headers: html })
    const target = decodeURIComponent(response.headers.get('location')?.split('=')[1] ?? '')
    site.advance(3601)
    const later = await visitor.request(target, { headers: { accept: 'application/json' } })
    assert.equal(later.status, 404)
    assert.equal((await later.json()).reason, 'request_expired')
  })

  test('shows the consent page with everything that the user must know', async () => {
    const visitor = await site.signedIn()
    const response = await visitor.request(
      newPath({ scopes: 'read,write', auth_redirect: 'http://127.0.0.1:9999/cb' }),
      { headers: html },
    )
    assert.equal(response.status, 200)
    const text = await response.text()
    for (const expected of ['My app', 'sam', '127.0.0.1:9999', 'authorize-api-key__write-warning']) {
      assert.ok(text.includes(expected), expected)
    }
    assert.equal(response.headers.get('cache-control'), 'no-store')
    assert.equal(response.headers.get('pragma'), 'no-cache')
    assert.equal(response.headers.get('expires'), '0')
    assert.equal(response.headers.get('referrer-policy'), 'same-origin')
    assert.match(response.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
  })

  const refusals: [name: string, change: Record<string, string | undefined>, reason: string][] = [
    ['an unknown scope', { scopes: 'read,fly' }, 'scope_unknown'],
    ['a space after a comma', { scopes: 'read, write' }, 'scope_unknown'],
    ['a scope that the site does not offer', { scopes: 'user_status' }, 'scope_not_allowed'],
    ['an unlisted redirect', { auth_redirect: 'https://evil.example.com/' }, 'auth_redirect_not_allowed'],
    ['a redirect with CR and LF', { auth_redirect: 'https://a.example/\r\nx: y' }, 'auth_redirect_invalid'],
    [
      'a script as redirect',
      { auth_redirect: 'javascript://127.0.0.1/%0aalert(1)' },
      'auth_redirect_invalid',
    ],
    ['text that is no key', { public_key: 'hello' }, 'public_key_unreadable'],
    ['a life of zero seconds', { expires_in_seconds: '0' }, 'expiry_invalid'],
    ['a life beyond the limit', { expires_in_seconds: '999999999' }, 'expiry_invalid'],
    ['a nonce that the payload cannot hold', { nonce: 'n'.repeat(180) }, 'payload_too_large'],
    ['a NUL byte', { nonce: 'a\0b' }, 'parameter_invalid'],
    ['a value that is too long', { application_name: 'x'.repeat(501) }, 'parameter_too_long'],
  ]
  for (const [name, change, reason] of refusals) {
    test(`refuses ${name} before anybody signs in`, async () => {
      const response = await site.request(newPath(change, '.json'))
      const body = await response.json()
      assert.equal(body.reason, reason)
      assert.ok(body.message && body.remedy && body.docs_url)
      assert.ok([200, 400].includes(response.status))
    })

    test(`shows ${name} as a page that tells the developer why`, async () => {
      const response = await site.request(newPath(change), { headers: html })
      const text = await response.text()
      assert.match(text, new RegExp(reason))
      assert.match(response.headers.get('content-type') ?? '', /text\/html/)
    })
  }

  test('answers a wrong padding with 400', async () => {
    const response = await site.request(newPath({ padding: 'rot13' }))
    assert.equal(response.status, 400)
    assert.equal((await response.json()).reason, 'padding_invalid')
  })

  test('refuses a parameter that was sent twice', async () => {
    const response = await site.request(`${newPath()}&nonce=other`)
    assert.equal((await response.json()).reason, 'parameter_duplicated')
  })

  test('reflects nothing unescaped', async () => {
    const visitor = await site.signedIn()
    const response = await visitor.request(newPath({ application_name: '"><script>alert(1)</script>' }), {
      headers: html,
    })
    assert.doesNotMatch(await response.text(), /<script>alert/)
  })

  test('says to an account in no allowed group that it may not', async () => {
    await site.asAdmin('/admin/site_settings/user_api_key_allowed_groups.json', {
      method: 'PUT',
      form: { user_api_key_allowed_groups: '1|2|14' },
    })
    const visitor = await site.signedIn()
    const shown = await (await visitor.request(newPath({}, '.json'))).json()
    assert.equal(shown.state, 'no_trust_level')
    assert.equal(shown.reason, 'group_not_allowed')
    const posted = await visitor.post('/user-api-key.json', authorizationParameters())
    assert.equal(posted.status, 403)
    await site.asAdmin('/admin/site_settings/user_api_key_allowed_groups.json', {
      method: 'PUT',
      form: { user_api_key_allowed_groups: '1|2|10' },
    })
  })
})

describe('POST /user-api-key', () => {
  test('seals a key that then works', async () => {
    const visitor = await site.signedIn()
    const response = await visitor.post('/user-api-key.json', authorizationParameters({ nonce: 'abc' }))
    assert.equal(response.status, 200)
    const { payload, instructions } = await response.json()
    assert.match(payload, /^(?:[\w+/=]{60}\n)+[\w+/=]{1,60}\n$/)
    assert.match(instructions, /My app/)
    const opened = openSealed(payload)
    assert.deepEqual(Object.keys(opened), ['key', 'nonce', 'push', 'api'])
    assert.deepEqual({ ...opened, key: '' }, { key: '', nonce: 'abc', push: false, api: 4 })
    assert.match(String(opened.key), /^[0-9a-f]{32}$/)
    const current = await site.request('/session/current.json', {
      headers: { 'user-api-key': String(opened.key) },
    })
    assert.equal((await current.json()).current_user.username, 'sam')
    assert.equal(current.headers.get('x-discourse-username'), 'sam')
  })

  test('seals with OAEP, and tells the expiry that was asked for', async () => {
    const visitor = await site.signedIn()
    const form = authorizationParameters({ padding: 'oaep', expires_in_seconds: '60', client_id: 'short' })
    const { payload } = await (await visitor.post('/user-api-key.json', form)).json()
    const opened = openSealed(payload, 'oaep')
    assert.equal(opened.expires_at, new Date(site.now() + 60_000).toISOString().replace('.000', ''))
    const headers = { 'user-api-key': String(opened.key) }
    assert.equal((await site.request('/session/current.json', { headers })).status, 200)
    site.advance(60)
    const expired = await site.request('/session/current.json', { headers })
    assert.equal(expired.status, 403)
    assert.equal((await expired.json()).reason, 'user_api_key_expired')
  })

  test('sends the browser to the redirect with the payload, and a script its address', async () => {
    const visitor = await site.signedIn()
    const form = authorizationParameters({ auth_redirect: 'http://127.0.0.1:9999/cb?a=1' })
    const response = await visitor.post('/user-api-key', form, html)
    assert.equal(response.status, 302)
    const location = new URL(response.headers.get('location') ?? '')
    assert.equal(location.searchParams.get('a'), '1')
    assert.equal(openSealed(location.searchParams.get('payload') ?? '').nonce, 'nonce-1')
    const script = await visitor.post('/user-api-key.json', form)
    assert.match((await script.json()).redirect_url, /^http:\/\/127\.0\.0\.1:9999\/cb\?a=1&payload=[\w%]+$/)
  })

  test('shows the payload on one line in the first code element when there is no redirect', async () => {
    const visitor = await site.signedIn()
    const response = await visitor.post('/user-api-key', authorizationParameters(), html)
    const text = await response.text()
    const [, payload = ''] = /<code id="user-api-key-payload">([\w+/=]+)\n<\/code>/.exec(text) ?? []
    assert.equal(openSealed(payload).nonce, 'nonce-1')
    assert.ok(text.indexOf('<code') === text.indexOf('<code id="user-api-key-payload">'))
  })

  test('issues for a client id that ends in a line feed, though browsers send CR LF for it in a form', async () => {
    const visitor = await site.signedIn()
    const response = await visitor.request(newPath({ client_id: 'host\n' }), { headers: html })
    const text = await response.text()
    assert.match(text, /<dt>Client<\/dt><dd><code>host\n<\/code>/)
    const plain = (value: string): string => value.replaceAll('&amp;', '&').replaceAll('&quot;', '"')
    const [, action = '', stub = ''] =
      /class="pass__stub" method="post" action="([^"]*)">(.*?)<\/form>/s.exec(text) ?? []
    const fields = [...stub.matchAll(/name="([^"]*)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      plain(value).replace(/\r?\n/g, '\r\n'),
    ])
    const answer = await visitor.request(plain(action), {
      form: Object.fromEntries(fields),
      headers: html,
    })
    assert.equal(answer.status, 200)
    assert.ok(await site.store.clients.findByClientId('host\n'))
    assert.equal(await site.store.clients.findByClientId('host\r\n'), undefined)
  })

  test('replaces the older key of the same client and user, and no other', async () => {
    const [first, other] = [
      await site.approvedKey({ client_id: 'replaced' }),
      await site.approvedKey({ client_id: 'replaced' }, 'admin'),
    ]
    const second = await site.approvedKey({ client_id: 'replaced' })
    const status = async (key: string): Promise<number> =>
      (await site.request('/session/current.json', { headers: { 'user-api-key': key } })).status
    assert.deepEqual([await status(first), await status(second), await status(other)], [403, 200, 200])
  })

  test('changes nothing when the payload would not fit', async () => {
    const key = await site.approvedKey({ client_id: 'fits' })
    const visitor = await site.signedIn()
    const form = authorizationParameters({ client_id: 'fits', nonce: 'n'.repeat(172) })
    const response = await visitor.post('/user-api-key.json', form)
    assert.equal(response.status, 400)
    const body = await response.json()
    assert.equal(body.reason, 'payload_too_large')
    assert.match(body.remedy, /171 bytes/)
    const still = await site.request('/session/current.json', { headers: { 'user-api-key': key } })
    assert.equal(still.status, 200)
  })

  test('refuses a visitor who is not signed in, and a form without its CSRF token', async () => {
    const anonymous = await site.request('/user-api-key.json', { form: authorizationParameters() })
    assert.equal(anonymous.status, 403)
    assert.equal((await anonymous.json()).error_type, 'not_logged_in')
    const visitor = await site.signedIn()
    const forged = await visitor.request('/user-api-key.json', { form: authorizationParameters() })
    assert.equal(forged.status, 403)
    assert.equal(await forged.text(), '["BAD CSRF"]')
    assert.match(forged.headers.get('content-type') ?? '', /text\/plain/)
  })

  test('takes JSON, and refuses what is no object, no text or too large', async () => {
    const headers = { 'api-key': site.adminApiKey, 'api-username': 'sam' }
    const sent = async (json: unknown): Promise<[number, string | undefined]> => {
      const response = await site.request('/user-api-key.json', { json, headers })
      return [response.status, (await response.json()).reason]
    }
    assert.deepEqual(await sent(authorizationParameters()), [200, undefined])
    assert.deepEqual(await sent({ ...authorizationParameters(), nonce: { a: 1 } }), [
      400,
      'parameter_invalid',
    ])
    assert.deepEqual(await sent([1, 2]), [400, 'body_unreadable'])
    assert.deepEqual(await sent({ nonce: 'x'.repeat(70_000) }), [413, 'body_too_large'])
    const broken = await site.request('/user-api-key.json', {
      body: '{"nonce":',
      headers: { ...headers, 'content-type': 'application/json' },
    })
    assert.equal((await broken.json()).reason, 'body_unreadable')
  })

  // A fault of ours goes to the log with its stack: anybody could fill it by closing connections.
  test('takes a body that breaks off for a mistake of its sender, and for no fault', async () => {
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error('aborted')) })
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit
    const response = await site.hallpass.fetch(new Request(`${siteUrl}/user-api-key.json`, init))
    assert.deepEqual([response.status, (await response.json()).reason], [400, 'body_unreadable'])
  })

  test('lets a write key approve further keys, unless the setting says no', async () => {
    const key = await site.approvedKey({ scopes: 'write', client_id: 'minter' })
    const mint = (): Promise<Response> =>
      site.request('/user-api-key.json', {
        form: authorizationParameters({ client_id: 'minted' }),
        headers: { 'user-api-key': key },
      })
    assert.equal((await mint()).status, 200)
    const set = (value: string): Promise<Response> =>
      site.asAdmin('/admin/site_settings/user_api_key_write_may_mint.json', {
        method: 'PUT',
        form: { user_api_key_write_may_mint: value },
      })
    await set('false')
    const refused = await mint()
    assert.equal(refused.status, 403)
    assert.equal((await refused.json()).reason, 'not_permitted')
    await set('true')
  })

  test('keeps only the hash of a key', async () => {
    const key = await site.approvedKey({ client_id: 'secret' })
    const keys = await site.store.userApiKeys.listByUser(site.user.id)
    assert.ok(keys.length > 0)
    assert.ok(!JSON.stringify(keys).includes(key))
    assert.ok(!JSON.stringify(await site.store.audit.list({ limit: 100 })).includes(key))
  })

  test('never stores the public key of a request on the client', async () => {
    await site.approvedKey({ client_id: 'plain' })
    const client = await site.store.clients.findByClientId('plain')
    assert.equal(client?.publicKey, null)
  })
})

describe('the routes of the flows', () => {
  const requests: readonly [name: string, path: string, options: RequestOptions, status: number][] = [
    ['a probe', '/user-api-key/new', { method: 'HEAD' }, 200],
    ['a request that waits', newPath(), {}, 302],
    ['a request without parameters', '/user-api-key/new', {}, 400],
    ['a bad key', '/user-api-key/new', { headers: { 'user-api-key': '0'.repeat(32) } }, 403],
    ['an approval of nobody', '/user-api-key', { form: {} }, 403],
    ['an approval that is too large', '/user-api-key', { form: { nonce: 'x'.repeat(70_000) } }, 413],
    ['a request for a one-time password', '/user-api-key/otp', {}, 400],
    ['a one-time password for nobody', '/user-api-key/otp', { form: {} }, 403],
    ['the activation page', '/user-api-key/activate', {}, 302],
    ['a code of nobody', '/user-api-key/activate', { form: { code: 'x' } }, 403],
    ['a device request as a form', '/user-api-key/device', { form: {} }, 403],
    ['a poll as a form', '/user-api-key/device/poll', { form: {} }, 403],
    ['a decision of nobody', '/user-api-key/device/authorize', { form: {} }, 403],
    ['a denial of nobody', '/user-api-key/device/deny', { form: {} }, 403],
  ]
  for (const [name, path, options, status] of requests) {
    test(`keep the answer to ${name} out of caches and addresses out of referrers`, async () => {
      const response = await site.request(path, options)
      assert.equal(response.status, status)
      const { headers } = response
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.equal(headers.get('pragma'), 'no-cache')
      assert.equal(headers.get('expires'), '0')
      assert.equal(headers.get('referrer-policy'), 'same-origin')
    })
  }
})
