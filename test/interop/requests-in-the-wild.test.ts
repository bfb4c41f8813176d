import assert from 'node:assert/strict'
import { constants, generateKeyPairSync, type KeyObject, privateDecrypt } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { type RunningServer, startServer } from '../running-server.ts'
import { signedInVisitor, type Visitor } from './visitor.ts'

/** A request as an app in use builds it, whose quirks a strict reader of the protocol would not expect. */
interface Kind {
  /** What is unusual about it. */
  readonly name: string
  readonly bits?: 4096
  /** How it writes its key. */
  readonly publicKey?: (key: KeyObject) => string
  readonly parameters?: Readonly<Record<string, string>>
  /** How it makes a query of the parameters. Percent-encoded as in `encodeURIComponent` by default. */
  readonly query?: (parameters: Readonly<Record<string, string>>) => string
  /** What the address begins with that the browser is sent to; the payload is shown on a page when there is none. */
  readonly redirect?: string
}

const spki = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString()
const pkcs1 = (key: KeyObject): string => key.export({ type: 'pkcs1', format: 'pem' }).toString()
const unescapedQuery: Kind['query'] = (parameters) =>
  Object.entries(parameters)
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
const nextcloud = 'web+nextclouddiscourse://auth-redirect'

const kinds: readonly Kind[] = [
  {
    name: 'a key of 4096 bits with CR LF, and a bare comma between scopes',
    bits: 4096,
    publicKey: (key) => spki(key).replaceAll('\n', '\r\n'),
    parameters: { scopes: 'read,write', client_id: 'obsidian-1700000000000' },
    query: (parameters) => encoded(parameters).replaceAll('%2C', ','),
  },
  { name: 'a key without a last line break', publicKey: (key) => spki(key).trimEnd() },
  { name: 'a key in PKCS#1', publicKey: pkcs1 },
  {
    name: 'a key with the header of PKCS#1 around the bytes of SPKI',
    publicKey: (key) => spki(key).replaceAll('PUBLIC KEY', 'RSA PUBLIC KEY'),
  },
  {
    name: 'a key that was pasted into the query as it is',
    parameters: { client_id: 'b8f1c1a2-helpme', nonce: '5c2f53f5-6a3b-4a0e-9f36-0c5a3f7a3c53' },
    query: unescapedQuery,
  },
  {
    name: 'form encoding, a plus sign for each space',
    query: (parameters) => new URLSearchParams(parameters).toString(),
  },
  { name: 'a nonce of one character', parameters: { nonce: '1' } },
  { name: 'a nonce that ends in =', parameters: { nonce: 'q7Yx2Wv9Kz0Ab3Cd5Ef7Gh9Ij1k=' } },
  { name: 'a nonce of all the unreserved marks', parameters: { nonce: 'aB3-._~9xZ~_.-0q' } },
  { name: 'a nonce of 64 hexadecimal characters', parameters: { nonce: '0123456789abcdef'.repeat(4) } },
  { name: 'colons in the client id', parameters: { client_id: 'forum.example.com:17:0f1e2d3c' } },
  {
    name: 'a client id of 96 characters and a redirect without a path',
    parameters: { client_id: 'a1'.repeat(48), auth_redirect: 'http://localhost:8000' },
    redirect: 'http://localhost:8000?payload=',
  },
  {
    name: 'OAEP and a redirect with a query of its own',
    parameters: {
      padding: 'oaep',
      auth_redirect: 'http://localhost:3000/api/auth/cfx/callback?session=ab%2Bc',
    },
    redirect: 'http://localhost:3000/api/auth/cfx/callback?session=ab%2Bc&payload=',
  },
  {
    name: 'a redirect of a scheme with a plus sign, which the site lists',
    parameters: { auth_redirect: nextcloud, scopes: 'read,write,notifications' },
    redirect: `${nextcloud}?payload=`,
  },
  {
    name: 'the official app’s parameters',
    publicKey: pkcs1,
    parameters: {
      scopes: 'notifications,session_info',
      client_id: '8d969eef6ecad3c29a3a629280e686cf',
      nonce: '0cff3a1b2d4e5f60',
      push_url: 'https://api.discourse.org/api/publish_ios',
      auth_redirect: 'discourse://auth_redirect',
      application_name: 'Discourse - iPhone',
      discourse_app: '1',
    },
    redirect: 'discourse://auth_redirect?payload=',
  },
]

let server: RunningServer
let visitor: Visitor
const keyPairs = { 2048: keyPair(2048), 4096: keyPair(4096) }

before(async () => {
  server = await startServer()
  visitor = await signedInVisitor(server)
  const answer = await fetch(`${server.baseUrl}/admin/site_settings/allowed_user_api_auth_redirects.json`, {
    method: 'PUT',
    headers: { 'api-key': server.adminApiKey, 'api-username': server.adminUsername },
    body: new URLSearchParams({
      allowed_user_api_auth_redirects: `discourse://auth_redirect|loopback|${nextcloud}`,
    }),
  })
  assert.equal(answer.status, 200, await answer.text())
})
after(() => server?.stop())

describe('GET /user-api-key/new, as apps in use call it', () => {
  for (const kind of kinds) {
    test(`gives a working key for ${kind.name}`, async () => {
      const { publicKey, privateKey } = keyPairs[kind.bits ?? 2048]
      const parameters = {
        application_name: 'In the wild',
        client_id: kind.name,
        scopes: 'session_info',
        nonce: '0f1e2d3c4b5a6978',
        ...kind.parameters,
        public_key: (kind.publicKey ?? spki)(publicKey),
      }
      const address = `${server.baseUrl}/user-api-key/new?${(kind.query ?? encoded)(parameters)}`
      const payload =
        kind.redirect === undefined
          ? await visitor.approveToPayload(address)
          : payloadIn(await visitor.approveToRedirect(address), kind.redirect)
      const opened = openPayload(payload, privateKey, kind.parameters?.padding)
      assert.equal(opened.nonce, parameters.nonce)
      const session = await fetch(`${server.baseUrl}/session/current.json`, {
        // Some apps send the header without a value.
        headers: { 'user-api-key': opened.key, 'user-api-client-id': '' },
      })
      assert.equal(session.headers.get('x-discourse-username'), server.adminUsername)
    })
  }

  test('keeps the callback under 2048 characters and the payload in one block', async () => {
    const address = `${server.baseUrl}/user-api-key/new?${encoded({
      application_name: 'One block',
      client_id: 'discourse_native_0123456789abcdef',
      scopes: 'read,write,session_info,notifications',
      nonce: '0123456789abcdef0123456789abcdef',
      auth_redirect: 'discourse://auth_redirect',
      public_key: spki(keyPairs[2048].publicKey),
    })}`
    const redirect = await visitor.approveToRedirect(address)
    assert.ok(redirect.length <= 2048, `${redirect.length} characters`)
    const payload = payloadIn(redirect, 'discourse://auth_redirect?payload=')
    assert.equal(Buffer.from(payload, 'base64').length, 256)
  })
})

describe('the device flow, as apps in use call it', () => {
  test('works without .json, under the very address that the app called', async () => {
    const { publicKey, privateKey } = keyPairs[2048]
    const post = async (path: string, values: Record<string, string>): Promise<Record<string, unknown>> => {
      const answer = await fetch(server.baseUrl + path, {
        method: 'POST',
        headers: { accept: 'application/json', 'content-type': 'application/json' },
        body: JSON.stringify(values),
      })
      assert.equal(answer.status, 200, await answer.clone().text())
      return (await answer.json()) as Record<string, unknown>
    }
    const request = await post('/user-api-key/device', {
      application_name: 'Without a suffix',
      client_id: 'forum-script',
      scopes: 'read,write',
      nonce: '0f1e2d3c4b5a6978',
      padding: 'oaep',
      public_key: spki(publicKey),
    })
    const link = String(request.verification_uri_with_request)
    const base = `${server.baseUrl}/user-api-key/activate?request=`
    assert.ok(link.startsWith(base) && /^[\w-]+$/.test(link.slice(base.length)), link)
    assert.ok(Number(request.interval) < 61)

    const poll = { device_code: String(request.device_code) }
    assert.deepEqual(await post('/user-api-key/device/poll', poll), { status: 'authorization_pending' })
    await visitor.typeCode(link, String(request.user_code))
    const authorized = await post('/user-api-key/device/poll', poll)
    assert.equal(authorized.status, 'authorized')
    const opened = openPayload(String(authorized.payload), privateKey, 'oaep')
    assert.equal(opened.nonce, '0f1e2d3c4b5a6978')
    assert.match(opened.key, /^[\w-]+$/)
  })
})

describe('POST /user-api-key/revoke, as apps in use call it', () => {
  const ways = [
    { name: 'an empty body that is said to be JSON', path: '', type: 'application/json', body: '' },
    { name: 'no body at all', path: '', type: undefined, body: undefined },
    { name: 'an empty form and .json', path: '.json', type: 'application/x-www-form-urlencoded', body: '' },
    { name: 'an empty object', path: '.json', type: 'application/json', body: '{}' },
  ] as const
  for (const { name, path, type, body } of ways) {
    test(`takes ${name}`, async () => {
      const { publicKey, privateKey } = keyPairs[2048]
      const parameters = {
        application_name: 'To be revoked',
        client_id: name,
        scopes: 'notifications',
        nonce: '1',
        public_key: spki(publicKey),
      }
      const payload = await visitor.approveToPayload(
        `${server.baseUrl}/user-api-key/new?${encoded(parameters)}`,
      )
      const headers = { 'user-api-key': openPayload(payload, privateKey).key }
      const answer = await fetch(`${server.baseUrl}/user-api-key/revoke${path}`, {
        method: 'POST',
        headers: { ...headers, ...(type === undefined ? {} : { 'content-type': type }) },
        ...(body === undefined ? {} : { body }),
      })
      assert.equal(answer.status, 200)
      assert.deepEqual(await answer.json(), { success: 'OK' })
      const refused = await fetch(`${server.baseUrl}/notifications.json`, { headers })
      assert.equal(((await refused.json()) as { reason: string }).reason, 'user_api_key_revoked')
    })
  }
})

describe('what apps look at first', () => {
  test('HEAD /user-api-key/new, the site’s basic information, the totals', async () => {
    const probe = await fetch(`${server.baseUrl}/user-api-key/new`, { method: 'HEAD' })
    assert.equal(probe.status, 200)
    assert.equal(probe.headers.get('auth-api-version'), '4')
    const { title } = (await (await fetch(`${server.baseUrl}/site/basic-info.json`)).json()) as {
      title: unknown
    }
    assert.equal(typeof title, 'string')
    const totals = (await (
      await visitor.open(`${server.baseUrl}/notifications/totals.json`)
    ).json()) as object
    assert.ok('topic_tracking' in totals)
  })
})

function encoded(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')
}

/** The payload is the parameter that follows `start`; what else may come behind it is not looked at. */
function payloadIn(redirect: string, start: string): string {
  assert.ok(redirect.startsWith(start), redirect)
  const [payload = ''] = redirect.slice(start.length).split('&')
  assert.doesNotMatch(payload, /[+/=\s]/, 'Base64 in a query is escaped')
  return decodeURIComponent(payload)
}

function openPayload(
  payload: string,
  privateKey: KeyObject,
  padding?: string,
): { readonly key: string; readonly nonce: string } {
  const scheme = padding === 'oaep' ? constants.RSA_PKCS1_OAEP_PADDING : constants.RSA_PKCS1_PADDING
  const opened = privateDecrypt({ key: privateKey, padding: scheme }, Buffer.from(payload, 'base64'))
  const values = JSON.parse(opened.toString()) as { key: string; nonce: string }
  assert.deepEqual(Object.keys(values), ['key', 'nonce', 'push', 'api'])
  return values
}

function keyPair(bits: number): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync('rsa', { modulusLength: bits })
}
