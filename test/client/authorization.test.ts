import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import {
  beginAuthorization,
  completeAuthorization,
  type PendingAuthorization,
} from '../../src/client/authorization.ts'
import { seal, withPayload } from './plain-site.ts'

const site = 'https://forum.example.com'
const key = '0123456789abcdef0123456789abcdef'
let begun: { readonly url: string; readonly pending: PendingAuthorization }
let publicKey: string

before(async () => {
  begun = await beginAuthorization({
    site: `${site}/`,
    applicationName: 'My app',
    scopes: ['read', 'write'],
    authRedirect: 'https://app.example.com/callback?tab=1',
    clientId: 'client-1',
    expiresInSeconds: 3600,
  })
  publicKey = new URL(begun.url).searchParams.get('public_key') ?? ''
})

function sealed(change: Record<string, unknown> = {}, padding: 'oaep' | 'pkcs1' = 'oaep'): string {
  const payload = { key, nonce: begun.pending.nonce, push: false, api: 4, ...change }
  return seal(JSON.stringify(payload), publicKey, padding)
}

describe('beginAuthorization', () => {
  test('makes an address with every parameter, percent-encoded', () => {
    const { searchParams, origin, pathname, search } = new URL(begun.url)
    assert.equal(origin + pathname, `${site}/user-api-key/new`)
    assert.match(publicKey, /^-----BEGIN PUBLIC KEY-----\n/)
    assert.ok(!search.includes('+'), 'a plus sign would arrive as a space')
    const { public_key: _key, nonce, ...rest } = Object.fromEntries(searchParams)
    assert.match(nonce ?? '', /^[0-9a-f]{32}$/)
    assert.deepEqual(rest, {
      scopes: 'read,write',
      client_id: 'client-1',
      application_name: 'My app',
      auth_redirect: 'https://app.example.com/callback?tab=1',
      padding: 'oaep',
      expires_in_seconds: '3600',
    })
  })

  test('keeps a folder in the site’s address', async () => {
    const { url } = await beginAuthorization({
      site: 'https://example.com/forum/',
      applicationName: 'My app',
      scopes: ['read'],
    })
    assert.ok(url.startsWith('https://example.com/forum/user-api-key/new?'), url)
  })

  for (const scopes of [[], ['read,write'], ['read', ' write'], ['']]) {
    test(`rejects the scopes ${JSON.stringify(scopes)} as a mistake in the program`, async () => {
      await assert.rejects(beginAuthorization({ site, applicationName: 'My app', scopes }), TypeError)
    })
  }
})

describe('completeAuthorization', () => {
  test('opens a payload with a pending authorization that has been through JSON', async () => {
    const pending: PendingAuthorization = JSON.parse(JSON.stringify(begun.pending))
    assert.deepEqual(await completeAuthorization(pending, sealed()), {
      site,
      key,
      clientId: 'client-1',
      applicationName: 'My app',
      scopes: ['read', 'write'],
      push: false,
      api: 4,
      expiresAt: null,
    })
  })

  test('tells when the key ends', async () => {
    const credential = await completeAuthorization(
      begun.pending,
      sealed({ expires_at: '2026-06-01T12:00:00Z' }),
    )
    assert.equal(credential.expiresAt, '2026-06-01T12:00:00.000Z')
  })

  const forms: Readonly<Record<string, (payload: string) => string | URL>> = {
    'the lines that the page shows': (payload) => payload,
    'one line': (payload) => payload.replaceAll('\n', ''),
    'lines with CRLF and indents': (payload) => payload.replaceAll('\n', '\r\n    '),
    'lines wrapped by a terminal of 80 columns': (payload) =>
      payload.replaceAll('\n', '').replace(/.{80}/g, '$&\n'),
    'the redirect’s address': (payload) => withPayload('https://app.example.com/callback?tab=1', payload),
    'the redirect’s address, as a URL': (payload) => new URL(withPayload('http://127.0.0.1:9/x', payload)),
    'an address of another scheme': (payload) => withPayload('discourse://auth_redirect', payload),
    'an address without a path': (payload) => withPayload('http://localhost:8000', payload),
    'an address with a fragment and a one-time password': (payload) =>
      `${withPayload('myapp://auth', payload)}&oneTimePassword=abc#top`,
    'an address whose plus signs nobody encoded': (payload) =>
      `myapp://auth?payload=${payload.replaceAll('\n', '')}`,
    'the query alone': (payload) => `?payload=${encodeURIComponent(payload)}`,
    'a percent-encoded payload': (payload) => encodeURIComponent(payload),
    'a twice percent-encoded payload': (payload) => encodeURIComponent(encodeURIComponent(payload)),
    'a twice decoded payload, with spaces for plus signs': (payload) => payload.replaceAll('+', ' '),
    'the same with indented lines': (payload) => payload.replaceAll('+', ' ').replaceAll('\n', '\n    '),
    'the same on one line': (payload) => payload.replaceAll('\n', '').replaceAll('+', ' '),
    'the JSON answer with a payload': (payload) => JSON.stringify({ payload, instructions: 'Copy it.' }),
    'the JSON answer with an address': (payload) =>
      JSON.stringify({ redirect_url: withPayload('myapp://auth', payload) }, null, 2),
    'a piece of JSON in quotes': (payload) => JSON.stringify(payload),
    'the URL-safe alphabet without padding': (payload) =>
      payload.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''),
  }
  for (const [form, shape] of Object.entries(forms)) {
    for (const padding of ['oaep', 'pkcs1'] as const) {
      test(`opens ${form} (${padding})`, async () => {
        const credential = await completeAuthorization(begun.pending, shape(payloadWithPlus(padding)))
        assert.equal(credential.key, key)
      })
    }
  }

  test('opens a twice decoded payload that has lost a plus sign at the end of a line', async () => {
    let payload = sealed()
    while (!payload.includes('+\n')) payload = sealed()
    const credential = await completeAuthorization(begun.pending, payload.replaceAll('+', ' '))
    assert.equal(credential.key, key)
  })

  test('opens the same answer twice, as deep links are replayed', async () => {
    const address = withPayload('myapp://auth', sealed())
    const first = await completeAuthorization(begun.pending, address)
    assert.deepEqual(await completeAuthorization(begun.pending, address), first)
  })

  // An attacker who makes the app open an address could otherwise have it store a key of the attacker's account.
  test('refuses a payload with another nonce', async () => {
    await assert.rejects(completeAuthorization(begun.pending, sealed({ nonce: 'another' })), {
      reason: 'nonce_mismatch',
    })
  })

  test('refuses a payload for another key pair, naming both paddings', async () => {
    const other = await beginAuthorization({ site, applicationName: 'My app', scopes: ['read'] })
    await assert.rejects(completeAuthorization(other.pending, sealed()), {
      reason: 'payload_not_opened',
      message: 'this private key does not open the payload: neither oaep nor pkcs1 fits',
    })
  })

  const unreadable: readonly (readonly [string, (payload: string) => string, string, RegExp])[] = [
    ['an address without a payload', () => 'myapp://auth?error=1', 'payload_missing', /in the address/],
    ['an empty payload', () => 'myapp://auth?payload=', 'payload_missing', /in the address/],
    ['nothing', () => ' \n', 'payload_missing', /in an empty text/],
    ['JSON of another kind', () => '{"success":"OK"}', 'payload_missing', /in the json answer/],
    ['half a payload', (payload) => payload.slice(0, 122), 'payload_incomplete', /120 of 344 characters/],
    [
      'a payload pasted twice',
      (payload) => payload.replace(/=+\n$/, '').repeat(2),
      'payload_too_long',
      /where 344 were expected/,
    ],
    ['two payloads', () => 'myapp://auth?payload=a&payload=b', 'payload_malformed', /more than one/],
    ['prose', () => 'Copy the key: abc', 'payload_malformed', /":" is no character of base64/],
  ]
  for (const [what, shape, reason, message] of unreadable) {
    test(`refuses ${what} with ${reason}`, async () => {
      await assert.rejects(completeAuthorization(begun.pending, shape(sealed())), { reason, message })
    })
  }

  /** Sealing is random; a payload without a plus sign inside a line would prove nothing about them. */
  function payloadWithPlus(padding: 'oaep' | 'pkcs1'): string {
    for (;;) {
      const payload = sealed({}, padding)
      if (/[^\n]\+[^\n]/.test(payload) && !/^\+|\+$/m.test(payload)) return payload
    }
  }
})
