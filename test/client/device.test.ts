import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { authorizeWithDevice, type DeviceCode, type DeviceOptions } from '../../src/client/device.ts'
import type { Fetch } from '../../src/client/http.ts'
import { type Browser, createTestSite, siteUrl, type TestSite } from '../test-site.ts'

let site: TestSite
let sam: Browser
beforeEach(async () => {
  site = await createTestSite({ random: { bytes: (length) => new Uint8Array(randomBytes(length)) } })
  sam = await site.signedIn()
})
afterEach(() => site.close())

const sendToSite: Fetch = (input, init) =>
  site.hallpass.fetch(new Request(input, init), { remoteAddress: '127.0.0.1' })

/** Options whose waiting moves the site's clock. */
function options(change: Partial<DeviceOptions> = {}): DeviceOptions {
  return {
    site: siteUrl,
    applicationName: 'My terminal',
    scopes: ['session_info'],
    fetch: sendToSite,
    showCode: () => {},
    wait: async (delayMs) => site.advance(delayMs / 1000),
    ...change,
  }
}

async function decide(code: DeviceCode, step: 'authorize' | 'deny'): Promise<void> {
  const headers = { accept: 'application/json' }
  const entered = await sam.post('/user-api-key/activate.json', { code: code.userCode }, headers)
  const { approval_token: token } = (await entered.json()) as { approval_token: string }
  await sam.post(`/user-api-key/device/${step}.json`, { approval_token: token }, headers)
}

describe('authorizeWithDevice', () => {
  test('gets a key that works, once the user has approved', async () => {
    let shown: DeviceCode | undefined
    let polls = 0
    const credential = await authorizeWithDevice(
      options({
        showCode: (code) => {
          shown = code
        },
        wait: async (delayMs) => {
          site.advance(delayMs / 1000)
          polls += 1
          if (polls === 3 && shown) await decide(shown, 'authorize')
        },
      }),
    )
    assert.equal(polls, 3)
    assert.ok(shown?.verificationUrlWithRequest.startsWith(`${shown.verificationUrl}?request=`))
    const who = await site.request('/session/current.json', { headers: { 'user-api-key': credential.key } })
    assert.equal((await who.json()).current_user.username, 'sam')
  })

  test('says so when the user denies', async () => {
    const denied = authorizeWithDevice(options({ showCode: (code) => decide(code, 'deny') }))
    await assert.rejects(denied, { reason: 'authorization_denied' })
  })

  test('ends when nobody decides in time', async () => {
    await assert.rejects(authorizeWithDevice(options()), { reason: 'authorization_timed_out' })
  })

  test('goes on after polls that fail', async () => {
    let failures = 2
    const credential = await authorizeWithDevice(
      options({
        showCode: (code) => decide(code, 'authorize'),
        fetch: async (input, init) => {
          if (input.includes('/poll') && failures > 0) {
            failures -= 1
            if (failures === 1) throw new TypeError('fetch failed')
            return new Response('', { status: 502 })
          }
          return sendToSite(input, init)
        },
      }),
    )
    assert.equal(failures, 0)
    assert.match(credential.key, /^[0-9a-f]{32}$/)
  })

  test('gets a narrowed key, and remembers what it is narrowed to', async () => {
    const setting = { allow_user_api_key_scopes: 'session_info|bookmarks_calendar' }
    const path = '/admin/site_settings/allow_user_api_key_scopes.json'
    assert.equal((await site.asAdmin(path, { method: 'PUT', form: setting })).status, 200)
    const scopeParameters = { bookmarks_calendar: { username: ['sam'] } }
    const credential = await authorizeWithDevice(
      options({
        scopes: ['session_info', 'bookmarks_calendar'],
        scopeParameters,
        showCode: (code) => decide(code, 'authorize'),
      }),
    )
    assert.deepEqual(credential.scopeParameters, scopeParameters)
    const [key] = await site.store.userApiKeys.listByUser(site.user.id)
    assert.deepEqual(key?.scopes[1]?.allowedParameters, { username: ['sam'] })
  })

  // It would ignore the parameter, and the app would hold a key for all that it promised to leave alone.
  test('asks no site for a narrowed key that does not say that it narrows', async () => {
    const asked: string[] = []
    const silent: Fetch = async (input, init) => {
      asked.push(String(input))
      if (String(input).endsWith('/.well-known/hallpass')) return new Response('', { status: 404 })
      return sendToSite(input, init)
    }
    const scopeParameters = { bookmarks_calendar: { username: ['sam'] } }
    const refused = authorizeWithDevice(
      options({ fetch: silent, scopes: ['bookmarks_calendar'], scopeParameters }),
    )
    await assert.rejects(refused, { reason: 'narrowing_not_offered', message: /bookmarks_calendar/ })
    assert.deepEqual(asked, [`${siteUrl}/.well-known/hallpass`])
  })

  test('passes the site’s refusal on', async () => {
    const refused = authorizeWithDevice(options({ scopes: ['fly'] }))
    await assert.rejects(refused, { reason: 'scope_unknown', status: 403 })
  })

  test('says so when the site has no device flow', async () => {
    const refused = authorizeWithDevice(options({ fetch: async () => new Response('', { status: 404 }) }))
    await assert.rejects(refused, { reason: 'site_without_device_flow' })
  })

  test('shows no code that a terminal could obey', async () => {
    const answer = {
      device_code: 'a',
      user_code: '\u001b[2J',
      verification_uri: 'https://a.example/',
      expires_in: 600,
      interval: 5,
    }
    const refused = authorizeWithDevice(options({ fetch: async () => Response.json(answer) }))
    await assert.rejects(refused, { reason: 'site_answer_unexpected' })
  })

  test('stops when it is aborted', async () => {
    const abort = new AbortController()
    const reason = new Error('enough')
    const waiting = authorizeWithDevice(
      options({ signal: abort.signal, showCode: () => abort.abort(reason) }),
    )
    await assert.rejects(waiting, reason)
  })
})
