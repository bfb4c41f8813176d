import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { type OpenIdProvider, startOpenIdProvider } from '../identity/openid-provider.ts'
import {
  authorizationParameters,
  type Browser,
  createTestSite,
  siteUrl,
  type TestSite,
} from '../test-site.ts'

const callbackUrl = `${siteUrl}/hallpass/sign-in/callback`
const page = { headers: { accept: 'text/html' } }

/** The path of this site that an answer redirects to. */
function next(response: Response): string {
  assert.equal(response.status, 302)
  return response.headers.get('location') ?? ''
}

async function whoIs(
  browser: Browser,
): Promise<{ username: string; admin: boolean; name: string } | undefined> {
  const response = await browser.request('/session/current.json')
  if (response.status === 404) return undefined
  return ((await response.json()) as { current_user: { username: string; admin: boolean; name: string } })
    .current_user
}

describe('signing in at an OpenID provider', () => {
  let provider: OpenIdProvider
  let site: TestSite
  before(async () => {
    provider = await startOpenIdProvider(callbackUrl, {
      'sub|1': { preferred_username: 'Zoë Z.', name: 'Zoë', email: 'zoe@site.test', email_verified: true },
      'sub|2': { preferred_username: 'sam', name: 'Another Sam' },
    })
    const { issuer, clientId, clientSecret } = provider
    site = await createTestSite({ signIn: { method: 'openid-connect', issuer, clientId, clientSecret } })
  })
  after(async () => {
    await site.close()
    await provider.close()
  })

  /** Goes the whole way as `login`; answers with where the browser is sent in the end. */
  async function signIn(browser: Browser, login: string, from = '/hallpass/apps'): Promise<string> {
    const first = next(await browser.request(from, page))
    const there = next(await browser.request(first.replace(siteUrl, ''), page))
    const away = there.startsWith('/') ? next(await browser.request(there, page)) : there
    const back = await provider.visit(away, login)
    return next(await browser.request(back.pathname + back.search, page))
  }

  test('an app’s request survives the way there and back, and the key acts for whoever signed in', async () => {
    const browser = site.browser()
    const query = new URLSearchParams(authorizationParameters({ scopes: 'session_info' }))
    const target = await signIn(browser, 'sub|1', `/user-api-key/new?${query}`)
    assert.match(target, /^\/hallpass\/authorize\/[\w-]+$/)
    assert.match(await (await browser.request(target, page)).text(), /Zoe-Z/)
    assert.deepEqual(await whoIs(browser).then((user) => [user?.username, user?.name, user?.admin]), [
      'Zoe-Z',
      'Zoë',
      false,
    ])
  })

  test('the same person has the same account the next time, and a namesake another', async () => {
    const [again, namesake] = [site.browser(), site.browser()]
    await signIn(again, 'sub|1')
    await signIn(namesake, 'sub|2')
    assert.equal((await whoIs(again))?.username, 'Zoe-Z')
    assert.equal((await whoIs(namesake))?.username, 'sam2')
  })

  test('an account without a password is not to be had with one', async () => {
    const browser = site.browser()
    for (const password of ['', '!', 'password']) {
      const answer = await browser.post('/session.json', { login: 'Zoe-Z', password })
      assert.equal(((await answer.json()) as { reason: string }).reason, 'credentials_invalid')
    }
  })

  test('an answer is good once, and in the browser that asked for it', async () => {
    const [asking, other] = [site.browser(), site.browser()]
    const away = next(await asking.request('/hallpass/sign-in/external', page))
    const back = await provider.visit(away, 'sub|1')
    const path = back.pathname + back.search
    const reasonOf = async (browser: Browser) =>
      (
        (await (await browser.request(path, { headers: { accept: 'application/json' } })).json()) as {
          reason: string
        }
      ).reason
    assert.equal(await reasonOf(other), 'sign_in_failed')
    assert.equal(await whoIs(other), undefined)
    // Somebody else's attempt has used it up: better asked again than taken over.
    assert.equal(await reasonOf(asking), 'sign_in_failed')
    await signIn(asking, 'sub|1')
    assert.equal((await whoIs(asking))?.username, 'Zoe-Z')
  })

  test('what they decline is told, with status 403', async () => {
    const browser = site.browser()
    const back = await provider.decline(next(await browser.request('/hallpass/sign-in/external', page)))
    const response = await browser.request(back.pathname + back.search, page)
    assert.equal(response.status, 403)
    assert.match(await response.text(), /declined/)
  })

  test('a suspended account is refused', async () => {
    const browser = site.browser()
    await signIn(browser, 'sub|2')
    const { id } = (await (await browser.request('/session/current.json')).json()).current_user as {
      id: number
    }
    const suspend = { method: 'PUT', json: { suspend_until: '2030-01-01' } }
    assert.equal((await site.asAdmin(`/admin/users/${id}/suspend.json`, suspend)).status, 200)
    const back = await provider.visit(
      next(await site.browser().request('/hallpass/sign-in/external')),
      'sub|2',
    )
    assert.ok(back)
    const again = site.browser()
    const away = next(await again.request('/hallpass/sign-in/external', page))
    const answer = await provider.visit(away, 'sub|2')
    const response = await again.request(answer.pathname + answer.search)
    assert.equal(((await response.json()) as { reason: string }).reason, 'owner_suspended')
  })

  test('the sign-in page leads there, and still takes the passwords of local accounts', async () => {
    const html = await (await site.browser().request('/login?redirect=/hallpass/apps', page)).text()
    assert.match(html, /href="\/hallpass\/sign-in\/external\?redirect=%2Fhallpass%2Fapps"/)
    assert.equal((await whoIs(await site.signedIn('admin')))?.admin, true)
  })

  test('leads nowhere but to this site', async () => {
    const browser = site.browser()
    for (const redirect of ['https://evil.example/', '//evil.example', '/\\evil.example']) {
      const path = `/hallpass/sign-in/external?redirect=${encodeURIComponent(redirect)}`
      const back = await provider.visit(next(await browser.request(path, page)), 'sub|1')
      assert.equal(next(await browser.request(back.pathname + back.search, page)), '/')
      await browser.post('/hallpass/sign-out', {})
    }
  })
})

test('signing in at a site that speaks DiscourseConnect', async () => {
  const secret = 'a secret of two sites'
  const url = 'https://forum.test/session/sso_provider'
  const site = await createTestSite({ signIn: { method: 'discourse-connect', url, secret, staff: true } })
  const browser = site.browser()
  const away = new URL(
    next(await browser.request('/hallpass/sign-in/external?redirect=/hallpass/apps', page)),
  )
  const asked = new URLSearchParams(Buffer.from(away.searchParams.get('sso') ?? '', 'base64').toString())
  const values = { nonce: asked.get('nonce') ?? '', external_id: '7', username: 'zoe', admin: 'true' }
  const sso = Buffer.from(new URLSearchParams(values).toString()).toString('base64')
  const sig = createHmac('sha256', secret).update(sso).digest('hex')
  const back = `/hallpass/sign-in/callback?${new URLSearchParams({ sso, sig })}`
  assert.equal(asked.get('return_sso_url'), callbackUrl)
  assert.equal(next(await browser.request(back, page)), '/hallpass/apps')
  assert.deepEqual(await whoIs(browser).then((user) => [user?.username, user?.admin]), ['zoe', true])
  assert.equal((await site.browser().request(back)).status, 403)
  await site.close()
})

describe('a proxy that names the user', () => {
  let site: TestSite
  before(async () => {
    site = await createTestSite({
      signIn: {
        method: 'proxy-header',
        userHeader: 'X-Remote-User',
        nameHeader: 'X-Remote-Name',
        admins: ['root'],
      },
      trustedProxies: ['127.0.0.1'],
    })
  })
  after(() => site.close())

  const from = (user: string, more: Record<string, string> = {}) => ({
    headers: { 'x-remote-user': user, ...more },
  })

  test('tells who visits, with the name and the rank that they have', async () => {
    const read = async (options: { headers: Record<string, string> }) =>
      (
        (await (await site.request('/session/current.json', options)).json()) as {
          current_user?: { username: string; name: string; admin: boolean }
        }
      ).current_user
    const zoe = await read(from('zoe', { 'x-remote-name': Buffer.from('Zoë').toString('latin1') }))
    assert.deepEqual([zoe?.username, zoe?.name, zoe?.admin], ['zoe', 'Zoë', false])
    assert.deepEqual((await read(from('root')))?.admin, true)
    assert.equal(await read(from('zoe, root')), undefined)
    // The account that somebody made here with a password is not theirs.
    assert.equal((await read(from('sam')))?.username, 'sam2')
  })

  test('is not believed from anybody else', async () => {
    const request = new Request(`${siteUrl}/session/current.json`, from('zoe'))
    const response = await site.hallpass.fetch(request, { remoteAddress: '192.0.2.1' })
    assert.equal(response.status, 404)
  })

  test('does not make up for the CSRF token', async () => {
    const form = authorizationParameters()
    const response = await site.request('/user-api-key.json', { ...from('zoe'), form })
    assert.equal(response.headers.get('hallpass-reason'), 'csrf_invalid')
  })

  test('there is no password to give here', async () => {
    assert.equal((await site.request('/session.json', { form: { login: 'sam', password: 'x' } })).status, 404)
    assert.equal((await site.request('/login', page)).status, 404)
  })
})
