import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createClient, type HallpassClient } from '../../src/client/api-client.ts'
import {
  type AuthorizationOptions,
  beginAuthorization,
  type Credential,
  completeAuthorization,
} from '../../src/client/authorization.ts'
import { discover } from '../../src/client/discover.ts'
import type { Fetch } from '../../src/client/http.ts'
import { previewAuthorization } from '../../src/client/preview.ts'
import { type Browser, createTestSite, type TestSite } from '../test-site.ts'

const siteUrl = 'http://hallpass.test'

let site: TestSite
let fetch: Fetch
let browser: Browser
before(async () => {
  site = await createTestSite()
  browser = await site.signedIn()
  fetch = (url, init) => site.hallpass.fetch(new Request(url, init), { remoteAddress: '127.0.0.1' })
})
after(() => site.close())

/** The user's part: approves what the address asks for. */
async function approve(url: string): Promise<string> {
  const parameters = Object.fromEntries(new URL(url).searchParams)
  const answer = await browser.post('/user-api-key.json', parameters, { accept: 'application/json' })
  return answer.text()
}

async function authorize(change: Partial<AuthorizationOptions> = {}): Promise<Credential> {
  const { url, pending } = await beginAuthorization({
    site: siteUrl,
    applicationName: 'My app',
    scopes: ['read'],
    ...change,
  })
  await previewAuthorization(url, { fetch })
  return completeAuthorization(pending, await approve(url))
}

function clientFor(credential: Credential): HallpassClient {
  return createClient(credential, { fetch, maximumWaitMs: 0 })
}

describe('the client and Hallpass', () => {
  test('find each other', async () => {
    const { baseUrl, apiVersion, title, deviceCode, scopes } = await discover(siteUrl, { fetch })
    assert.deepEqual([baseUrl, apiVersion, title, deviceCode], [siteUrl, 4, 'Hallpass', true])
    const names = (allowed: boolean) =>
      scopes?.filter((one) => one.allowed === allowed).map(({ name }) => name)
    assert.ok(names(true)?.includes('read'))
    assert.deepEqual(names(false), ['bookmarks_calendar', 'user_status'])
  })

  for (const padding of ['oaep', 'pkcs1'] as const) {
    for (const authRedirect of [undefined, 'http://127.0.0.1:4321/callback?tab=1']) {
      test(`agree on a key: ${padding}, ${authRedirect ? 'redirected' : 'shown'}`, async () => {
        const credential = await authorize({
          padding,
          ...(authRedirect === undefined ? {} : { authRedirect }),
        })
        assert.match(credential.key, /^[0-9a-f]{32}$/)
        assert.equal((await clientFor(credential).currentUser()).username, 'sam')
      })
    }
  }

  test('agree on when a key ends', async () => {
    const { expiresAt } = await authorize({ expiresInSeconds: 3600 })
    assert.equal(Date.parse(expiresAt ?? ''), site.now() + 3_600_000)
  })

  test('say in the same words why a request would be refused', async () => {
    const asked = async (change: Partial<AuthorizationOptions>): Promise<void> => {
      const { url } = await beginAuthorization({
        site: siteUrl,
        applicationName: 'My app',
        scopes: ['read'],
        ...change,
      })
      await previewAuthorization(url, { fetch })
    }
    await assert.rejects(asked({ scopes: ['nonsense'] }), { reason: 'scope_unknown' })
    await assert.rejects(asked({ authRedirect: 'https://app.example.com/' }), {
      reason: 'auth_redirect_not_allowed',
    })
    await assert.rejects(asked({ expiresInSeconds: 10 ** 9 }), { reason: 'expiry_invalid' })
  })

  test('say in the same words why a call is refused', async () => {
    const client = clientFor(await authorize({ scopes: ['notifications'] }))
    await assert.rejects(client.currentUser(), {
      name: 'HallpassApiError',
      reason: 'scope_insufficient',
      status: 403,
      docsUrl: /\/errors\/scope_insufficient$/,
    })
  })

  test('end a key together', async () => {
    const client = clientFor(await authorize())
    await client.revoke()
    await assert.rejects(client.currentUser(), {
      reason: 'user_api_key_revoked',
      message: /^this key was revoked on /,
    })
    await assert.rejects(client.revoke(), { reason: 'user_api_key_revoked' })
  })
})
