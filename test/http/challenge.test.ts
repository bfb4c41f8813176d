import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { createTestSite, siteUrl, type TestSite } from '../test-site.ts'

const metadata = `resource_metadata="${siteUrl}/.well-known/oauth-protected-resource"`

let site: TestSite
beforeEach(async () => {
  site = await createTestSite()
})
afterEach(() => site.close())

interface Answer {
  readonly status: number
  readonly challenge: string | null
  readonly body: Record<string, unknown>
}

async function ask(
  headers: Record<string, string>,
  path = '/session/current.json',
  method = 'GET',
): Promise<Answer> {
  return read(await site.request(path, { headers, method }))
}

async function set(name: string, value: string): Promise<void> {
  const form = { [name]: value }
  await site.asAdmin(`/admin/site_settings/${name}.json`, { method: 'PUT', form })
}

/** What the application answers to a request that Hallpass refuses. */
async function inApplication(headers: Record<string, string>, path: string): Promise<Answer> {
  const request = new Request(siteUrl + path, { headers: { accept: 'application/json', ...headers } })
  const decision = await site.hallpass.authenticate(request)
  assert.equal(decision.outcome, 'refused')
  return read(
    site.hallpass.refuse(request, decision.outcome === 'refused' ? decision.refusal : assert.fail()),
  )
}

async function read(response: Response): Promise<Answer> {
  const body = (await response.json()) as Record<string, unknown>
  return { status: response.status, challenge: response.headers.get('www-authenticate'), body }
}

describe('a refusal for scope', () => {
  test('tells programs what would do and what the key has', async () => {
    const key = await site.approvedKey({ scopes: 'session_info' })
    const { status, body } = await inApplication({ 'user-api-key': key }, '/notifications.json')
    assert.equal(status, 403)
    assert.deepEqual(body.needed_scopes, ['notifications', 'read', 'write'])
    assert.deepEqual(body.granted_scopes, ['session_info'])
  })

  test('asks in its challenge for the narrowest scope that the site gives out', async () => {
    const key = await site.approvedKey({ scopes: 'session_info' })
    const asked = async (): Promise<string | null> =>
      (await inApplication({ authorization: `Bearer ${key}` }, '/notifications.json')).challenge
    const challenge = await asked()
    assert.match(
      challenge ?? '',
      /^Bearer error="insufficient_scope", error_description="GET \/notifications/,
    )
    assert.ok(challenge?.endsWith(`, scope="notifications", ${metadata}`), String(challenge))
    await set('allow_user_api_key_scopes', 'read|session_info')
    assert.match((await asked()) ?? '', /, scope="read", /)
    await set('allow_user_api_key_scopes', 'session_info')
    assert.doesNotMatch((await asked()) ?? '', /, scope="/)
  })

  test('is 403 for a bearer token too (RFC 6750 §3.1)', async () => {
    const key = await site.approvedKey({ scopes: 'session_info' })
    assert.equal((await inApplication({ authorization: `Bearer ${key}` }, '/notifications.json')).status, 403)
  })

  test('is told the same way by Hallpass’s own routes', async () => {
    const key = await site.approvedKey({ scopes: 'read' })
    const answer = await ask({ 'user-api-key': key }, '/user-api-key', 'POST')
    assert.match(answer.challenge ?? '', /insufficient_scope.* scope="write"/)
    assert.deepEqual([answer.status, answer.body.granted_scopes], [403, ['read']])
  })

  test('of an API key tells the same fields, and challenges for no bearer token', async () => {
    const created = await site.asAdmin('/admin/api/keys.json', {
      json: {
        key: {
          description: 'k',
          username: 'admin',
          scope_mode: 'granular',
          scopes: [{ scope_id: 'topics:read' }],
        },
      },
    })
    const { key } = (await created.json()) as { key: { key: string } }
    const answer = await inApplication({ 'api-key': key.key, 'api-username': 'admin' }, '/posts.json')
    assert.equal(answer.body.reason, 'api_key_scope_insufficient')
    assert.deepEqual(answer.body.granted_scopes, ['topics:read'])
    assert.deepEqual(answer.body.needed_scopes, ['posts:list', 'global:read'])
    assert.equal(answer.challenge, null)
  })
})

describe('a key that does not count', () => {
  const unknown = '0'.repeat(32)

  test('is 401 invalid_token as a bearer token, and 403 in the protocol’s header', async () => {
    const asToken = await ask({ authorization: `Bearer ${unknown}` })
    assert.deepEqual([asToken.status, asToken.body.reason], [401, 'user_api_key_invalid'])
    assert.match(
      asToken.challenge ?? '',
      /^Bearer error="invalid_token", error_description="[^"]+", resource_/,
    )
    const asHeader = await ask({ 'user-api-key': unknown })
    assert.deepEqual([asHeader.status, asHeader.body.reason], [403, 'user_api_key_invalid'])
    assert.match(asHeader.challenge ?? '', /^Bearer error="invalid_token"/)
    // The header wins over the token, so the refusal is about the header.
    assert.equal((await ask({ 'user-api-key': unknown, authorization: `Bearer ${unknown}` })).status, 403)
  })

  test('is 401 once it is revoked or expired, in the application too', async () => {
    const key = await site.approvedKey({ expires_in_seconds: '60' })
    const headers = { authorization: `Bearer ${key}` }
    assert.equal((await ask(headers)).status, 200)
    site.advance(61)
    assert.equal((await ask(headers)).status, 401)
    assert.equal((await inApplication(headers, '/t/12')).status, 401)
    const other = await site.approvedKey()
    await site.request('/user-api-key/revoke', { method: 'POST', headers: { 'user-api-key': other } })
    const revoked = await ask({ authorization: `Bearer ${other}` })
    assert.deepEqual([revoked.status, revoked.body.reason], [401, 'user_api_key_revoked'])
  })

  test('stays 403 without a challenge for an owner who is suspended: no new key would mend it', async () => {
    const key = await site.approvedKey()
    await site.asAdmin(`/admin/users/${site.user.id}/suspend.json`, {
      method: 'PUT',
      form: { suspend_until: '2030-01-01', reason: 'test' },
    })
    const { status, challenge, body } = await ask({ authorization: `Bearer ${key}` })
    assert.deepEqual([status, challenge, body.reason], [403, null, 'owner_suspended'])
  })
})

describe('no key at all', () => {
  const refusedPath = '/user-api-key/revoke'

  test('keeps the protocol’s 403 and gets a bare challenge, without an error code (RFC 6750 §3.1)', async () => {
    const { status, challenge, body } = await ask({}, refusedPath, 'POST')
    assert.deepEqual([status, body.reason, challenge], [403, 'not_signed_in', `Bearer ${metadata}`])
  })

  test('is 401 with a token that has not the form of a key', async () => {
    const { status, challenge } = await ask({ authorization: 'Bearer some.other.token' }, refusedPath, 'POST')
    assert.equal(status, 401)
    assert.match(challenge ?? '', /^Bearer error="invalid_token"/)
  })

  test('names the site where it publishes no metadata', async () => {
    await set('enable_oauth_metadata', 'false')
    assert.equal((await ask({}, refusedPath, 'POST')).challenge, `Bearer realm="${siteUrl}"`)
  })

  test('is not what a missing CSRF token is about', async () => {
    const visitor = await site.signedIn()
    const response = await visitor.request(refusedPath, { method: 'POST' })
    assert.equal(response.status, 403)
    assert.equal(response.headers.get('www-authenticate'), null)
  })
})

describe('the header', () => {
  test('holds nothing that could end a quoted string or the header', async () => {
    const key = await site.approvedKey({ scopes: 'session_info' })
    const request = new Request(`${siteUrl}/t/%22,%20scope=%22write%E2%80%9C`, {
      headers: { 'user-api-key': key },
    })
    const decision = await site.hallpass.authenticate(request)
    assert.ok(decision.outcome === 'refused')
    const challenge = site.hallpass.refuse(request, decision.refusal).headers.get('www-authenticate') ?? ''
    assert.match(challenge, /^Bearer ([a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*"(, |$))+$/)
  })

  test('is shown to scripts of listed origins', async () => {
    await set('cors_origins', 'https://app.example.com')
    const response = await site.request('/session/current.json', {
      headers: { origin: 'https://app.example.com', authorization: `Bearer ${'0'.repeat(32)}` },
    })
    assert.match(response.headers.get('access-control-expose-headers') ?? '', /WWW-Authenticate/)
  })
})
