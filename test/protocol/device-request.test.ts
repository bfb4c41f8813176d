import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import type { KnownClient } from '../../src/protocol/authorization-request.ts'
import {
  checkDeviceRequest,
  type DeviceContext,
  deviceCodeAlphabet,
  formatUserCode,
  isRequestToken,
  normalizeUserCode,
  readDeviceParameters,
  serializeDeviceParameters,
} from '../../src/protocol/device-request.ts'
import { refusalBody } from '../../src/protocol/errors.ts'
import { createScopeCatalogue } from '../../src/protocol/scopes.ts'
import { defaultSettings } from '../../src/protocol/setting-values.ts'

const goodKey = rsaKey(2048)
const smallKey = rsaKey(1024)

const good = {
  nonce: 'nonce-1',
  scopes: 'read,session_info',
  client_id: 'client-1',
  application_name: 'My terminal',
  public_key: goodKey,
}

const registered: KnownClient = {
  clientId: 'client-1',
  applicationName: 'The registered name',
  publicKey: goodKey,
  authRedirect: null,
  registeredScopes: ['read'],
}

describe('checkDeviceRequest', () => {
  test('accepts an ordinary request and fills in what it leaves out', () => {
    const request = accept({ ...good, scopes: 'read,session_info,read' })
    assert.deepEqual(request.scopes, ['read', 'session_info'])
    assert.equal(request.padding, 'pkcs1')
    assert.equal(request.applicationName, 'My terminal')
    assert.equal(request.unregisteredClient, true)
    assert.equal(request.expiresInSeconds, undefined)
  })

  const refusals: [name: string, change: Record<string, unknown>, reason: string, status: number][] = [
    ['a missing nonce', { nonce: undefined }, 'device_parameters_missing', 400],
    ['blank scopes', { scopes: '  ' }, 'device_parameters_missing', 400],
    ['a missing client id', { client_id: null }, 'device_parameters_missing', 400],
    ['a missing application name', { application_name: '' }, 'device_parameters_missing', 400],
    ['a missing public key', { public_key: undefined }, 'device_parameters_missing', 400],
    ['a long client id', { client_id: 'é'.repeat(101) }, 'parameter_too_long', 400],
    ['a long application name', { application_name: 'a'.repeat(201) }, 'parameter_too_long', 400],
    ['a long nonce', { nonce: 'a'.repeat(257) }, 'parameter_too_long', 400],
    ['a long public key', { public_key: 'a'.repeat(4097) }, 'parameter_too_long', 400],
    ['a long push address', { push_url: 'a'.repeat(2001) }, 'parameter_too_long', 400],
    ['long scopes', { scopes: 'a'.repeat(501) }, 'parameter_too_long', 400],
    ['too many scopes', { scopes: Array(21).fill('read').join() }, 'parameter_invalid', 400],
    ['an empty item among the scopes', { scopes: 'read,,write' }, 'parameter_invalid', 400],
    ['an empty item at the end', { scopes: 'read,' }, 'parameter_invalid', 400],
    ['one-time passwords', { scopes: 'read,one_time_password' }, 'scope_not_for_devices', 400],
    ['a scope that there is not', { scopes: 'fly' }, 'scope_unknown', 403],
    ['a scope that the site does not offer', { scopes: 'user_status' }, 'scope_not_allowed', 403],
    ['an unknown padding', { padding: 'pss' }, 'padding_invalid', 400],
    ['text that is no key', { public_key: 'hello' }, 'public_key_unreadable', 400],
    ['a key of 1024 bits', { public_key: smallKey }, 'public_key_size', 400],
    ['a life of no seconds', { expires_in_seconds: 0 }, 'expiry_invalid', 400],
    ['a nonce that the payload cannot hold', { nonce: 'n'.repeat(200) }, 'payload_too_large', 400],
  ]
  for (const [name, change, reason, status] of refusals) {
    test(`refuses ${name} with ${status}`, () => {
      const why = refuse({ ...good, ...change })
      assert.equal(why.reason, reason)
      assert.equal(why.status, status)
    })
  }

  const orders: [first: string, change: Record<string, unknown>, reason: string][] = [
    ['presence before length', { nonce: '', client_id: 'a'.repeat(201) }, 'device_parameters_missing'],
    [
      'length before the application name',
      { nonce: 'a'.repeat(257), application_name: '' },
      'parameter_too_long',
    ],
    [
      'the application name before scopes',
      { application_name: '', scopes: 'read,' },
      'device_parameters_missing',
    ],
    ['empty items before one-time passwords', { scopes: 'one_time_password,' }, 'parameter_invalid'],
    [
      'one-time passwords before the site’s scopes',
      { scopes: 'fly,one_time_password' },
      'scope_not_for_devices',
    ],
    ['scopes before padding', { scopes: 'fly', padding: 'x' }, 'scope_unknown'],
    ['padding before the key', { padding: 'x', public_key: 'x' }, 'padding_invalid'],
    ['the key before the expiry', { public_key: 'x', expires_in_seconds: 0 }, 'public_key_unreadable'],
    ['the expiry before the size', { nonce: 'n'.repeat(200), expires_in_seconds: 0 }, 'expiry_invalid'],
  ]
  for (const [name, change, reason] of orders) {
    test(`checks ${name}`, () => assert.equal(refuse({ ...good, ...change }).reason, reason))
  }

  test('names all that is missing, and ends the wire’s text as the protocol does', () => {
    const why = refuse({})
    assert.equal(why.message, 'missing or blank: nonce, scopes, client_id, application_name, public_key')
    assert.match(refusalBody(why, '').errors[0] ?? '', /: base$/)
    const name = refuse({ ...good, application_name: '' })
    assert.match(refusalBody(name, '').errors[0] ?? '', /: application_name$/)
  })

  test('takes name and key from a registered client, whatever the request says', () => {
    const request = accept({ ...good, scopes: 'read', public_key: smallKey }, { client: registered })
    assert.equal(request.applicationName, 'The registered name')
    assert.equal(request.publicKey.bits, 2048)
    assert.equal(request.unregisteredClient, false)
  })

  test('asks a known client without a key of its own for one, and calls it unregistered', () => {
    const client = { ...registered, publicKey: null, registeredScopes: [] }
    assert.equal(refuse({ ...good, public_key: '' }, { client }).reason, 'device_parameters_missing')
    assert.equal(
      accept({ ...good, scopes: 'read', application_name: '' }, { client }).unregisteredClient,
      true,
    )
  })

  test('holds a registered client to its scopes', () => {
    assert.equal(refuse(good, { client: registered }).reason, 'scope_not_registered')
  })

  test('refuses what would take more than 10,000 bytes to keep', () => {
    // Characters that JSON writes as six are the only way there under the single limits.
    const change = { push_url: `https://a.example/${'\u0001'.repeat(1700)}` }
    assert.equal(refuse({ ...good, ...change }).reason, 'device_request_too_large')
  })

  test('takes the parameters as they were serialized', () => {
    const sent = { ...good, padding: 'oaep', expires_in_seconds: '60', push_url: 'https://p.example/' }
    const read = readDeviceParameters({ query: new URLSearchParams(), body: sent })
    assert.ok(read.outcome === 'read')
    assert.deepEqual(serializeDeviceParameters(read.parameters), sent)
  })
})

describe('normalizeUserCode', () => {
  const codes: [typed: string, code: string | undefined][] = [
    ['ABCD-2345', 'ABCD-2345'],
    ['abcd2345', 'ABCD-2345'],
    [' ab cd–23.45 ', 'ABCD-2345'],
    ['ABCD-234', undefined],
    ['ABCD-23456', undefined],
    ['', undefined],
    ['ABCD-234é', undefined],
  ]
  for (const [typed, code] of codes) {
    test(`reads ${JSON.stringify(typed)} as ${code}`, () => assert.equal(normalizeUserCode(typed), code))
  }
})

describe('codes', () => {
  test('are of 32 characters that nobody takes for one another', () => {
    assert.equal(new Set(deviceCodeAlphabet).size, 32)
    assert.doesNotMatch(deviceCodeAlphabet, /[01IO]/)
    assert.equal(formatUserCode('ABCD2345'), 'ABCD-2345')
    assert.ok(isRequestToken('ABCD2345') && !isRequestToken('ABCD-345') && !isRequestToken('ABCD23456'))
  })
})

function check(body: Record<string, unknown>, change: Partial<DeviceContext>) {
  const read = readDeviceParameters({ query: new URLSearchParams(), body })
  if (read.outcome === 'refused') return read
  const context = {
    client: undefined,
    settings: defaultSettings(),
    scopes: createScopeCatalogue(),
    ...change,
  }
  return checkDeviceRequest(read.parameters, context)
}

function accept(body: Record<string, unknown>, change: Partial<DeviceContext> = {}) {
  const checked = check(body, change)
  return checked.outcome === 'accepted' ? checked.request : assert.fail(checked.refusal.message)
}

function refuse(body: Record<string, unknown>, change: Partial<DeviceContext> = {}) {
  const checked = check(body, change)
  return checked.outcome === 'refused' ? checked.refusal : assert.fail('it was accepted')
}

function rsaKey(modulusLength: number): string {
  return generateKeyPairSync('rsa', { modulusLength })
    .publicKey.export({ type: 'spki', format: 'pem' })
    .toString()
}
