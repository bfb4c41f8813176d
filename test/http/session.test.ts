import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestSite, type TestSite, userPassword } from '../test-site.ts'

let site: TestSite
before(async () => {
  site = await createTestSite()
})
after(() => site.close())

describe('POST /session', () => {
  test('signs in with a new session token, and keeps the CSRF token', async () => {
    const visitor = site.browser()
    const token = await visitor.csrf()
    const response = await visitor.request('/session', {
      form: { login: 'sam', password: userPassword },
      headers: { 'x-csrf-token': token, accept: 'application/json' },
    })
    assert.equal(response.status, 200)
    assert.equal((await response.json()).user.username, 'sam')
    const cookie = response.headers.getSetCookie().find((line) => line.startsWith('_t='))
    assert.match(cookie ?? '', /HttpOnly/)
    assert.match(cookie ?? '', /SameSite=Lax/)
    assert.equal(await visitor.csrf(), token)
    const current = await visitor.request('/session/current.json')
    assert.equal((await current.json()).current_user.username, 'sam')
  })

  test('marks cookies Secure when the site is reached by https, though a proxy asks by http', async () => {
    const behind = await createTestSite({ baseUrl: 'https://forum.example.com' })
    const response = await behind.request('/session/csrf.json')
    assert.match(response.headers.getSetCookie()[0] ?? '', /^__Host-.*Secure/)
    const refused = await behind.request('/session/current.json')
    assert.match((await refused.json()).docs_url, /^https:\/\/forum\.example\.com\//)
    await behind.close()
  })

  test('takes the CSRF token from no address', async () => {
    const visitor = site.browser()
    const token = await visitor.csrf()
    const response = await visitor.request(`/session.json?authenticity_token=${token}`, {
      form: { login: 'sam', password: userPassword },
    })
    assert.equal(response.status, 403)
  })

  test('marks cookies Secure on https', async () => {
    const response = await site.hallpass.fetch(new Request('https://hallpass.test/session/csrf.json'))
    assert.match(response.headers.getSetCookie()[0] ?? '', /^__Host-.*Secure/)
  })

  test('gives the same answer for a wrong password and an unknown account', async () => {
    const answers = []
    for (const login of ['sam', 'nobody']) {
      const visitor = site.browser()
      const response = await visitor.post('/session.json', { login, password: 'wrong password' })
      answers.push([response.status, await response.text()])
    }
    assert.equal(answers[0]?.[0], 200)
    assert.deepEqual(answers[0], answers[1])
    assert.match(String(answers[0]?.[1]), /Incorrect username/)
  })

  test('refuses a form without the CSRF token, so that no site can sign a visitor in as somebody else', async () => {
    const response = await site.request('/session.json', { form: { login: 'sam', password: userPassword } })
    assert.equal(response.status, 403)
  })

  test('limits attempts on an account, says how long to wait, and lets in again after that', async () => {
    const limited = await createTestSite()
    const visitor = limited.browser()
    for (let attempt = 0; attempt < 6; attempt += 1) {
      await visitor.post('/session.json', { login: 'sam', password: 'wrong password' })
    }
    const refused = await visitor.post('/session.json', { login: 'sam', password: userPassword })
    assert.equal(refused.status, 429)
    assert.equal(refused.headers.get('retry-after'), '60')
    const body = await refused.json()
    assert.deepEqual([body.error_type, body.extras.wait_seconds], ['rate_limit', 60])
    limited.advance(61)
    assert.equal((await visitor.post('/session.json', { login: 'sam', password: userPassword })).status, 200)
    await limited.close()
  })
})

describe('the limits of sign-in', () => {
  // Otherwise: use up the attempts of an address, then try a name once; a refusal says that the two are one person's.
  test('do not tell whose an e-mail address is', async () => {
    const visitor = site.browser()
    const attempt = async (login: string): Promise<string> => {
      const answer = await visitor.post('/session.json', { login, password: 'wrong password' })
      return (await answer.json()).reason
    }
    site.advance(60)
    let attempts = 0
    while ((await attempt('sam@hallpass.test')) !== 'rate_limited') attempts += 1
    assert.ok(attempts > 0)
    assert.equal(await attempt('sam'), 'credentials_invalid')
    site.advance(60)
  })
})

describe('POST /login', () => {
  for (const redirect of [
    '//evil.example',
    '/\\evil.example',
    'https://evil.example//x',
    'javascript:alert(1)',
    'a:https://evil.example/',
    'a:\\\\evil.example',
    'a:/\\evil.example',
    'http:////evil.example',
  ]) {
    test(`does not lead to another site: ${redirect}`, async () => {
      const visitor = site.browser()
      const response = await visitor.post('/login', { username: 'admin', password: userPassword, redirect })
      const target = new URL(response.headers.get('location') ?? '', 'http://hallpass.test/')
      assert.equal(response.status, 302)
      assert.equal(target.origin, 'http://hallpass.test')
      site.advance(3600)
    })
  }

  test('shows the form again, with the reason, after a wrong password', async () => {
    const visitor = site.browser()
    const response = await visitor.post('/login', {
      username: 'sam',
      password: 'nope nope nope',
      redirect: '/',
    })
    assert.match(await response.text(), /Username and password do not match/)
  })
})

describe('DELETE /session/:username', () => {
  test('ends the session for good', async () => {
    const visitor = await site.signedIn()
    const token = await visitor.csrf()
    const response = await visitor.request('/session/sam.json', {
      method: 'DELETE',
      headers: { 'x-csrf-token': token },
    })
    assert.deepEqual(await response.json(), { success: 'OK' })
    const after = await visitor.request('/session/current.json')
    assert.equal(after.status, 404)
    assert.equal((await after.json()).reason, 'nobody_signed_in')
  })
})

describe('a session', () => {
  test('ends when nobody comes for its lifetime', async () => {
    const visitor = await site.signedIn()
    site.advance(60 * 86_400)
    assert.equal((await visitor.request('/session/current.json')).status, 404)
  })

  test('goes on while its user keeps coming', async () => {
    const visitor = await site.signedIn()
    for (let month = 0; month < 3; month += 1) {
      site.advance(30 * 86_400)
      assert.equal((await visitor.request('/session/current.json')).status, 200)
    }
  })
})
