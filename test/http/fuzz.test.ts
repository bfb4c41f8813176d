import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { appPublicKey, authorizationParameters, createTestSite, type TestSite } from '../test-site.ts'

let site: TestSite
before(async () => {
  // A fault of the server's own would be thrown by the test site's onError.
  site = await createTestSite({ pinnedSettings: { disable_rate_limits: 'true' } })
})
after(() => site.close())

const names = Object.keys(authorizationParameters()).concat([
  'auth_redirect',
  'push_url',
  'padding',
  'expires_in_seconds',
])

/** Text of every kind: anything, things like the real ones, and the real ones with a piece changed. */
const value = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    'read',
    'read,write',
    'oaep',
    '1',
    '0',
    '-1',
    '1e9',
    'http://127.0.0.1:1/',
    'discourse://auth_redirect',
    '',
  ),
  fc.constantFrom(appPublicKey, appPublicKey.replaceAll('\n', ' '), appPublicKey.replaceAll('+', ' ')),
  fc
    .tuple(fc.nat(400), fc.string({ maxLength: 5 }))
    .map(([at, text]) => appPublicKey.slice(0, at) + text + appPublicKey.slice(at)),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
)

describe('the authorization request', () => {
  test('is answered below 500 whatever its address holds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom(...names), value),
        fc.boolean(),
        async (parameters, whole) => {
          const query = new URLSearchParams(
            whole ? { ...authorizationParameters(), ...parameters } : parameters,
          )
          const response = await site.request(`/user-api-key/new?${query}`)
          assert.ok(response.status < 500, `${response.status} for ${query}`)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('is answered below 500 whatever the JSON body of its approval holds', async () => {
    const headers = { 'api-key': site.adminApiKey, 'api-username': 'sam' }
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom(...names), fc.oneof(value, fc.jsonValue())),
        async (json) => {
          const response = await site.request('/user-api-key.json', {
            json: { ...authorizationParameters(), ...json },
            headers,
          })
          assert.ok(response.status < 500, `${response.status} for ${JSON.stringify(json)}`)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('is answered below 500 whatever the device flow’s routes are sent', async () => {
    const anything = fc.oneof(value, fc.jsonValue())
    const steps = ['device', 'device/poll', 'activate', 'device/authorize', 'device/deny']
    const fields = [...names, 'device_code', 'code', 'request', 'approval_token']
    const headers = { 'api-key': site.adminApiKey, 'api-username': 'sam', accept: 'application/json' }
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...steps),
        fc.dictionary(fc.constantFrom(...fields), anything),
        async (step, json) => {
          const whole = step === 'device' ? { ...authorizationParameters(), ...json } : json
          const response = await site.request(`/user-api-key/${step}.json`, { json: whole, headers })
          assert.ok(response.status < 500, `${response.status} for ${step} ${JSON.stringify(json)}`)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('is answered below 500 whatever one-time passwords and registrations are asked with', async () => {
    const anything = fc.oneof(value, fc.jsonValue())
    const fields = [...names, 'user_api_public_key']
    const headers = { 'api-key': site.adminApiKey, 'api-username': 'sam', accept: 'application/json' }
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('/user-api-key/otp', '/user-api-key-client'),
        fc.dictionary(fc.constantFrom(...fields), anything),
        async (path, json) => {
          const response = await site.request(path, {
            json: { ...authorizationParameters(), ...json },
            headers,
          })
          assert.ok(response.status < 500, `${response.status} for ${path} ${JSON.stringify(json)}`)
        },
      ),
      { numRuns: 300 },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('/user-api-key/otp', '/user-api-key-client', '/', '/session/otp/x'),
        fc.dictionary(fc.constantFrom(...fields), value),
        async (path, parameters) => {
          const response = await site.request(`${path}?${new URLSearchParams(parameters)}`)
          assert.ok(response.status < 500, `${response.status} for ${path} ${JSON.stringify(parameters)}`)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('is answered below 500 whatever its path and method', async () => {
    const path = fc.array(
      fc.oneof(
        fc.string(),
        fc.constantFrom('user-api-key', 'new', '..', '%2f', '%00', '%', 'u', 'admin', 'session'),
      ),
    )
    await fc.assert(
      fc.asyncProperty(
        path,
        fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD'),
        async (parts, method) => {
          const url = `/${parts.map((part) => (part.startsWith('%') ? part : encodeURI(part.toWellFormed()))).join('/')}`
          if (!URL.canParse(url, 'http://hallpass.test')) return
          const response = await site.request(url.replace(/^\/+/, '/'), { method })
          assert.ok(response.status < 500, `${response.status} for ${method} ${url}`)
        },
      ),
      { numRuns: 300 },
    )
  })
})
