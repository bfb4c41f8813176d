import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { hashSecret } from '../../src/domain/key-text.ts'
import type { GrantedScope } from '../../src/domain/store.ts'
import type { OwnScope } from '../../src/protocol/scopes.ts'
import { authorizationParameters, createTestSite, siteUrl, type TestSite } from '../test-site.ts'

const orders: OwnScope = {
  name: 'shop:orders',
  label: 'See your orders',
  description: 'GET of the orders; can be narrowed to shops and to a state.',
  routes: [
    { methods: ['GET'], paths: ['/shops/:shop/orders'], pathParams: ['shop'], params: ['state'] },
    { methods: ['POST'], paths: ['/shops/:shop/orders'], pathParams: ['shop'], params: ['state'] },
  ],
}

let site: TestSite
before(async () => {
  site = await createTestSite({ scopes: [orders] })
})
after(() => site.close())

function allow(scopes: string): Promise<Response> {
  const form = { allow_user_api_key_scopes: scopes }
  return site.asAdmin('/admin/site_settings/allow_user_api_key_scopes.json', { method: 'PUT', form })
}

async function listed(name: string): Promise<Record<string, unknown> | undefined> {
  const { scopes } = await (await site.request('/hallpass/scopes.json')).json()
  return scopes.find((scope: { name: string }) => scope.name === name)
}

async function ask(key: string, path: string, init: RequestInit = {}): Promise<string> {
  const headers = { ...(init.headers as Record<string, string>), 'user-api-key': key }
  const answer = await site.hallpass.authenticate(new Request(siteUrl + path, { ...init, headers }))
  return answer.outcome === 'refused' ? answer.refusal.reason : answer.outcome
}

/** A key as something other than an approval makes it: with stored restrictions. */
async function keyWith(text: string, scopes: readonly GrantedScope[]): Promise<string> {
  const client = await site.store.clients.insert({
    clientId: `client of ${text}`,
    applicationName: 'An app',
    createdAt: site.now(),
  })
  await site.store.userApiKeys.insert({
    userId: site.user.id,
    clientRowId: client.id,
    keyHash: hashSecret(text),
    scopes,
    pushUrl: null,
    createdAt: site.now(),
    expiresAt: null,
  })
  return text
}

describe('a site’s own scope', () => {
  test('is told to those who write apps, and asked for once the setting lists it', async () => {
    assert.deepEqual(await listed('shop:orders'), {
      name: 'shop:orders',
      label: 'See your orders',
      description: orders.description,
      allowed: false,
      write: false,
      built_in: false,
      routes: ['GET', 'POST'].map((method) => ({
        methods: [method],
        paths: ['/shops/:shop/orders'],
        formats: null,
        restrictable: ['state', 'shop'],
      })),
    })
    const visitor = await site.signedIn()
    const parameters = authorizationParameters({ scopes: 'shop:orders' })
    const early = await visitor.post('/user-api-key.json', parameters)
    assert.equal((await early.json()).reason, 'scope_not_allowed')
    assert.equal((await allow('read|write|shop:orders')).status, 200)
    assert.equal((await listed('shop:orders'))?.allowed, true)
    const query = new URLSearchParams(parameters)
    const consent = await visitor.request(`/user-api-key/new?${query}`, { headers: { accept: 'text/html' } })
    assert.match(await consent.text(), /See your orders/)
  })

  test('permits its routes and no others', async () => {
    await allow('read|write|shop:orders')
    const key = await site.approvedKey({ scopes: 'shop:orders', client_id: 'own' })
    assert.equal(await ask(key, '/shops/books/orders'), 'authenticated')
    assert.equal(await ask(key, '/shops/books/orders', { method: 'HEAD' }), 'authenticated')
    assert.equal(await ask(key, '/shops/books'), 'scope_insufficient')
    assert.equal(await ask(key, '/shops/books/orders', { method: 'DELETE' }), 'scope_insufficient')
  })

  test('is unknown to a site that does not declare it', async () => {
    const other = await createTestSite()
    const response = await other.asAdmin('/admin/site_settings/allow_user_api_key_scopes.json', {
      method: 'PUT',
      form: { allow_user_api_key_scopes: 'read|shop:orders' },
    })
    assert.equal((await response.json()).reason, 'setting_invalid')
    await other.close()
  })

  test('stops a start when its name is taken', async () => {
    await assert.rejects(createTestSite({ scopes: [{ ...orders, name: 'read' }] }), TypeError)
  })
})

describe('a stored restriction of a scope', () => {
  test('is enforced on path parameters, which nothing in the query can stand in for', async () => {
    const restriction = { name: 'bookmarks_calendar', allowedParameters: { username: ['sam'] } }
    const key = await keyWith('a'.repeat(32), [restriction])
    assert.equal(await ask(key, '/u/sam/bookmarks.ics'), 'authenticated')
    assert.equal(await ask(key, '/u/kim/bookmarks.ics'), 'scope_insufficient')
    assert.equal(await ask(key, '/u/kim/bookmarks.ics?username=sam'), 'scope_insufficient')
    assert.equal(await ask(key, '/u/sam/bookmarks.json'), 'scope_insufficient')
  })

  test('is enforced on ordinary parameters, in a body that the application has read too', async () => {
    const key = await keyWith('b'.repeat(32), [
      { name: 'shop:orders', allowedParameters: { shop: ['books'], state: ['open'] } },
    ])
    assert.equal(await ask(key, '/shops/books/orders?state=open'), 'authenticated')
    assert.equal(await ask(key, '/shops/books/orders?state=sent'), 'scope_insufficient')
    assert.equal(await ask(key, '/shops/books/orders'), 'scope_insufficient')
    assert.equal(await ask(key, '/shops/shoes/orders?state=open'), 'scope_insufficient')
    const unread = { method: 'POST', body: 'state=open' }
    assert.equal(await ask(key, '/shops/books/orders?state=open', unread), 'scope_insufficient')
  })

  test('is told in the refusal, and does not narrow the key’s other scopes', async () => {
    const key = await keyWith('c'.repeat(32), [
      { name: 'bookmarks_calendar', allowedParameters: { username: ['sam'] } },
      { name: 'session_info', allowedParameters: null },
    ])
    assert.equal(await ask(key, '/session/current'), 'authenticated')
    const answer = await site.request('/u/kim/bookmarks.ics', { headers: { 'user-api-key': key } })
    assert.ok(answer.status === 404 || answer.status === 403)
    const refused = await site.hallpass.authenticate(
      new Request(`${siteUrl}/u/kim/bookmarks.ics`, { headers: { 'user-api-key': key } }),
    )
    assert.match(
      refused.outcome === 'refused' ? refused.refusal.message : '',
      /only username sam\).*outside of what it is narrowed to by `username`/,
    )
  })
})
