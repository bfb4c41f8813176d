import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { hashSecret } from '../../src/domain/key-text.ts'
import { refusalCatalogue } from '../../src/protocol/errors.ts'
import {
  appPublicKey,
  authorizationParameters,
  createTestSite,
  openSealed,
  openSealedText,
  type TestSite,
} from '../test-site.ts'

let site: TestSite
before(async () => {
  site = await createTestSite({ pinnedSettings: { disable_rate_limits: 'true' } })
  await set('allow_user_api_key_client_scopes', 'read|one_time_password')
})
after(() => site.close())

const html = { accept: 'text/html' }
const authRedirect = 'discourse://auth_redirect'

function otpParameters(change: Record<string, string | undefined> = {}): Record<string, string> {
  const parameters = {
    public_key: appPublicKey,
    auth_redirect: authRedirect,
    application_name: 'My app',
    ...change,
  }
  return Object.fromEntries(
    Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}

function otpPath(change: Record<string, string | undefined> = {}, suffix = ''): string {
  return `/user-api-key/otp${suffix}?${new URLSearchParams(otpParameters(change))}`
}

async function set(name: string, value: string): Promise<void> {
  const response = await site.asAdmin(`/admin/site_settings/${name}.json`, {
    method: 'PUT',
    form: { [name]: value },
  })
  assert.equal(response.status, 200, await response.text())
}

/** A one-time password for `username`, opened. */
async function oneTimePassword(username = 'sam'): Promise<string> {
  const visitor = await site.signedIn(username)
  const response = await visitor.post('/user-api-key/otp.json', otpParameters())
  const { redirect_url: address } = (await response.json()) as { redirect_url: string }
  return openSealedText(new URL(address).searchParams.get('oneTimePassword') ?? '')
}

async function usernameOf(visitor: { request: TestSite['request'] }): Promise<string | undefined> {
  const response = await visitor.request('/session/current.json')
  return response.status === 200 ? (await response.json()).current_user.username : undefined
}

async function lastActions(count: number): Promise<readonly string[]> {
  return (await site.store.audit.list({ limit: count })).map(({ action }) => action).reverse()
}

const refusals: readonly [name: string, change: Record<string, string | undefined>, reason: string][] = [
  ['a missing key', { public_key: undefined }, 'parameters_missing'],
  ['a missing redirect', { auth_redirect: ' ' }, 'parameters_missing'],
  ['a missing name', { application_name: '' }, 'parameters_missing'],
  [
    'text that is no key, even with a wrong padding',
    { public_key: 'hello', padding: 'x' },
    'public_key_unreadable',
  ],
  [
    'a wrong padding, even with an unlisted redirect',
    { padding: 'none', auth_redirect: 'https://evil.example.com/' },
    'padding_invalid',
  ],
  ['an unlisted redirect', { auth_redirect: 'https://evil.example.com/' }, 'auth_redirect_not_allowed'],
  ['a redirect that is none', { auth_redirect: 'javascript://x' }, 'auth_redirect_invalid'],
]

describe('GET /user-api-key/otp', () => {
  for (const [name, change, reason] of refusals) {
    test(`refuses ${name} before anybody signs in`, async () => {
      const response = await site.request(otpPath(change, '.json'))
      const body = await response.json()
      assert.equal(body.reason, reason)
      assert.equal(response.status, refusalCatalogue[reason as 'padding_invalid'].status)
      assert.equal(response.headers.get('pragma'), 'no-cache')
      const shown = await site.request(otpPath(change), { headers: html })
      assert.equal(shown.status, response.status)
      const isJson = /json/.test(shown.headers.get('content-type') ?? '')
      assert.equal(isJson, reason === 'parameters_missing')
    })
  }

  test('names all that is missing, the first in the protocol’s order in the wire’s text', async () => {
    const body = await (await site.request('/user-api-key/otp')).json()
    assert.equal(body.message, 'missing or blank: public_key, auth_redirect, application_name')
    assert.match(body.errors[0], /: public_key$/)
    assert.match(body.remedy, /http:\/\/hallpass\.test\/user-api-key\/otp\?public_key=/)
  })

  test('keeps the request while its user signs in, and tells the sign-in page who asks', async () => {
    const visitor = site.browser()
    const asked = { padding: 'oaep', auth_redirect: 'http://127.0.0.1:9999/cb?a=1#f' }
    await set('allowed_user_api_auth_redirects', 'discourse://auth_redirect|http://127.0.0.1:9999/cb*#f')
    const response = await visitor.request(otpPath(asked), { headers: html })
    assert.equal(response.status, 302)
    const location = response.headers.get('location') ?? ''
    assert.match(location, /^\/login\?redirect=%2Fhallpass%2Fotp%2F[\w-]{16}$/)
    assert.match(await (await visitor.request(location, { headers: html })).text(), /My app/)
    const target = decodeURIComponent(location.split('=')[1] ?? '')
    const form = { username: 'sam', password: 'correct horse battery', redirect: target }
    assert.equal((await visitor.post('/login', form)).headers.get('location'), target)
    const model = await (await visitor.request(`${target}.json`)).json()
    assert.deepEqual(model, otpParameters(asked))
    await set('allowed_user_api_auth_redirects', 'discourse://auth_redirect|loopback')
  })

  test('shows who asks, for whom, and where it goes; absent padding is null in JSON', async () => {
    const visitor = await site.signedIn()
    const model = await (await visitor.request(otpPath({}, '.json'))).json()
    assert.deepEqual(model, { ...otpParameters(), padding: null })
    const response = await visitor.request(otpPath({ auth_redirect: 'http://127.0.0.1:9/x' }), {
      headers: html,
    })
    const text = await response.text()
    for (const part of ['My app', 'sam', '127.0.0.1:9', 'Sign in as you once', 'name="authenticity_token"'])
      assert.ok(text.includes(part), part)
    assert.equal(response.headers.get('expires'), '0')
  })

  test('says at once when the account or the site would refuse', async () => {
    const visitor = await site.signedIn()
    await set('user_api_key_allowed_groups', '1|2|14')
    const shown = await visitor.request(otpPath(), { headers: html })
    assert.match(await shown.text(), /cannot approve apps/)
    await set('user_api_key_allowed_groups', '1|2|10')
    await set('allow_user_api_key_scopes', 'read')
    assert.match(await (await visitor.request(otpPath(), { headers: html })).text(), /one_time_password/)
    await set('allow_user_api_key_scopes', 'read|write|one_time_password')
  })
})

describe('POST /user-api-key/otp', () => {
  test('seals 32 hexadecimal characters, and puts them behind a literal question mark', async () => {
    const visitor = await site.signedIn()
    const response = await visitor.post('/user-api-key/otp', otpParameters(), html)
    assert.equal(response.status, 302)
    const location = response.headers.get('location') ?? ''
    assert.match(location, /^discourse:\/\/auth_redirect\?oneTimePassword=[\w%]+%0A$/)
    const sealed = decodeURIComponent(location.split('=')[1] ?? '')
    assert.match(sealed, /^(?:[\w+/=]{60}\n)+[\w+/=]{1,60}\n$/)
    assert.match(openSealedText(sealed), /^[0-9a-f]{32}$/)
    assert.deepEqual(await lastActions(1), ['one_time_password_issued'])
  })

  test('answers JSON with the address, in which the app’s own query and fragment stay', async () => {
    await set('allowed_user_api_auth_redirects', '*')
    const visitor = await site.signedIn()
    const form = otpParameters({ auth_redirect: 'https://app.example.com/cb?a=1#end', padding: 'oaep' })
    const response = await visitor.post('/user-api-key/otp.json', form)
    assert.equal(response.status, 200)
    const body = await response.json()
    assert.deepEqual(Object.keys(body), ['redirect_url'])
    assert.match(body.redirect_url, /^https:\/\/app\.example\.com\/cb\?a=1&oneTimePassword=[\w%]+#end$/)
    const sealed = new URL(body.redirect_url).searchParams.get('oneTimePassword') ?? ''
    assert.match(openSealedText(sealed, 'oaep'), /^[0-9a-f]{32}$/)
    await set('allowed_user_api_auth_redirects', 'discourse://auth_redirect|loopback')
  })

  for (const [name, change, reason] of refusals) {
    test(`refuses ${name}`, async () => {
      const visitor = await site.signedIn()
      const response = await visitor.post('/user-api-key/otp.json', otpParameters(change))
      assert.equal((await response.json()).reason, reason)
    })
  }

  test('refuses who is not signed in, a form without its token, a group, and a scope, in this order', async () => {
    const reasonOf = async (response: Response): Promise<string> => {
      assert.equal(response.headers.get('expires'), '0')
      assert.equal(response.status, 403)
      return (await response.json()).reason
    }
    const path = '/user-api-key/otp.json'
    assert.equal(await reasonOf(await site.request(path, { form: otpParameters() })), 'not_signed_in')
    const visitor = await site.signedIn()
    const forged = await visitor.request(path, { form: otpParameters() })
    assert.equal(await forged.text(), '["BAD CSRF"]')
    await set('allow_user_api_key_scopes', 'read|write')
    await set('user_api_key_allowed_groups', '1|2|14')
    assert.equal(await reasonOf(await visitor.post(path, otpParameters())), 'group_not_allowed')
    await set('user_api_key_allowed_groups', '1|2|10')
    assert.equal(await reasonOf(await visitor.post(path, otpParameters())), 'scope_not_allowed')
    await set('allow_user_api_key_scopes', 'read|write|one_time_password')
  })

  test('takes a key that may write, which reads the address in Location; a narrower key may not', async () => {
    const writing = { 'user-api-key': await site.approvedKey({ scopes: 'write', client_id: 'fire' }) }
    const response = await site.request('/user-api-key/otp', { form: otpParameters(), headers: writing })
    assert.equal(response.status, 302)
    assert.match(response.headers.get('location') ?? '', /^discourse:\/\/auth_redirect\?oneTimePassword=/)
    const narrow = {
      'user-api-key': await site.approvedKey({ scopes: 'one_time_password', client_id: 'narrow' }),
    }
    const refused = await site.request('/user-api-key/otp', { form: otpParameters(), headers: narrow })
    assert.equal((await refused.json()).reason, 'scope_insufficient')
    await set('user_api_key_write_may_mint', 'false')
    const closed = await site.request('/user-api-key/otp', { form: otpParameters(), headers: writing })
    assert.equal((await closed.json()).reason, 'not_permitted')
    await set('user_api_key_write_may_mint', 'true')
  })

  describe('with a user API key of a staff member', () => {
    const ask = (key: string): Promise<Response> =>
      site.request('/user-api-key/otp.json', { form: otpParameters(), headers: { 'user-api-key': key } })
    const mint = (key: string, scopes: string): Promise<Response> =>
      site.request('/user-api-key.json', {
        form: authorizationParameters({ scopes, client_id: 'minted' }),
        headers: { 'user-api-key': key },
      })
    const reasonOf = async (response: Response): Promise<string> => (await response.json()).reason

    test('refuses one that lacks the scope: its app would sign in, and so get administration', async () => {
      const key = await site.approvedKey({ scopes: 'write', client_id: 'staff-1' }, 'admin')
      for (const answer of [await ask(key), await mint(key, 'read,one_time_password')]) {
        assert.equal(answer.status, 403)
        assert.equal(await reasonOf(answer), 'not_permitted')
      }
      assert.equal((await mint(key, 'read')).status, 200, 'a further key without one')
    })

    test('takes one that has the scope', async () => {
      const key = await site.approvedKey({ scopes: 'write,one_time_password', client_id: 'staff-2' }, 'admin')
      assert.equal((await ask(key)).status, 200)
      assert.equal((await mint(key, 'read,one_time_password')).status, 200)
    })
  })

  // Whoever could take a registered app's key to another address would have its users send things there.
  test('holds the redirect against the one that the key’s client registered, however the key is written', async () => {
    const publicKey = newPublicKey()
    const registration = {
      client_id: 'registered-otp',
      application_name: 'Registered',
      public_key: publicKey,
      auth_redirect: authRedirect,
      scopes: 'one_time_password',
    }
    assert.equal((await site.request('/user-api-key-client', { form: registration })).status, 200)
    const visitor = await site.signedIn()
    const pkcs1 = createPublicKey(publicKey).export({ type: 'pkcs1', format: 'pem' }).toString()
    for (const key of [publicKey, pkcs1, publicKey.replaceAll('\n', '\r\n')]) {
      const elsewhere = otpParameters({ public_key: key, auth_redirect: 'http://127.0.0.1:9/' })
      const refused = await visitor.post('/user-api-key/otp.json', elsewhere)
      assert.equal((await refused.json()).reason, 'auth_redirect_not_registered')
      assert.equal((await visitor.request(otpPath(elsewhere, '.json'))).status, 403)
    }
    const same = await visitor.post('/user-api-key/otp.json', otpParameters({ public_key: publicKey }))
    assert.equal(same.status, 200)
    await set('allowed_user_api_auth_redirects', 'loopback')
    const unlisted = await visitor.post('/user-api-key/otp.json', otpParameters({ public_key: publicKey }))
    assert.equal((await unlisted.json()).reason, 'auth_redirect_not_allowed')
    await set('allowed_user_api_auth_redirects', 'discourse://auth_redirect|loopback')
  })
})

describe('POST /user-api-key with the scope one_time_password', () => {
  const asked = { scopes: 'read,one_time_password', client_id: 'with-password' }

  test('adds a one-time password to the redirect, which signs its user in', async () => {
    const visitor = await site.signedIn()
    const form = authorizationParameters({ ...asked, auth_redirect: authRedirect })
    const response = await visitor.post('/user-api-key', form, html)
    const location = response.headers.get('location') ?? ''
    assert.match(location, /^discourse:\/\/auth_redirect\?payload=[\w%]+&oneTimePassword=[\w%]+$/)
    assert.deepEqual(await lastActions(2), ['user_api_key_issued', 'one_time_password_issued'])
    const { searchParams } = new URL(location)
    assert.deepEqual(Object.keys(openSealed(searchParams.get('payload') ?? '')), [
      'key',
      'nonce',
      'push',
      'api',
    ])
    const password = openSealedText(searchParams.get('oneTimePassword') ?? '')
    const other = site.browser()
    assert.equal((await other.post(`/session/otp/${password}`, {})).status, 302)
    assert.equal(await usernameOf(other), 'sam')
  })

  test('adds it to the JSON without a redirect, and to nothing else', async () => {
    const visitor = await site.signedIn()
    const answer = await visitor.post('/user-api-key.json', authorizationParameters(asked))
    const body = await answer.json()
    assert.deepEqual(Object.keys(body), ['payload', 'instructions', 'oneTimePassword'])
    assert.match(openSealedText(body.oneTimePassword), /^[0-9a-f]{32}$/)
    const without = await visitor.post('/user-api-key.json', authorizationParameters())
    assert.deepEqual(Object.keys(await without.json()), ['payload', 'instructions'])
  })
})

describe('/session/otp/TOKEN', () => {
  // A link that signs in by itself would make a visitor somebody else, who collects what they then do.
  test('GET signs nobody in, and shows who would be', async () => {
    const password = await oneTimePassword()
    const visitor = site.browser()
    for (const method of ['GET', 'HEAD', 'GET']) {
      const response = await visitor.request(`/session/otp/${password}`, { method, headers: html })
      assert.equal(response.status, 200)
      assert.ok(!response.headers.getSetCookie().some((cookie) => cookie.startsWith('_t=')))
      if (method === 'GET')
        assert.match(await response.text(), /You will be signed in as<\/span> <bdi[^>]*>sam</)
    }
    assert.equal(await usernameOf(visitor), undefined)
    const model = await (await visitor.request(`/session/otp/${password}.json`)).json()
    assert.deepEqual(model, { username: 'sam', current_user: null })
  })

  test('POST signs in with a session like any other, once, and tells the audit log', async () => {
    const password = await oneTimePassword()
    const visitor = site.browser()
    const token = await visitor.csrf()
    const headers = { 'x-csrf-token': token, 'x-requested-with': 'XMLHttpRequest' }
    const response = await visitor.request(`/session/otp/${password}`, { method: 'POST', headers })
    assert.equal(response.status, 302)
    assert.equal(response.headers.get('location'), '/')
    assert.match(response.headers.getSetCookie().join(), /_t=[0-9a-f]{64};.*HttpOnly; SameSite=Lax/)
    assert.equal(await usernameOf(visitor), 'sam')
    assert.deepEqual(await lastActions(3), [
      'one_time_password_issued',
      'one_time_password_used',
      'signed_in',
    ])
    const log = JSON.stringify(await site.store.audit.list({ limit: 10 }))
    assert.ok(!log.includes(password))
    const again = site.browser()
    const refused = await again.post(`/session/otp/${password}.json`, {})
    assert.equal(refused.status, 200)
    assert.equal((await refused.json()).reason, 'one_time_password_invalid')
    assert.equal(await usernameOf(again), undefined)
  })

  // Two who got hold of the same password must not both get in.
  test('signs in one of many who try at once', async () => {
    const password = await oneTimePassword()
    const visitors = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const visitor = site.browser()
        const headers = { 'x-csrf-token': await visitor.csrf() }
        return { visitor, headers }
      }),
    )
    const answers = await Promise.all(
      visitors.map(({ visitor, headers }) =>
        visitor.request(`/session/otp/${password}`, { method: 'POST', headers }),
      ),
    )
    assert.deepEqual(answers.map(({ status }) => status).sort(), [
      ...Array.from({ length: 11 }, () => 200),
      302,
    ])
    const names = await Promise.all(visitors.map(({ visitor }) => usernameOf(visitor)))
    assert.deepEqual(
      names.filter((name) => name !== undefined),
      ['sam'],
    )
  })

  test('POST needs the browser’s CSRF token, though nobody is signed in', async () => {
    const password = await oneTimePassword()
    const visitor = site.browser()
    const forged = await visitor.request(`/session/otp/${password}`, { method: 'POST' })
    assert.equal(forged.status, 403)
    assert.equal(await forged.text(), '["BAD CSRF"]')
    assert.equal((await visitor.post(`/session/otp/${password}`, {})).status, 302)
  })

  test('works for ten minutes', async () => {
    const [first, second] = [await oneTimePassword(), await oneTimePassword()]
    const visitor = site.browser()
    site.advance(599)
    assert.equal((await visitor.post(`/session/otp/${first}`, {})).status, 302)
    site.advance(1)
    const late = site.browser()
    const response = await late.request(`/session/otp/${second}`, { headers: html })
    assert.equal(response.status, 200)
    assert.match(await response.text(), /missing, invalid or expired/)
    assert.match(response.headers.get('content-type') ?? '', /html/)
    const body = await (await late.post(`/session/otp/${second}.json`, {})).json()
    assert.equal(body.reason, 'one_time_password_invalid')
  })

  test('answers a token that never was with a page, in JSON with the reason', async () => {
    for (const token of ['0'.repeat(32), 'x', '%F0%9F%8E%9F']) {
      const response = await site.request(`/session/otp/${token}`)
      assert.equal(response.status, 200)
      assert.match(await response.text(), /<h1>/)
      const body = await (await site.request(`/session/otp/${token}.json`)).json()
      assert.equal(body.reason, 'one_time_password_invalid')
      assert.ok(body.errors[0])
    }
  })

  test('only throws it away when its user is signed in already', async () => {
    for (const method of ['GET', 'POST']) {
      const password = await oneTimePassword()
      const visitor = await site.signedIn()
      const path = `/session/otp/${password}`
      const response = method === 'GET' ? await visitor.request(path) : await visitor.post(path, {})
      assert.equal(response.status, 302)
      assert.equal(response.headers.get('location'), '/')
      assert.deepEqual(response.headers.getSetCookie(), [])
      assert.deepEqual(await lastActions(1), ['one_time_password_used'])
      const later = await site.request(`${path}.json`)
      assert.equal((await later.json()).reason, 'one_time_password_invalid')
    }
  })

  test('tells somebody else who is signed in, whose session then ends', async () => {
    const password = await oneTimePassword('sam')
    const visitor = await site.signedIn('admin')
    const shown = await visitor.request(`/session/otp/${password}`, { headers: html })
    assert.match(await shown.text(), /At the moment you are signed in as <bdi>admin<\/bdi>/)
    const forged = await visitor.request(`/session/otp/${password}`, { method: 'POST' })
    assert.equal(forged.status, 403)
    assert.equal((await visitor.post(`/session/otp/${password}`, {})).status, 302)
    assert.equal(await usernameOf(visitor), 'sam')
  })

  test('refuses a suspended and an inactive owner, and keeps the password for when that is over', async () => {
    const id = Number(site.user.id)
    for (const [change, back, reason] of [
      [{ suspendedUntil: site.now() + 1e9 }, { suspendedUntil: null }, 'owner_suspended'],
      [{ active: false }, { active: true }, 'owner_inactive'],
    ] as const) {
      const password = await oneTimePassword()
      await site.store.accounts.update(id, change)
      const visitor = site.browser()
      for (const response of [
        await visitor.request(`/session/otp/${password}.json`),
        await visitor.post(`/session/otp/${password}.json`, {}),
      ]) {
        assert.equal(response.status, 403)
        assert.equal((await response.json()).reason, reason)
      }
      await site.store.accounts.update(id, back)
      assert.equal((await visitor.post(`/session/otp/${password}`, {})).status, 302)
    }
  })

  // Somebody who takes a name that another gave up must not be able to become them, nor the other way round.
  test('is void once its user has another name', async () => {
    const password = 'ab'.repeat(16)
    await site.store.oneTimePasswords.insert({
      tokenHash: hashSecret(password),
      userId: site.user.id,
      username: 'the-name-before',
      createdAt: site.now(),
      expiresAt: site.now() + 600_000,
    })
    const response = await site.request(`/session/otp/${password}.json`)
    assert.equal((await response.json()).reason, 'one_time_password_invalid')
  })

  test('limits the attempts from one address', async () => {
    const limited = await createTestSite()
    const put = { max_one_time_password_attempts_per_minute: '3' }
    await limited.asAdmin('/admin/site_settings/max_one_time_password_attempts_per_minute.json', {
      method: 'PUT',
      form: put,
    })
    const statuses: number[] = []
    for (let attempt = 0; attempt < 4; attempt += 1) {
      statuses.push((await limited.request(`/session/otp/${'0'.repeat(32)}.json`)).status)
    }
    assert.deepEqual(statuses, [200, 200, 200, 429])
    limited.advance(60)
    assert.equal((await limited.request('/session/otp/00.json')).status, 200)
    await limited.close()
  })

  test('is kept as a hash alone', async () => {
    const password = await oneTimePassword()
    const record = await site.store.oneTimePasswords.find(hashSecret(password))
    assert.equal(record?.username, 'sam')
    assert.ok(!JSON.stringify(record).includes(password))
  })
})

describe('a visit with user_api_public_key and auth_redirect', () => {
  const asking = (change: Record<string, string> = {}): string =>
    `?${new URLSearchParams({ user_api_public_key: appPublicKey, auth_redirect: authRedirect, ...change })}`

  test('is sent back with otp=true, from any page of the site, Hallpass’s or not', async () => {
    for (const path of ['/', '/latest', '/t/some-topic/1', '/login', '/hallpass/apps', '/no/such.json']) {
      const response = await site.request(path + asking(), { headers: html })
      assert.equal(response.status, 302, path)
      assert.equal(response.headers.get('location'), 'discourse://auth_redirect?otp=true')
    }
    const withQuery = await site.request(`/${asking({ auth_redirect: 'http://127.0.0.1:9/?a=1' })}`)
    assert.equal(withQuery.headers.get('location'), 'http://127.0.0.1:9/?a=1&otp=true')
  })

  test('is told in plain text what is wrong with the key or the redirect, with status 200', async () => {
    for (const [change, reason] of [
      [{ user_api_public_key: 'hello' }, 'public_key_unreadable'],
      [{ user_api_public_key: '' }, 'public_key_unreadable'],
      [{ auth_redirect: 'https://evil.example.com/' }, 'auth_redirect_not_allowed'],
      [{ auth_redirect: '' }, 'auth_redirect_invalid'],
    ] as const) {
      const response = await site.request(`/${asking(change)}`, { headers: html })
      assert.equal(response.status, 200)
      assert.match(response.headers.get('content-type') ?? '', /^text\/plain/)
      assert.equal(response.headers.get('hallpass-reason'), reason)
      assert.match(await response.text(), /user_api_public_key|auth_redirect/)
    }
  })

  test('is an ordinary visit for somebody signed in, with a key, on the protocol’s own routes, and without the scope', async () => {
    const visitor = await site.signedIn()
    assert.equal((await visitor.request(`/${asking()}`)).status, 404)
    const headers = { 'api-key': site.adminApiKey, 'api-username': 'sam' }
    assert.equal((await site.request(`/session/current.json${asking()}`, { headers })).status, 200)
    assert.equal((await site.request(`/x.json${asking()}`, { headers })).status, 404)
    assert.equal((await site.request(`/session/csrf.json${asking()}`)).status, 200)
    const posted = await site.request(`/x${asking()}`, { method: 'POST' })
    assert.equal(posted.status, 404)
    await set('allow_user_api_key_scopes', 'read|write')
    assert.equal((await site.request(`/${asking()}`)).status, 404)
    await set('allow_user_api_key_scopes', 'read|write|one_time_password')
  })
})

function newPublicKey(): string {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return publicKey.export({ type: 'spki', format: 'pem' }).toString()
}
