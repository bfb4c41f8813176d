/** Narrowed scopes from the request to the refusal, in every flow (protocol §19, A-36 to A-39). */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { hashSecret } from '../../src/domain/key-text.ts'
import { appsJson } from '../../src/http/user-json.ts'
import { createScopeCatalogue } from '../../src/protocol/scopes.ts'
import { ordersScope } from '../narrowed-shop.ts'
import { appPublicKey, authorizationParameters, type Browser, openSealed, siteUrl } from '../test-site.ts'
import { complete, createDeviceSite, type DeviceSite, html, json } from './device-site.ts'
import { rfc8628Client } from './rfc8628-client.ts'

const asked = { 'shop:orders': { customer_id: ['12', '13'] } }
const narrowed = [{ name: 'shop:orders', allowed_parameters: { customer_id: ['12', '13'] } }]
const label = 'See your orders · only customer_id 12 or 13'
const request = { scopes: 'shop:orders,session_info', scope_parameters: JSON.stringify(asked) }

let site: DeviceSite
let sam: Browser
beforeEach(async () => {
  site = await createDeviceSite({ scopes: [ordersScope] })
  await site.setting('allow_user_api_key_scopes', 'read|session_info|bookmarks_calendar|shop:orders')
  sam = await site.signedIn()
})
afterEach(() => site.close())

async function stored(): Promise<unknown> {
  const [key] = await site.store.userApiKeys.listByUser(site.user.id)
  return key?.scopes
}

const grants = [
  { name: 'shop:orders', allowedParameters: { customer_id: ['12', '13'] } },
  { name: 'session_info', allowedParameters: null },
]

async function ask(key: string, path: string): Promise<string> {
  const answer = await site.hallpass.authenticate(
    new Request(siteUrl + path, { headers: { 'user-api-key': key } }),
  )
  return answer.outcome === 'refused' ? answer.refusal.reason : answer.outcome
}

async function assertNarrowed(key: string): Promise<void> {
  assert.deepEqual(await stored(), grants)
  assert.equal(await ask(key, '/orders?customer_id=12'), 'authenticated')
  assert.equal(await ask(key, '/orders?customer_id=13'), 'authenticated')
  assert.equal(await ask(key, '/orders?customer_id=14'), 'scope_insufficient')
  assert.equal(await ask(key, '/orders'), 'scope_insufficient')
  assert.equal(await ask(key, '/orders/summary?customer_id=12'), 'scope_insufficient')
  assert.equal(await ask(key, '/session/current'), 'authenticated')
}

/** Hidden fields of the form that approves, as a browser reads them. */
function fieldsOf(page: string): Record<string, string> {
  const unescaped = (text: string): string =>
    text
      .replaceAll('&quot;', '"')
      .replaceAll('&#39;', "'")
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&amp;', '&')
  const inputs = [...page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)]
  return Object.fromEntries(inputs.map(([, name = '', value = '']) => [name, unescaped(value)]))
}

describe('the browser flow', () => {
  test('narrows a key, and seals a payload with the protocol’s fields alone', async () => {
    const answer = await sam.post('/user-api-key.json', authorizationParameters(request))
    const payload = openSealed((await answer.json()).payload)
    assert.deepEqual(Object.keys(payload).sort(), ['api', 'key', 'nonce', 'push'])
    await assertNarrowed(String(payload.key))
  })

  test('tells what it is narrowed to before anybody approves, as JSON and on the page', async () => {
    const query = new URLSearchParams(authorizationParameters(request))
    const ready = await (await sam.request(`/user-api-key/new.json?${query}`)).json()
    assert.deepEqual(ready.localized_scopes, [label, 'See who you are'])
    assert.deepEqual(ready.narrowed_scopes, narrowed)
    const page = await (await sam.request(`/user-api-key/new?${query}`, { headers: html })).text()
    assert.match(textOf(page), /See your orders · only customer_id 12 or 13 /)
  })

  test('keeps it through sign-in, the waiting request and the consent form', async () => {
    const visitor = site.browser()
    const query = new URLSearchParams(authorizationParameters(request))
    const first = await visitor.request(`/user-api-key/new?${query}`, { headers: html })
    const login = new URL(first.headers.get('location') ?? '', siteUrl)
    await visitor.post('/session.json', { login: 'sam', password: 'correct horse battery' })
    const back = new URL(login.searchParams.get('redirect') ?? '/', siteUrl)
    const page = await (await visitor.request(back.pathname + back.search, { headers: html })).text()
    const fields = fieldsOf(page)
    assert.equal(fields.scope_parameters, request.scope_parameters)
    const result = await visitor.request('/user-api-key', { form: fields, headers: html })
    const shown = await result.text()
    const [, payload = ''] = /<code[^>]*>([^<]*)\n<\/code>/.exec(shown) ?? []
    assert.match(textOf(shown), /With it, the app can See your orders · only customer_id 12 or 13 /)
    await assertNarrowed(String(openSealed(payload).key))
  })

  test('takes an object in a JSON body for its text', async () => {
    const fields = { ...authorizationParameters(request), scope_parameters: asked }
    const headers = { ...json, 'x-csrf-token': await sam.csrf() }
    const answer = await sam.request('/user-api-key', { json: fields, headers })
    await assertNarrowed(String(openSealed((await answer.json()).payload).key))
  })

  test('narrows nothing when it is not asked to, and adds no field then', async () => {
    const query = new URLSearchParams(authorizationParameters({ scopes: 'shop:orders' }))
    const ready = await (await sam.request(`/user-api-key/new.json?${query}`)).json()
    assert.equal('narrowed_scopes' in ready, false)
    assert.deepEqual(ready.localized_scopes, ['See your orders'])
    const key = await site.approvedKey({ scopes: 'shop:orders' })
    assert.deepEqual(await stored(), [{ name: 'shop:orders', allowedParameters: null }])
    assert.equal(await ask(key, '/orders'), 'authenticated')
  })

  test('narrows a scope of the protocol that has a parameter', async () => {
    const scope_parameters = JSON.stringify({ bookmarks_calendar: { username: ['sam'] } })
    const key = await site.approvedKey({ scopes: 'bookmarks_calendar', scope_parameters })
    assert.equal(await ask(key, '/u/sam/bookmarks.ics'), 'authenticated')
    assert.equal(await ask(key, '/u/eve/bookmarks.ics'), 'scope_insufficient')
  })

  test('narrows within what a registered client has registered', async () => {
    await site.setting('allow_user_api_key_client_scopes', 'shop:orders|session_info')
    await site.setting('allowed_user_api_auth_redirects', 'https://app.example/*')
    const client = {
      client_id: 'registered',
      application_name: 'Registered',
      public_key: appPublicKey,
      auth_redirect: 'https://app.example/back',
      scopes: 'shop:orders,session_info',
    }
    assert.equal((await site.request('/user-api-key-client.json', { form: client })).status, 200)
    const { nonce } = authorizationParameters()
    const form = {
      ...request,
      nonce: nonce ?? '',
      client_id: 'registered',
      auth_redirect: client.auth_redirect,
    }
    const answer = await (await sam.post('/user-api-key.json', form)).json()
    const payload = new URL(answer.redirect_url).searchParams.get('payload') ?? ''
    await assertNarrowed(String(openSealed(payload).key))
  })

  const refused: readonly [what: string, text: string, reason: string][] = [
    ['what is no JSON', 'customer_id=12', 'scope_parameters_malformed'],
    ['a scope that nobody asks for', '{"read":{"id":["1"]}}', 'scope_parameters_scope_not_requested'],
    ['an unknown scope', '{"nonsense":{"id":["1"]}}', 'scope_parameters_scope_unknown'],
    ['an unknown parameter', '{"shop:orders":{"id":["1"]}}', 'scope_parameter_not_restrictable'],
    ['an empty list', '{"shop:orders":{"customer_id":[]}}', 'scope_parameter_empty'],
    ['more than 2000 bytes', `{"shop:orders":{"customer_id":["${'1'.repeat(2000)}"]}}`, 'parameter_too_long'],
  ]
  for (const [what, text, reason] of refused) {
    test(`refuses ${what} before anybody signs in, and changes nothing`, async () => {
      const parameters = authorizationParameters({ ...request, scope_parameters: text })
      const query = new URLSearchParams(parameters)
      const early = await (await site.request(`/user-api-key/new.json?${query}`)).json()
      assert.equal(early.reason, reason)
      const late = await sam.post('/user-api-key.json', parameters)
      assert.equal(late.status, 400)
      const answer = await late.json()
      assert.deepEqual([answer.reason, answer.error_type], [reason, 'invalid_parameters'])
      if (reason !== 'parameter_too_long') {
        assert.match(answer.remedy, /shop:orders by customer_id, state, shop/)
      }
      assert.equal(await stored(), undefined)
    })
  }

  test('refuses a parameter that comes twice, since one would be shown and the other granted', async () => {
    const query = new URLSearchParams([
      ...Object.entries(authorizationParameters(request)),
      ['scope_parameters', '{}'],
    ])
    const answer = await (await site.request(`/user-api-key/new.json?${query}`)).json()
    assert.equal(answer.reason, 'parameter_duplicated')
  })
})

describe('the device flow', () => {
  test('narrows a key, tells the app that it will, and shows it where the code is typed', async () => {
    const answer = await (await site.send({ ...request, scope_parameters: asked })).json()
    assert.deepEqual(answer.narrowed_scopes, narrowed)
    const model = await site.act(sam, 'activate', { code: answer.user_code })
    const shown = model.device_auth as Record<string, unknown>
    assert.deepEqual(shown.localized_scopes, [label, 'See who you are'])
    assert.deepEqual(shown.narrowed_scopes, narrowed)
    const { search } = new URL(answer.verification_uri_with_request)
    const page = await (await sam.request(`/user-api-key/activate${search}`, { headers: html })).text()
    assert.match(textOf(page), /See your orders · only customer_id 12 or 13 /)
    const form = { approval_token: String(model.approval_token) }
    assert.deepEqual(await site.act(sam, 'device/authorize', form), complete)
    const { payload } = await site.poll(answer.device_code)
    await assertNarrowed(String(openSealed(String(payload)).key))
  })

  test('refuses what cannot be narrowed, and keeps no request', async () => {
    const answer = await site.send({ scopes: 'read', scope_parameters: { read: { id: ['1'] } } })
    assert.equal(answer.status, 400)
    assert.equal((await answer.json()).reason, 'scope_parameter_not_restrictable')
    const long = await site.send({
      ...request,
      scope_parameters: ' '.repeat(2000) + request.scope_parameters,
    })
    assert.equal((await long.json()).reason, 'parameter_too_long')
  })

  test('refuses an approval once the site has dropped the parameter, instead of giving the whole scope', async () => {
    const answer = await (await site.send(request)).json()
    const without = { ...ordersScope, routes: [{ methods: ['GET'], paths: ['/orders'] }] }
    const changed = await createDeviceSite({ scopes: [without] })
    await changed.setting('allow_user_api_key_scopes', 'session_info|shop:orders')
    const record = await site.store.deviceRequests.findByUserCode(hashSecret(answer.user_code))
    assert.ok(record)
    await changed.store.deviceRequests.insert({
      deviceCodeHash: record.deviceCodeHash,
      userCodeHash: record.userCodeHash ?? '',
      requestTokenHash: record.requestTokenHash ?? '',
      delivery: record.delivery,
      parameters: record.parameters,
      keyExpiresAt: record.keyExpiresAt,
      createdAt: record.createdAt,
      expiresAt: record.expiresAt,
    })
    const visitor = await changed.signedIn()
    const model = await changed.act(visitor, 'activate', { code: answer.user_code })
    assert.equal(model.reason, 'scope_parameter_not_restrictable')
    await changed.close()
  })
})

describe('the device flow of RFC 8628', () => {
  const clientOf = () =>
    rfc8628Client(
      (path, init) =>
        site.request(path, {
          method: 'POST',
          headers: init.headers as Record<string, string>,
          body: String(init.body),
        }),
      'tv',
    )

  test('narrows a key, and tells so beside the token', async () => {
    const client = clientOf()
    const fields = { scope: 'shop:orders session_info', scope_parameters: request.scope_parameters }
    const codes = await client.authorize(fields)
    const form = { approval_token: await site.enter(sam, codes.user_code) }
    assert.deepEqual(await site.act(sam, 'device/authorize', form), complete)
    const [approved] = await site.store.audit.list({ limit: 1 })
    assert.deepEqual(JSON.parse(approved?.details ?? '{}').narrowedTo, asked)
    const answer = (await client.token(codes.device_code)) as unknown as Record<string, unknown>
    assert.equal(answer.scope, 'shop:orders session_info')
    assert.deepEqual(answer.narrowed_scopes, narrowed)
    await assertNarrowed(String(answer.access_token))
  })

  test('answers invalid_scope for what cannot be narrowed', async () => {
    const refused = await clientOf().refusedAuthorization({
      scope: 'read',
      scope_parameters: '{"read":{"id":["1"]}}',
    })
    assert.equal(refused.error, 'invalid_scope')
    const unreadable = await clientOf().refusedAuthorization({ scope: 'read', scope_parameters: '[]' })
    assert.equal(unreadable.error, 'invalid_request')
  })
})

describe('a narrowed key', () => {
  test('is named with its values in the audit log', async () => {
    await site.approvedKey(request)
    const entries = await site.store.audit.list({ limit: 10 })
    const issued = entries.find(({ action }) => action === 'user_api_key_issued')
    const details = JSON.parse(issued?.details ?? '{}')
    assert.deepEqual(details.narrowedTo, asked)
    assert.deepEqual(details.scopes, ['shop:orders', 'session_info'])
    await site.approvedKey({ scopes: 'read', client_id: 'other' })
    const [plain] = await site.store.audit.list({ limit: 1 })
    assert.equal('narrowedTo' in JSON.parse(plain?.details ?? '{}'), false)
  })

  test('stays narrowed through revocation and its undoing, and through another client id', async () => {
    const key = await site.approvedKey(request)
    const [record] = await site.store.userApiKeys.listByUser(site.user.id)
    const id = String(record?.id)
    await sam.post('/user-api-key/revoke.json', { id })
    assert.equal(await ask(key, '/orders?customer_id=12'), 'user_api_key_revoked')
    await sam.post('/user-api-key/undo-revoke.json', { id })
    await assertNarrowed(key)
    const headers = { 'user-api-key': key, 'user-api-client-id': 'moved' }
    assert.equal((await site.request('/session/current.json', { headers })).status, 200)
    const [moved] = await site.store.userApiKeys.listByUser(site.user.id)
    assert.equal(moved?.client.clientId, 'moved')
    await assertNarrowed(key)
  })

  test('gives way to the client’s next key, which has what was asked for then', async () => {
    const first = await site.approvedKey(request)
    const whole = await site.approvedKey({ scopes: 'shop:orders' })
    assert.equal(await ask(first, '/orders?customer_id=12'), 'user_api_key_invalid')
    assert.equal(await ask(whole, '/orders?customer_id=14'), 'authenticated')
    const again = await site.approvedKey(request)
    await assertNarrowed(again)
  })

  test('is shown with its values on the apps page, and in the user’s JSON beside the wire’s fields', async () => {
    await site.approvedKey(request)
    const page = await (await sam.request('/hallpass/apps', { headers: html })).text()
    assert.match(textOf(page), /See your orders · only customer_id 12 or 13 /)
    const scopes = createScopeCatalogue([ordersScope])
    const [app] = await appsJson({ store: site.store, scopes }, site.user)
    assert.deepEqual(app?.scopes, [label, 'See who you are'])
    assert.deepEqual(app?.narrowed_scopes, narrowed)
    assert.deepEqual(Object.keys(app ?? {}).slice(0, 5), wireFields)
    await site.approvedKey({ scopes: 'read' })
    const [plain] = await appsJson({ store: site.store, scopes }, site.user)
    assert.deepEqual(Object.keys(plain ?? {}), wireFields)
  })

  test('is told in introspection, apart from the scopes that are whole', async () => {
    const token = await site.approvedKey(request)
    const answer = await (await site.asAdmin('/oauth/introspect', { form: { token } })).json()
    assert.equal(answer.scope, 'session_info')
    assert.deepEqual(answer.narrowed_scopes, narrowed)
  })

  // Whoever holds the key may know its values; whoever asks without it must not learn that somebody is narrowed.
  test('tells its holder what is outside, and anybody else nothing', async () => {
    const key = await site.approvedKey(request)
    const path = '/u/sam/bookmarks.ics'
    const narrow = await site.approvedKey({
      scopes: 'bookmarks_calendar',
      scope_parameters: '{"bookmarks_calendar":{"username":["eve"]}}',
      client_id: 'calendar',
    })
    const refused = await site.hallpass.authenticate(
      new Request(`${siteUrl}/orders?customer_id=99`, { headers: { 'user-api-key': key } }),
    )
    if (refused.outcome !== 'refused') return assert.fail()
    const response = site.hallpass.refuse(
      new Request(`${siteUrl}/orders?customer_id=99`, { headers: { ...json, 'user-api-key': key } }),
      refused.refusal,
    )
    const body = await response.json()
    assert.match(body.message, /shop:orders \(only customer_id 12 or 13\).*narrowed to by `customer_id`/)
    assert.deepEqual(body.narrowed_scopes, narrowed)
    assert.match(response.headers.get('www-authenticate') ?? '', /insufficient_scope/)
    const nobody = await site.request(path, { headers: { ...json, 'user-api-key': `${narrow.slice(1)}0` } })
    assert.doesNotMatch(await nobody.text(), /eve/)
  })

  test('with strange values is shown escaped, bounded and legible', async () => {
    const values = ['<b>x</b>', '12” or “13', 'a\u202Eb', 'ü'.repeat(100), ...'123456']
    const scope_parameters = JSON.stringify({ 'shop:orders': { customer_id: values } })
    const parameters = authorizationParameters({ scopes: 'shop:orders', scope_parameters })
    const query = new URLSearchParams(parameters)
    const page = await (await sam.request(`/user-api-key/new?${query}`, { headers: html })).text()
    const [items = ''] = /<ul class="authorize-api-key__scopes[\s\S]*?<\/ul>/.exec(page) ?? []
    assert.doesNotMatch(items, /<b>|\u202E/)
    assert.match(
      textOf(items),
      /“&lt;b&gt;x&lt;\/b&gt;”, “12’ or ’13”, “a\[U\+202E\]b”, ü{39}…, 1 or 5 others/,
    )
    const answer = await sam.post('/user-api-key.json', parameters)
    assert.equal(answer.status, 200)
    assert.deepEqual(await stored(), [{ name: 'shop:orders', allowedParameters: { customer_id: values } }])
  })
})

/** Of an app in a user’s JSON (protocol §8.8). */
const wireFields = ['id', 'application_name', 'scopes', 'created_at', 'last_used_at']

function textOf(markup: string): string {
  return markup.replace(/<[^>]+>/g, '').replace(/\s+/g, ' ')
}
