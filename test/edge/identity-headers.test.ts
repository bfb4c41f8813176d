import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Identity } from '../../src/domain/identity.ts'
import type { User } from '../../src/domain/user.ts'
import { identityHeaders, isIdentityHeader } from '../../src/edge/identity-headers.ts'

const user: User = {
  id: '7',
  username: 'sam',
  name: 'Sam',
  admin: false,
  moderator: false,
  trustLevel: 1,
  active: true,
  suspendedUntil: null,
  createdAt: 0,
}
const key: Identity = {
  via: 'user_api_key',
  user,
  key: {
    id: 3,
    clientId: 'host\n, 100%',
    applicationName: 'App',
    scopes: [
      { name: 'read', allowedParameters: null },
      { name: 'write', allowedParameters: null },
    ],
  },
}

describe('identityHeaders', () => {
  test('says who, by which app, with what, and nothing that a header cannot hold', () => {
    assert.deepEqual(identityHeaders(key), {
      'x-hallpass-user': 'sam',
      'x-hallpass-user-id': '7',
      'x-hallpass-via': 'user_api_key',
      'x-hallpass-scopes': 'read,write',
      'x-hallpass-client': 'host%0A%2C%20100%25',
      'x-hallpass-key-id': '3',
    })
  })

  test('a session has no scopes and no key', () => {
    const headers = identityHeaders({ via: 'session', user: { ...user, username: 'zoë' } })
    assert.deepEqual(headers, {
      'x-hallpass-user': 'zo%C3%AB',
      'x-hallpass-user-id': '7',
      'x-hallpass-via': 'session',
    })
  })

  for (const [scopeMode, expected] of [
    ['global', 'global'],
    ['read_only', 'read_only'],
    ['granular', 'invoices:read'],
  ] as const) {
    test(`an API key of the mode ${scopeMode} has the scopes ${expected}`, () => {
      const scopes = [{ resource: 'invoices', action: 'read', allowedParameters: null }]
      const headers = identityHeaders({
        via: 'api_key',
        user,
        apiKey: { id: 9, description: '', scopeMode, scopes },
      })
      assert.equal(headers['x-hallpass-scopes'], expected)
      assert.equal(headers['x-hallpass-key-id'], '9')
      assert.equal(headers['x-hallpass-client'], undefined)
    })
  }
})

// What an attacker would gain: the application takes them for whomever they name.
describe('isIdentityHeader', () => {
  for (const name of [
    ...Object.keys(identityHeaders(key)),
    'X-Hallpass-Identity',
    'X_Hallpass_User',
    'x-hallpass-more',
    'X.Hallpass-User',
  ]) {
    test(`takes ${name} for one`, () => assert.equal(isIdentityHeader(name), true))
  }
  test('leaves others alone', () => assert.equal(isIdentityHeader('x-request-id'), false))
})
