/** An OAuth client that everybody uses, against what Hallpass publishes: it checks metadata and answers strictly. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import * as oauth from 'openid-client'
import { createTestSite, siteUrl, type TestSite } from '../test-site.ts'

let site: TestSite
before(async () => {
  site = await createTestSite()
})
after(() => site.close())

function fetchFromSite(url: string, options: oauth.CustomFetchOptions): Promise<Response> {
  const { method, headers, body = null } = options
  const request = new Request(url, {
    method,
    headers,
    body: typeof body === 'string' ? body : String(body ?? '') || null,
  })
  return site.hallpass.fetch(request, { remoteAddress: '127.0.0.1' })
}

/** A client that has found the site by its RFC 8414 metadata. */
function configured(clientId: string, authentication: oauth.ClientAuth): Promise<oauth.Configuration> {
  return oauth.discovery(new URL(siteUrl), clientId, undefined, authentication, {
    algorithm: 'oauth2',
    execute: [oauth.allowInsecureRequests],
    [oauth.customFetch]: fetchFromSite,
  })
}

describe('openid-client', () => {
  test('finds the site, gets a key by the device flow, has it looked at, and gives it back', async () => {
    const app = await configured('tv', oauth.None())
    const asked = await oauth.initiateDeviceAuthorization(app, { scope: 'read session_info' })
    const visitor = await site.signedIn()
    const typed = await visitor.post('/user-api-key/activate.json', { code: asked.user_code })
    const { approval_token: approval } = (await typed.json()) as { approval_token: string }
    await visitor.post('/user-api-key/device/authorize.json', { approval_token: approval })
    const { access_token: key } = await oauth.pollDeviceAuthorizationGrant(app, { ...asked, interval: 0 })

    const me = new URL('/session/current.json', siteUrl)
    const answer = await oauth.fetchProtectedResource(app, key, me, 'GET')
    assert.equal(
      ((await answer.json()) as { current_user: { username: string } }).current_user.username,
      'sam',
    )

    const service = await configured('admin', oauth.ClientSecretBasic(site.adminApiKey))
    const seen = await oauth.tokenIntrospection(service, key)
    assert.deepEqual([seen.active, seen.scope, seen.username], [true, 'read session_info', 'sam'])

    await oauth.tokenRevocation(app, key)
    assert.deepEqual({ ...(await oauth.tokenIntrospection(service, key)) }, { active: false })
    await assert.rejects(oauth.fetchProtectedResource(app, key, me, 'GET'), (error: unknown) => {
      assert.ok(error instanceof oauth.WWWAuthenticateChallengeError)
      const [challenge] = error.cause
      assert.equal(error.status, 401)
      assert.equal(challenge?.scheme, 'bearer')
      assert.equal(challenge.parameters.error, 'invalid_token')
      assert.equal(challenge.parameters.resource_metadata, `${siteUrl}/.well-known/oauth-protected-resource`)
      return true
    })
  })

  test('understands why it may not introspect', async () => {
    const stranger = await configured('admin', oauth.ClientSecretBasic('f'.repeat(64)))
    await assert.rejects(oauth.tokenIntrospection(stranger, 'x'), (error: unknown) => {
      assert.ok(error instanceof oauth.WWWAuthenticateChallengeError)
      assert.equal(error.cause[0]?.scheme, 'basic')
      return true
    })
  })
})
