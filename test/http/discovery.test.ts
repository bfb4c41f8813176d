import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { OwnScope } from '../../src/protocol/scopes.ts'
import { createTestSite, siteUrl, type TestSite } from '../test-site.ts'

const documents = [
  '/.well-known/hallpass',
  '/.well-known/oauth-protected-resource',
  '/.well-known/oauth-authorization-server',
]

const orders: OwnScope = {
  name: 'shop:orders',
  label: 'See your orders',
  description: 'GET of the orders.',
  routes: [{ methods: ['GET'], paths: ['/shops/:shop/orders'], pathParams: ['shop'], params: ['state'] }],
}

let site: TestSite
beforeEach(async () => {
  site = await createTestSite({ scopes: [orders] })
})
afterEach(() => site.close())

async function set(name: string, value: string): Promise<void> {
  const form = { [name]: value }
  const answer = await site.asAdmin(`/admin/site_settings/${name}.json`, { method: 'PUT', form })
  assert.equal(answer.status, 200, await answer.text())
}

async function read(path: string): Promise<Record<string, unknown>> {
  const response = await site.request(path)
  assert.equal(response.status, 200)
  return (await response.json()) as Record<string, unknown>
}

/** The names of all fields, nested ones with a dot; a list stands for what its first item holds. */
function fieldNames(value: unknown, prefix = ''): readonly string[] {
  if (Array.isArray(value)) return fieldNames(value[0], prefix)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const path = prefix + name
    return [path, ...fieldNames(inner, `${path}.`)]
  })
}

describe('GET /.well-known/hallpass', () => {
  test('tells what an app needs to begin', async () => {
    const { scopes, ...rest } = await read('/.well-known/hallpass')
    assert.deepEqual(rest, {
      version: 1,
      issuer: siteUrl,
      protocol_version: 4,
      title: 'Hallpass',
      description: '',
      login_required: false,
      flows: {
        browser: { authorization_endpoint: `${siteUrl}/user-api-key/new` },
        device: {
          request_endpoint: `${siteUrl}/user-api-key/device.json`,
          poll_endpoint: `${siteUrl}/user-api-key/device/poll.json`,
          verification_uri: `${siteUrl}/user-api-key/activate`,
          expires_in: 600,
          interval: 5,
        },
        oauth_device: {
          device_authorization_endpoint: `${siteUrl}/oauth/device_authorization`,
          token_endpoint: `${siteUrl}/oauth/token`,
        },
        one_time_password: { authorization_endpoint: `${siteUrl}/user-api-key/otp` },
      },
      keys: {
        current_user_endpoint: `${siteUrl}/session/current.json`,
        revocation_endpoint: `${siteUrl}/user-api-key/revoke.json`,
        oauth_revocation_endpoint: `${siteUrl}/oauth/revoke`,
        introspection_endpoint: `${siteUrl}/oauth/introspect`,
        apps_page: `${siteUrl}/hallpass/apps`,
      },
      registration: { open: false, endpoint: `${siteUrl}/user-api-key-client.json`, scopes: [] },
      paddings: ['oaep', 'pkcs1'],
      public_key: { type: 'RSA', minimum_bits: 1024, minimum_bits_device: 2048, maximum_bits: 8192 },
      maximum_expires_in_seconds: 365 * 86_400,
      narrowing: {
        parameter: 'scope_parameters',
        maximum_bytes: 2000,
        maximum_bytes_per_value: 200,
        maximum_values_per_parameter: 50,
      },
      redirects: { loopback: true, none: true, check_endpoint: `${siteUrl}/user-api-key/new.json` },
      limits: {
        requests_per_minute: 1_000_000,
        requests_per_day: 1_000_000,
        requests_per_minute_per_address: 1_000_000,
        requests_per_10_seconds_per_address: 1_000_000,
      },
      unused_key_days: 180,
      headers: {
        key: 'User-Api-Key',
        client_id: 'User-Api-Client-Id',
        bearer: true,
        username: 'X-Discourse-Username',
        route: 'X-Discourse-Route',
      },
      docs: {
        errors: `${siteUrl}/hallpass/docs/errors`,
        scopes: `${siteUrl}/hallpass/scopes.json`,
      },
    })
    assert.deepEqual(scopes, (await read('/hallpass/scopes.json')).scopes)
    const own = (scopes as { name: string; routes: unknown[] }[]).find(({ name }) => name === 'shop:orders')
    assert.deepEqual(own?.routes, [
      { methods: ['GET'], paths: ['/shops/:shop/orders'], formats: null, restrictable: ['state', 'shop'] },
    ])
  })

  test('tells what the settings switch off, and on', async () => {
    await set('enable_oauth_device_flow', 'false')
    await set('enable_oauth_introspection', 'false')
    await set('enable_oauth_revocation', 'false')
    await set('max_user_api_key_expiry_days', '0')
    await set('revoke_user_api_keys_unused_days', '0')
    await set('disable_rate_limits', 'true')
    await set('allowed_user_api_auth_redirects', 'https://app.example.com/callback')
    await set('allow_user_api_key_scopes', 'read|shop:orders')
    await set('allow_user_api_key_client_scopes', 'read')
    const { flows, keys, registration, redirects, scopes, ...rest } = await read('/.well-known/hallpass')
    const { oauth_device: oauthDevice, one_time_password: password } = flows as Record<string, unknown>
    assert.deepEqual([oauthDevice, password], [null, null])
    const { oauth_revocation_endpoint: revocation, introspection_endpoint: introspection } = keys as Record<
      string,
      unknown
    >
    assert.deepEqual([revocation, introspection], [null, null])
    assert.deepEqual([rest.maximum_expires_in_seconds, rest.unused_key_days, rest.limits], [null, null, null])
    assert.equal((redirects as Record<string, unknown>).loopback, false)
    assert.deepEqual([(registration as Record<string, unknown>).open], [true])
    const allowed = (scopes as { name: string; allowed: boolean }[]).filter((scope) => scope.allowed)
    assert.deepEqual(allowed.map(({ name }) => name).sort(), ['read', 'shop:orders'])
  })

  test('has every field that docs/discovery.md describes, and no other', async () => {
    const page = readFileSync(new URL('../../docs/discovery.md', import.meta.url), 'utf8')
    const table = page.slice(
      page.indexOf('## /.well-known/hallpass'),
      page.indexOf('## For clients of OAuth'),
    )
    const described = [...table.matchAll(/^\| `([a-z0-9_.]+)` \|/gm)].map(([, name = '']) => name)
    const nested = fieldNames(await read('/.well-known/hallpass'))
    const leaves = nested.filter((name) => !nested.some((other) => other.startsWith(`${name}.`)))
    assert.deepEqual([...leaves].sort(), [...described].sort())
  })
})

describe('RFC 9728 protected-resource metadata', () => {
  test('names the site, its authorization server, and how a key is sent', async () => {
    const { scopes_supported: scopes, ...rest } = await read('/.well-known/oauth-protected-resource')
    assert.deepEqual(rest, {
      resource: siteUrl,
      authorization_servers: [siteUrl],
      bearer_methods_supported: ['header'],
      resource_name: 'Hallpass',
      resource_documentation: `${siteUrl}/hallpass/docs/errors`,
    })
    assert.ok((scopes as string[]).includes('read') && !(scopes as string[]).includes('one_time_password'))
  })

  test('names no authorization server while there is none', async () => {
    await set('enable_oauth_device_flow', 'false')
    assert.equal('authorization_servers' in (await read('/.well-known/oauth-protected-resource')), false)
  })
})

describe('RFC 8414 authorization-server metadata', () => {
  test('names every endpoint and how its callers are known', async () => {
    const { scopes_supported: scopes, ...rest } = await read('/.well-known/oauth-authorization-server')
    assert.deepEqual(rest, {
      issuer: siteUrl,
      device_authorization_endpoint: `${siteUrl}/oauth/device_authorization`,
      token_endpoint: `${siteUrl}/oauth/token`,
      token_endpoint_auth_methods_supported: ['none'],
      grant_types_supported: ['urn:ietf:params:oauth:grant-type:device_code'],
      response_types_supported: [],
      introspection_endpoint: `${siteUrl}/oauth/introspect`,
      introspection_endpoint_auth_methods_supported: ['client_secret_basic'],
      revocation_endpoint: `${siteUrl}/oauth/revoke`,
      revocation_endpoint_auth_methods_supported: ['none'],
      service_documentation: `${siteUrl}/hallpass/docs/errors`,
      protected_resources: [siteUrl],
    })
    assert.ok((scopes as string[]).includes('write'))
  })
})

describe('the published documents', () => {
  for (const path of documents) {
    test(`${path} may be read by any page, whatever origins the site lists`, async () => {
      await set('cors_origins', 'https://app.example.com')
      const headers = { origin: 'https://other.example' }
      const response = await site.request(path, { headers })
      assert.equal(response.headers.get('access-control-allow-origin'), '*')
      // Together with `*` it would be an error in the browser.
      assert.equal(response.headers.get('access-control-allow-credentials'), null)
      const preflight = await site.request(path, {
        method: 'OPTIONS',
        headers: {
          ...headers,
          'access-control-request-method': 'GET',
          'access-control-request-headers': 'mcp-protocol-version',
        },
      })
      assert.equal(preflight.status, 200)
      assert.equal(preflight.headers.get('access-control-allow-origin'), '*')
      assert.equal(preflight.headers.get('access-control-allow-headers'), 'mcp-protocol-version')
    })

    test(`${path} may be kept for a while, and is asked for again by its ETag`, async () => {
      const first = await site.request(path)
      const etag = first.headers.get('etag') ?? ''
      // Its addresses are what this very request named.
      assert.equal(first.headers.get('cache-control'), 'private, max-age=300')
      for (const known of [etag, `W/${etag}`, `"other", ${etag}`]) {
        const again = await site.request(path, { headers: { 'if-none-match': known } })
        assert.equal(again.status, 304)
        assert.equal(await again.text(), '')
        assert.equal(again.headers.get('etag'), etag)
      }
      await set('allow_user_api_key_scopes', 'read')
      const changed = await site.request(path, { headers: { 'if-none-match': etag } })
      assert.equal(changed.status, 200)
      assert.notEqual(changed.headers.get('etag'), etag)
    })

    test(`${path} answers HEAD as GET, without a body`, async () => {
      const response = await site.request(path, { method: 'HEAD' })
      assert.equal(response.status, 200)
      assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
      assert.equal(await response.text(), '')
    })

    test(`${path} names nobody, even to somebody who is known`, async () => {
      const key = await site.approvedKey()
      for (const headers of [{ 'user-api-key': key }, {}]) {
        const response = await site.request(path, { headers })
        assert.equal(response.headers.get('x-discourse-username'), null)
        assert.equal(response.headers.get('set-cookie'), null)
      }
    })
  }

  test('are the application’s own paths while the setting says so, but for Hallpass’s', async () => {
    await set('enable_oauth_metadata', 'false')
    const isAnswered = await Promise.all(
      documents.map(async (path) => (await site.hallpass.handle(new Request(siteUrl + path))) !== undefined),
    )
    assert.deepEqual(isAnswered, [true, false, false])
    await set('cors_origins', 'https://app.example.com')
    const headers = { origin: 'https://other.example', 'access-control-request-method': 'GET' }
    const preflight = await site.request(documents[1] ?? '', { method: 'OPTIONS', headers })
    assert.notEqual(preflight.headers.get('access-control-allow-origin'), '*')
  })

  test('tell the configured address, whoever asks under which name', async () => {
    const named = await createTestSite({ baseUrl: 'https://forum.example.com' })
    for (const path of documents) {
      const response = await named.request(path)
      assert.equal(response.headers.get('cache-control'), 'public, max-age=300')
      const answer = await response.text()
      assert.ok(answer.includes('https://forum.example.com') && !answer.includes(siteUrl), path)
    }
    await named.close()
  })
})
