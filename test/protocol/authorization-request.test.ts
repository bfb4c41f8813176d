import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  type AuthorizationContext,
  type AuthorizationParameters,
  authorizationUrl,
  checkAuthorization,
  type KnownClient,
  missingParameters,
  readAuthorizationParameters,
  serializeAuthorizationParameters,
} from '../../src/protocol/authorization-request.ts'
import { refusal } from '../../src/protocol/errors.ts'
import { createScopeCatalogue } from '../../src/protocol/scopes.ts'
import { defaultSettings } from '../../src/protocol/setting-values.ts'
import { readVectors, type Vector } from '../vectors/read-vectors.ts'

interface RequestVector extends Vector {
  /** By wire name; `@name` in `public_key` stands for one of the file's keys. */
  readonly parameters: Readonly<Record<string, string>>
  readonly client?: KnownClient
  readonly settings?: Partial<AuthorizationContext['settings']>
  /** True when the signed-in user is in no group that may approve apps. */
  readonly groupRefuses?: true
  readonly expect:
    | { readonly outcome: 'accepted'; readonly request: Readonly<Record<string, unknown>> }
    | {
        readonly outcome: 'refused'
        readonly reason: string
        readonly status: number
        readonly details?: Readonly<Record<string, string | number>>
      }
}

const vectorFile = new URL('../vectors/authorization-requests.json', import.meta.url)
const { keys } = JSON.parse(readFileSync(vectorFile, 'utf8')) as { keys: Record<string, string> }

/** Puts the key in place of its name. */
function expand<Value>(value: Value): Value | string {
  return typeof value === 'string' && value.startsWith('@') ? (keys[value.slice(1)] ?? value) : value
}

function read(query: URLSearchParams): AuthorizationParameters {
  const result = readAuthorizationParameters({ query })
  return result.outcome === 'read' ? result.parameters : assert.fail(result.refusal.message)
}

function context(vector: Partial<RequestVector> = {}): AuthorizationContext {
  const { client, settings, groupRefuses } = vector
  return {
    client: client && { ...client, publicKey: expand(client.publicKey) },
    settings: { ...defaultSettings(), ...settings },
    scopes: createScopeCatalogue(),
    baseUrl: 'https://site.example/forum/',
    ...(groupRefuses ? { groupCheck: () => refusal('group_not_allowed') } : {}),
  }
}

const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((one) => !/^\p{White_Space}*$|\0/u.test(one))
const anyParameters: fc.Arbitrary<AuthorizationParameters> = fc.record(
  {
    nonce: text,
    scopes: text,
    clientId: text,
    publicKey: text,
    applicationName: text,
    authRedirect: text,
    pushUrl: text,
    padding: fc.constantFrom('oaep', 'pkcs1', 'x y'),
    expiresInSeconds: fc.constantFrom('60', '-1', 'a+b'),
  },
  { requiredKeys: [] },
)

describe('checkAuthorization', () => {
  for (const vector of readVectors<RequestVector>('authorization-requests')) {
    const { id, comment, parameters, expect } = vector
    test(`${expect.outcome}: ${comment} (${id})`, () => {
      const query = new URLSearchParams(
        Object.entries(parameters).map(([name, value]) => [name, expand(value)]),
      )
      const checked = checkAuthorization(read(query), context(vector))
      if (checked.outcome === 'refused') {
        assert.equal(expect.outcome, 'refused', checked.refusal.message)
        if (expect.outcome !== 'refused') return
        const { reason, status, details } = checked.refusal
        assert.deepEqual({ reason, status }, { reason: expect.reason, status: expect.status })
        for (const [name, value] of Object.entries(expect.details ?? {})) assert.equal(details[name], value)
        return
      }
      assert.equal(expect.outcome, 'accepted')
      if (expect.outcome !== 'accepted') return
      const request: Readonly<Record<string, unknown>> = { ...checked.request }
      for (const [name, value] of Object.entries(expect.request))
        assert.deepEqual(request[name], expand(value))
    })
  }

  test('leaves out of the request what was not sent', () => {
    const parameters = {
      nonce: '1',
      scopes: 'read',
      clientId: 'c',
      publicKey: keys.rsa2048,
      applicationName: 'A',
    }
    const checked = checkAuthorization(parameters, context())
    assert.deepEqual(checked.outcome === 'accepted' && Object.keys(checked.request).sort(), [
      'applicationName',
      'clientId',
      'nonce',
      'padding',
      'publicKey',
      'publicKeyPem',
      'scopes',
    ])
  })

  test('shows each scope in quotes when one is unknown, so that a space can be seen', () => {
    const parameters = {
      nonce: '1',
      scopes: 'read, write',
      clientId: 'c',
      publicKey: keys.rsa2048,
      applicationName: 'A',
    }
    const checked = checkAuthorization(parameters, context())
    assert.match(
      checked.outcome === 'refused' ? checked.refusal.remedy : '',
      /no spaces: `scopes` was read as "read", " write"$/,
    )
  })

  test('asks about groups only once all before it is right', () => {
    let asked = 0
    const groupCheck = () => {
      asked += 1
      return undefined
    }
    checkAuthorization({ nonce: '1' }, { ...context(), groupCheck })
    assert.equal(asked, 0)
  })

  test('answers for any parameters', () => {
    fc.assert(
      fc.property(anyParameters, fc.boolean(), (parameters, withKey) => {
        const sent = withKey ? { ...parameters, publicKey: keys.rsa2048 } : parameters
        assert.match(checkAuthorization(sent, context()).outcome, /^(accepted|refused)$/)
      }),
    )
  })
})

describe('serializeAuthorizationParameters', () => {
  test('gives back what was read, through the query, a form and an address', () => {
    fc.assert(
      fc.property(anyParameters, (parameters) => {
        const serialized = serializeAuthorizationParameters(parameters)
        const url = new URL(authorizationUrl('https://site.example', parameters))
        const form = readAuthorizationParameters({
          query: new URLSearchParams(),
          body: new URLSearchParams(`${serialized}`),
        })
        for (const back of [
          read(serialized),
          read(url.searchParams),
          form.outcome === 'read' && form.parameters,
        ]) {
          const present = Object.entries(back).filter(([, value]) => value !== undefined)
          assert.deepEqual(Object.fromEntries(present), { ...parameters })
        }
      }),
    )
  })

  test('keeps the wire’s order and leaves out what is absent', () => {
    const parameters = { padding: 'oaep', clientId: 'c', nonce: '1', expiresInSeconds: undefined }
    assert.equal(`${serializeAuthorizationParameters(parameters)}`, 'nonce=1&client_id=c&padding=oaep')
  })
})

describe('authorizationUrl', () => {
  const cases = [
    ['https://site.example', 'https://site.example/user-api-key/new?'],
    ['https://site.example/', 'https://site.example/user-api-key/new?'],
    ['https://site.example/forum', 'https://site.example/forum/user-api-key/new?'],
    ['https://site.example/forum/', 'https://site.example/forum/user-api-key/new?'],
  ] as const
  for (const [base, start] of cases)
    test(`begins with ${start} for ${base}`, () => {
      assert.ok(authorizationUrl(base, { nonce: '1' }).startsWith(start))
    })

  test('encodes what a PEM holds so that every reader gets it back', () => {
    const url = authorizationUrl('https://site.example', {
      publicKey: '-----BEGIN PUBLIC KEY-----\na+b/c=\n',
    })
    assert.ok(url.endsWith('?public_key=-----BEGIN%20PUBLIC%20KEY-----%0Aa%2Bb%2Fc%3D%0A'), url)
  })
})

describe('readAuthorizationParameters', () => {
  const limits = { nonce: 1024, scopes: 2000, client_id: 1000, public_key: 16_384, application_name: 500 }
  const more = { auth_redirect: 4096, push_url: 2000, padding: 20, expires_in_seconds: 20 }
  for (const [name, limit] of Object.entries({ ...limits, ...more }))
    test(`takes ${limit} bytes of ${name}, and no more`, () => {
      const query = (length: number) => new URLSearchParams({ [name]: 'x'.repeat(length) })
      assert.equal(readAuthorizationParameters({ query: query(limit) }).outcome, 'read')
      const over = readAuthorizationParameters({ query: query(limit + 1) })
      assert.equal(over.outcome === 'refused' && over.refusal.reason, 'parameter_too_long')
    })

  test('reads a JSON body as some programs send it', () => {
    const body = { scopes: ['read', 'write'], expires_in_seconds: 60, padding: null, nonce: 'a' }
    const result = readAuthorizationParameters({ query: new URLSearchParams(), body })
    const { scopes, expiresInSeconds, padding, nonce } =
      result.outcome === 'read' ? result.parameters : assert.fail()
    assert.deepEqual([scopes, expiresInSeconds, padding, nonce], ['read,write', '60', undefined, 'a'])
  })
})

describe('missingParameters', () => {
  test('asks a registered client only for what it did not store', () => {
    const client: KnownClient = {
      clientId: 'c',
      applicationName: 'App',
      publicKey: 'pem',
      authRedirect: null,
      registeredScopes: [],
    }
    assert.deepEqual(missingParameters({}, client), ['nonce', 'scopes', 'client_id'])
  })
})
