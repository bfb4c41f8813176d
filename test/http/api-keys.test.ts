import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestSite, type RequestOptions, type TestSite } from '../test-site.ts'

let site: TestSite
before(async () => {
  site = await createTestSite()
})
after(() => site.close())

// biome-ignore lint/suspicious/noExplicitAny: answers are read the way a client in any language reads them.
type Json = any

async function make(key: unknown): Promise<Json> {
  const response = await site.asAdmin('/admin/api/keys.json', { json: { key } })
  assert.equal(response.status, 200)
  return (await response.json()).key
}

async function admin(method: string, path: string, options: RequestOptions = {}): Promise<Json> {
  const response = await site.asAdmin(path, { method, ...options })
  return { status: response.status, ...(await response.json()) }
}

function current(key: string, username = 'sam'): Promise<Response> {
  return site.request('/session/current.json', { headers: { 'api-key': key, 'api-username': username } })
}

async function lastAudit(): Promise<{
  action: string | undefined
  details: Json
  actor: string | null | undefined
}> {
  const [last] = await site.store.audit.list({ limit: 1 })
  return { action: last?.action, details: JSON.parse(last?.details ?? '{}'), actor: last?.actorUserId }
}

describe('POST /admin/api/keys', () => {
  test('makes a key whose text is told once and kept as a hash', async () => {
    const key = await make({ description: 'backup', username: 'sam' })
    assert.match(key.key, /^[0-9a-f]{64}$/)
    const { key: text, id, created_at: createdAt, updated_at: updatedAt, ...rest } = key
    const person = (user: { username: string }, id: string) => ({
      id: Number(id),
      username: user.username,
      name: '',
      avatar_template: '',
    })
    assert.deepEqual(rest, {
      truncated_key: text.slice(0, 4),
      description: 'backup',
      last_used_at: null,
      revoked_at: null,
      scope_mode: 'global',
      allowed_ips: null,
      api_key_scopes: [],
      user: person(site.user, site.user.id),
      created_by: person(site.admin, site.admin.id),
    })
    assert.equal(typeof id, 'number')
    assert.equal(createdAt, updatedAt)
    assert.ok(!JSON.stringify(await site.store.apiKeys.list({ offset: 0, limit: 50 })).includes(text))
    assert.equal((await current(text, 'SAM')).status, 200)
    const { action, details, actor } = await lastAudit()
    assert.equal(action, 'api_key_created')
    assert.deepEqual([details.apiKeyId, details.scopeMode, actor], [id, 'global', site.admin.id])
    assert.ok(!JSON.stringify(details).includes(text))
  })

  test('makes a key that only reads', async () => {
    const key = await make({ scope_mode: 'read_only', username: 'sam' })
    assert.equal(key.scope_mode, 'read_only')
    const [scope, ...more] = key.api_key_scopes
    assert.deepEqual([scope.resource, scope.action, scope.urls, more], ['global', 'read', ['* (get)'], []])
  })

  test('makes a granular key: comma lists split, blanks and undeclared parameters dropped and named', async () => {
    const response = await site.asAdmin('/admin/api/keys.json', {
      json: {
        key: {
          scopes: [
            { scope_id: 'topics:write', topic_id: '55, 33,,', topicid: '7' },
            { scope_id: 'topics:read', topic_id: '' },
            { scope_id: 'posts:edit', id: [7, '8', ' '] },
          ],
        },
      },
    })
    assert.equal(response.status, 200)
    const { key, warnings } = await response.json()
    assert.equal(key.scope_mode, 'granular')
    const scopes = key.api_key_scopes.map((scope: Json) => [
      `${scope.resource}:${scope.action}`,
      scope.key,
      scope.parameters,
      scope.allowed_parameters,
    ])
    assert.deepEqual(scopes, [
      ['topics:write', 'write', ['topic_id'], { topic_id: ['55', '33'] }],
      ['topics:read', 'read', ['topic_id'], null],
      ['posts:edit', 'edit', ['id'], { id: ['7', '8'] }],
    ])
    assert.deepEqual(key.api_key_scopes[0].urls, ['/posts (POST)'])
    assert.equal(warnings.length, 1)
    assert.match(warnings[0], /^topics:write topicid: /)
  })

  const forms: [name: string, body: string][] = [
    [
      'without numbers',
      'key[description]=form&key[scopes][][scope_id]=topics:write&key[scopes][][topic_id]=55,33&key[scopes][][scope_id]=posts:list',
    ],
    [
      'with numbers',
      'key[description]=form&key[scopes][0][scope_id]=topics:write&key[scopes][1][scope_id]=posts:list&key[scopes][0][topic_id]=55,33',
    ],
  ]
  for (const [name, body] of forms) {
    test(`takes a form, its scopes ${name}`, async () => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const { key } = await admin('POST', '/admin/api/keys', { body, headers })
      assert.equal(key.description, 'form')
      assert.deepEqual(
        key.api_key_scopes.map((scope: Json) => [scope.resource, scope.allowed_parameters]),
        [
          ['topics', { topic_id: ['55', '33'] }],
          ['posts', null],
        ],
      )
    })
  }

  test('takes the addresses a key may be used from, as a list or a text', async () => {
    const list = await make({ allowed_ips: ['192.0.2.0/24', ' 2001:db8::/32 ', ''] })
    assert.deepEqual(list.allowed_ips, ['192.0.2.0/24', '2001:db8::/32'])
    const text = await make({ allowed_ips: '192.0.2.7, 192.0.2.8\n192.0.2.9' })
    assert.deepEqual(text.allowed_ips, ['192.0.2.7', '192.0.2.8', '192.0.2.9'])
    assert.equal((await make({ allowed_ips: [] })).allowed_ips, null)
  })

  const scopes = [{ scope_id: 'topics:read' }]
  const bad: [name: string, json: unknown, status: number, reason: string][] = [
    ['without key', {}, 400, 'parameters_missing'],
    ['with a key that is a text', { key: 'x' }, 400, 'parameters_missing'],
    ['with a key that is a list', { key: [] }, 400, 'parameters_missing'],
    ['for an unknown user', { key: { username: 'nobody' } }, 404, 'not_found'],
    ['for a username that is a list', { key: { username: ['sam'] } }, 400, 'parameter_invalid'],
    [
      'with a description of 256 characters',
      { key: { description: 'x'.repeat(256) } },
      422,
      'record_invalid',
    ],
    ['with a description that is no text', { key: { description: {} } }, 400, 'parameter_invalid'],
    [
      'with an unknown scope',
      { key: { scopes: [{ scope_id: 'topics:fly' }] } },
      400,
      'api_key_scope_unknown',
    ],
    [
      'with a scope of another kind',
      { key: { scopes: [{ scope_id: 'read' }] } },
      400,
      'api_key_scope_unknown',
    ],
    ['with a scope without id', { key: { scopes: [{ topic_id: '1' }] } }, 400, 'parameters_missing'],
    ['with a scope id that is no text', { key: { scopes: [{ scope_id: 5 }] } }, 400, 'parameter_invalid'],
    ['with scopes that are a text', { key: { scopes: 'topics:read' } }, 400, 'parameter_invalid'],
    ['with scopes that are texts', { key: { scopes: ['topics:read'] } }, 400, 'parameter_invalid'],
    ['with more than 100 scopes', { key: { scopes: Array(101).fill(scopes[0]) } }, 400, 'parameter_invalid'],
    [
      'with a parameter that holds an object',
      { key: { scopes: [{ scope_id: 'topics:read', topic_id: [{}] }] } },
      400,
      'parameter_invalid',
    ],
    ['granular without scopes', { key: { scope_mode: 'granular' } }, 422, 'record_invalid'],
    ['granular with no scopes', { key: { scope_mode: 'granular', scopes: [] } }, 422, 'record_invalid'],
    ['with an unknown scope mode', { key: { scope_mode: 'all' } }, 400, 'parameter_invalid'],
    [
      'global with scopes, which it would not have',
      { key: { scope_mode: 'global', scopes } },
      400,
      'parameter_invalid',
    ],
    ['read-only with other scopes', { key: { scope_mode: 'read_only', scopes } }, 400, 'parameter_invalid'],
    ['for addresses that are none', { key: { allowed_ips: ['192.0.2.256'] } }, 400, 'parameter_invalid'],
    ['for a prefix that is too long', { key: { allowed_ips: '192.0.2.0/33' } }, 400, 'parameter_invalid'],
    ['for a mapped prefix', { key: { allowed_ips: '::ffff:192.0.2.0/120' } }, 400, 'parameter_invalid'],
    [
      'for an address without prefix length',
      { key: { allowed_ips: '192.0.2.0/' } },
      400,
      'parameter_invalid',
    ],
    ['for addresses that are no texts', { key: { allowed_ips: [1] } }, 400, 'parameter_invalid'],
    ['for addresses that are an object', { key: { allowed_ips: {} } }, 400, 'parameter_invalid'],
    // The key is the caller's own object: what it holds must not pass for a refusal of ours.
    [
      'for nobody, in the words of a refusal',
      { key: { reason: 'x', remedy: 'y', status: 200, username: 'nobody' } },
      404,
      'not_found',
    ],
  ]
  for (const [name, json, status, reason] of bad) {
    test(`refuses a key ${name}`, async () => {
      const before = await site.store.apiKeys.count()
      const answer = await admin('POST', '/admin/api/keys.json', { json })
      assert.deepEqual(
        [answer.reason, (await site.asAdmin('/admin/api/keys.json', { json })).status],
        [reason, status],
      )
      assert.equal(await site.store.apiKeys.count(), before)
    })
  }

  const badForms: [name: string, body: string, reason: string][] = [
    ['a flat field', 'key=x', 'parameters_missing'],
    ['a description given twice', 'key[description]=a&key[description]=b', 'parameter_duplicated'],
    [
      'a parameter given twice in one scope',
      'key[scopes][0][scope_id]=posts:list&key[scopes][0][scope_id]=tags:list',
      'parameter_duplicated',
    ],
    [
      'a list and a text of one name',
      'key[scopes][][scope_id]=posts:list&key[scopes][]=x',
      'parameter_duplicated',
    ],
    ['numbers with a gap', 'key[scopes][5][scope_id]=posts:list', 'parameter_duplicated'],
    ['a scope as a text', 'key[scopes][]=posts:list', 'parameter_invalid'],
  ]
  for (const [name, body, reason] of badForms) {
    test(`refuses a form with ${name}`, async () => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      assert.equal((await admin('POST', '/admin/api/keys', { body, headers })).reason, reason)
    })
  }
})

describe('GET /admin/api/keys', () => {
  test('lists keys page by page, the revoked last, without their text, scopes or hidden ones', async () => {
    const own = await createTestSite()
    const ask = async (path: string): Promise<Json> => (await own.asAdmin(path)).json()
    const ids: number[] = []
    for (const description of ['a', 'b', 'c']) {
      own.advance(1)
      const response = await own.asAdmin('/admin/api/keys.json', { json: { key: { description } } })
      ids.push((await response.json()).key.id)
    }
    await own.asAdmin(`/admin/api/keys/${ids[1]}/revoke.json`, { method: 'POST' })
    const { keyHash: _, ...sample } = (await own.store.apiKeys.findById(Number(ids[0]))) ?? assert.fail()
    await own.store.apiKeys.insert({
      ...sample,
      keyHash: 'f'.repeat(64),
      hidden: true,
      description: 'hidden',
    })

    const { keys, offset, limit } = await ask('/admin/api/keys.json')
    assert.deepEqual([offset, limit], [0, 50])
    assert.deepEqual(
      keys.map(({ description }: Json) => description),
      ['c', 'a', 'tests', 'b'],
    )
    assert.deepEqual(Object.keys(keys[0]).sort(), [
      'created_at',
      'created_by',
      'description',
      'id',
      'last_used_at',
      'revoked_at',
      'scope_mode',
      'truncated_key',
      'user',
    ])
    assert.deepEqual([keys[0].user, keys[0].created_by.username], [null, 'admin'])
    const second = await ask('/admin/api/keys?offset=1&limit=2')
    assert.deepEqual([second.offset, second.limit], [1, 2])
    assert.deepEqual(
      second.keys.map(({ description }: Json) => description),
      ['a', 'tests'],
    )
    assert.deepEqual((await ask('/admin/api/keys.json?offset=50')).keys, [])
    await own.close()
  })

  for (const query of ['limit=51', 'limit=-1', 'limit=x', 'offset=-1', 'offset=1.5', 'limit=1&limit=2']) {
    test(`refuses ${query}`, async () => {
      assert.equal((await site.asAdmin(`/admin/api/keys.json?${query}`)).status, 400)
    })
  }
})

describe('GET, PUT and DELETE /admin/api/keys/:id', () => {
  test('shows a key without its text', async () => {
    const { key: text, ...made } = await make({
      username: 'sam',
      scopes: [{ scope_id: 'search:show', q: 'cats' }],
    })
    const { key } = await admin('GET', `/admin/api/keys/${made.id}.json`)
    assert.deepEqual(key, made)
    assert.ok(!JSON.stringify(key).includes(text))
    assert.equal((await admin('GET', `/admin/api/keys/${made.id}`)).key.id, made.id)
  })

  test('changes the description and the addresses, and nothing else, at once, and audits it', async () => {
    const { key: text, id, ...made } = await make({ description: 'old', username: 'sam' })
    assert.equal((await current(text)).status, 200)
    site.advance(1)
    const path = `/admin/api/keys/${id}.json`
    const json = { key: { description: 'new', key: 'x', username: 'admin', scope_mode: 'read_only' } }
    const { key } = await admin('PUT', path, { json })
    const updatedAt = new Date(site.now()).toISOString()
    assert.deepEqual(key, { ...made, id, description: 'new', updated_at: updatedAt })
    assert.deepEqual((await lastAudit()).details, { apiKeyId: id, userId: site.user.id, description: 'new' })

    const form = { 'key[allowed_ips]': '192.0.2.0/24' }
    assert.deepEqual((await admin('PUT', path, { form })).key.allowed_ips, ['192.0.2.0/24'])
    assert.equal((await (await current(text)).json()).reason, 'api_key_address_not_allowed')
    assert.equal((await lastAudit()).action, 'api_key_updated')
    const lifted = await admin('PUT', path, { json: { key: { allowed_ips: null, description: '' } } })
    assert.deepEqual([lifted.key.allowed_ips, lifted.key.description], [null, ''])
    assert.equal((await current(text)).status, 200)
  })

  test('a change that changes nothing leaves no trace', async () => {
    const { id } = await make({ description: 'same' })
    const before = await site.store.audit.last()
    assert.equal(
      (await admin('PUT', `/admin/api/keys/${id}.json`, { json: { key: { description: 'same' } } })).status,
      200,
    )
    assert.equal((await admin('PUT', `/admin/api/keys/${id}.json`, { json: { key: {} } })).status, 200)
    assert.deepEqual(await site.store.audit.last(), before)
  })

  test('refuses a bad change', async () => {
    const { id } = await make({})
    const reason = async (json: unknown) =>
      (await admin('PUT', `/admin/api/keys/${id}.json`, { json })).reason
    assert.equal(await reason({}), 'parameters_missing')
    assert.equal(await reason({ key: 5 }), 'parameters_missing')
    assert.equal(await reason({ key: { description: 'x'.repeat(256) } }), 'record_invalid')
    assert.equal(await reason({ key: { description: ['x'] } }), 'parameter_invalid')
    assert.equal(await reason({ key: { allowed_ips: 'everywhere' } }), 'parameter_invalid')
  })

  test('deletes a key, which is refused from then on', async () => {
    const { key: text, id } = await make({ username: 'sam', scopes: [{ scope_id: 'global:read' }] })
    assert.equal((await current(text)).status, 200)
    assert.deepEqual(await admin('DELETE', `/admin/api/keys/${id}.json`), { status: 200, success: 'OK' })
    assert.equal((await (await current(text)).json()).reason, 'api_key_invalid')
    assert.equal((await lastAudit()).action, 'api_key_deleted')
    assert.equal((await admin('GET', `/admin/api/keys/${id}.json`)).reason, 'not_found')
  })
})

describe('POST /admin/api/keys/:id/revoke and /undo-revoke', () => {
  test('revoke at once and restore at once, each answering with the root api_key', async () => {
    const { key: text, id } = await make({ username: 'sam' })
    assert.equal((await current(text)).status, 200)
    const revoked = await admin('POST', `/admin/api/keys/${id}/revoke.json`)
    assert.equal(revoked.key, undefined)
    assert.equal(revoked.api_key.revoked_at, new Date(site.now()).toISOString())
    const { reason, errors, message } = await (await current(text)).json()
    assert.equal(reason, 'api_key_revoked')
    assert.match(errors[0], /API username or key is invalid/)
    assert.match(message, /2026-01-15/)
    assert.equal((await lastAudit()).action, 'api_key_revoked')
    const before = await site.store.audit.last()
    site.advance(60)
    const again = await admin('POST', `/admin/api/keys/${id}/revoke`)
    assert.equal(again.api_key.revoked_at, revoked.api_key.revoked_at)
    assert.deepEqual(await site.store.audit.last(), before)

    const restored = await admin('POST', `/admin/api/keys/${id}/undo-revoke.json`)
    assert.deepEqual([restored.api_key.id, restored.api_key.revoked_at], [id, null])
    assert.equal((await lastAudit()).action, 'api_key_restored')
    assert.equal((await current(text)).status, 200)
    assert.equal((await admin('POST', `/admin/api/keys/${id}/undo-revoke`)).status, 200)
  })
})

describe('administration of API keys', () => {
  const routes: [method: string, path: string][] = [
    ['GET', '/admin/api/keys'],
    ['POST', '/admin/api/keys'],
    ['GET', '/admin/api/keys/scopes'],
    ['GET', '/admin/api/keys/1'],
    ['PUT', '/admin/api/keys/1'],
    ['DELETE', '/admin/api/keys/1'],
    ['POST', '/admin/api/keys/1/revoke'],
    ['POST', '/admin/api/keys/1/undo-revoke'],
  ]
  const body = { json: { key: { description: 'mine' } } }
  let userKey: string
  before(async () => {
    userKey = await site.approvedKey({ scopes: 'write', client_id: 'power' }, 'admin')
  })
  for (const [method, path] of routes) {
    test(`${method} ${path} does not exist but for administrators, with and without .json`, async () => {
      const options = { method, ...(method === 'GET' ? {} : body) }
      const headers = { 'api-key': site.adminApiKey, 'api-username': 'sam' }
      for (const suffix of ['', '.json']) {
        for (const who of [{ headers }, {}]) {
          const response = await site.request(path + suffix, { ...options, ...who })
          assert.equal(response.status, 404)
          assert.equal((await response.json()).error_type, 'not_found')
        }
      }
      const response = await site.request(path, { ...options, headers: { 'user-api-key': userKey } })
      assert.equal((await response.json()).reason, 'user_api_key_not_for_administration')
    })
  }

  test('is open to an administrator’s browser', async () => {
    const browser = await site.signedIn('admin')
    assert.equal((await browser.request('/admin/api/keys.json')).status, 200)
    assert.equal((await browser.request('/admin/api/keys.json', { json: { key: {} } })).status, 403)
    assert.equal((await browser.post('/admin/api/keys.json', { 'key[description]': 'x' })).status, 200)
  })

  for (const id of ['999999', '0', 'x', '1x', '-1', '9'.repeat(40)]) {
    test(`finds no key ${id}`, async () => {
      const json = { key: { description: 'x' } }
      assert.equal((await admin('GET', `/admin/api/keys/${id}.json`)).reason, 'not_found')
      assert.equal((await admin('PUT', `/admin/api/keys/${id}.json`, { json })).reason, 'not_found')
      assert.equal((await admin('DELETE', `/admin/api/keys/${id}.json`)).reason, 'not_found')
      assert.equal((await admin('POST', `/admin/api/keys/${id}/revoke.json`)).reason, 'not_found')
      assert.equal((await admin('POST', `/admin/api/keys/${id}/undo-revoke.json`)).reason, 'not_found')
    })
  }
})

describe('GET /admin/api/keys/scopes', () => {
  test('prints the catalogue by resource, as the protocol does', async () => {
    const { scopes } = await admin('GET', '/admin/api/keys/scopes.json')
    assert.deepEqual(scopes.topics[0], {
      scope_id: 'topics:write',
      key: 'write',
      name: 'write',
      params: ['topic_id'],
      urls: ['/posts (POST)'],
    })
    assert.deepEqual(scopes.global, [
      { scope_id: 'global:read', key: 'read', name: 'read', params: null, urls: ['* (get)'] },
    ])
    const lists = scopes.topics.find(({ key }: Json) => key === 'read_lists')
    assert.equal(lists.name, 'read lists')
    const update = scopes.topics.find(({ key }: Json) => key === 'update')
    assert.deepEqual(update.params, ['category_id', 'topic_id'])
    assert.ok(update.urls.includes('/t/:slug/:topic_id (PUT)'))
    assert.equal(scopes.about, undefined)
  })
})

describe('GET /session/scopes', () => {
  const ask = (key: string): Promise<Response> =>
    site.request('/session/scopes.json', { headers: { 'api-key': key, 'api-username': 'sam' } })

  test('tells a key its own scopes, even a key that may do nothing else here', async () => {
    const { key } = await make({ username: 'sam', scopes: [{ scope_id: 'topics:write', topic_id: '55' }] })
    assert.equal((await current(key)).status, 403)
    const response = await ask(key)
    assert.equal(response.status, 200)
    const { scopes } = await response.json()
    assert.deepEqual(scopes, [
      {
        resource: 'topics',
        action: 'write',
        key: 'write',
        parameters: ['topic_id'],
        urls: ['/posts (POST)'],
        allowed_parameters: { topic_id: ['55'] },
      },
    ])
  })

  test('lets a key ask, and not change', async () => {
    const { key } = await make({ username: 'sam', scopes: [{ scope_id: 'topics:write' }] })
    const headers = { 'api-key': key }
    const response = await site.hallpass.authenticate(
      new Request('http://hallpass.test/session/scopes', { method: 'POST', headers }),
    )
    assert.equal(response.outcome, 'refused')
  })

  test('tells a global key of no scope, for it needs none', async () => {
    const { key } = await make({ username: 'sam' })
    assert.deepEqual(await (await ask(key)).json(), { scopes: [] })
  })

  test('is an empty 404 for anybody else', async () => {
    const userKey = await site.approvedKey({ client_id: 'asks for scopes' })
    const browser = await site.signedIn()
    const answers = [
      await site.request('/session/scopes'),
      await site.request('/session/scopes.json', { headers: { 'user-api-key': userKey } }),
      await browser.request('/session/scopes.json'),
    ]
    for (const response of answers) {
      assert.equal(response.status, 404)
      assert.equal(await response.text(), '')
    }
    assert.equal((await ask('0'.repeat(64))).status, 403)
  })
})

describe('POST /admin/users/:id/generate_api_key', () => {
  const path = (): string =>
    `/admin/users/${site.user.id}/generate_api_key?api_key=${site.adminApiKey}&api_username=admin`

  test('makes a key with the credentials in the query, as before 2019, and points to the current way', async () => {
    const response = await site.request(path(), { method: 'POST' })
    assert.equal(response.status, 200)
    const { api_key: made } = await response.json()
    assert.match(made.key, /^[0-9a-f]{64}$/)
    assert.equal(made.user.username, 'sam')
    assert.match(response.headers.get('deprecation') ?? '', /^@\d+$/)
    assert.match(response.headers.get('link') ?? '', /admin\/api\/keys/)
    assert.equal((await (await current(made.key)).json()).current_user.username, 'sam')
    const { action, details, actor } = await lastAudit()
    assert.deepEqual([action, details.route, details.scopeMode], ['api_key_created', 'legacy', 'global'])
    assert.equal(actor, site.admin.id)
  })

  test('is gone when the setting says so', async () => {
    const set = (value: string): Promise<Response> =>
      site.asAdmin('/admin/site_settings/legacy_api_key_routes.json', {
        method: 'PUT',
        form: { legacy_api_key_routes: value },
      })
    await set('false')
    const response = await site.request(path(), { method: 'POST' })
    assert.equal(response.status, 404)
    assert.match((await response.json()).message, /\/admin\/api\/keys/)
    await set('true')
  })

  test('is the only route where credentials in the query count', async () => {
    const response = await site.request(
      `/session/current.json?api_key=${site.adminApiKey}&api_username=admin`,
    )
    assert.equal(response.status, 404)
  })
})
