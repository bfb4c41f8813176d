import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestSite, type TestSite } from '../test-site.ts'

const address = 'https://push.example.com/publish'
let site: TestSite
let ids: number[]

before(async () => {
  site = await createTestSite()
  ids = []
  for (const targetUrl of [address, 'https://other.example.com/', address]) {
    const body = '{"title":"a secret between two","notifications":[]}'
    // All but the first are not due yet, so that they wait whatever the tests do.
    const createdAt = site.now() + (ids.length === 0 ? 0 : 1000)
    ids.push(await site.store.pushDeliveries.insert({ targetUrl, userId: site.user.id, body, createdAt }))
  }
  const [first = 0] = ids
  await site.store.pushDeliveries.claim(first, { token: 'one', now: site.now(), until: site.now() + 1 })
  const outcome = { state: 'dead', at: site.now(), status: 500, error: 'it answered 500' } as const
  await site.store.pushDeliveries.settle(first, 'one', outcome)
})
after(() => site.close())

describe('GET /hallpass/push', () => {
  const list = async (query = '') => (await site.asAdmin(`/hallpass/push.json${query}`)).json()
  const places = async (query: string) =>
    (await list(query)).push_deliveries.map(({ id }: { id: number }) => ids.indexOf(id))

  test('lists pushes, newest first, without their content', async () => {
    const { push_deliveries: pushes, next_before, counts } = await list()
    assert.deepEqual(counts, { pending: 2, delivered: 0, dead: 1 })
    assert.equal(next_before, null)
    assert.equal(pushes.length, 3)
    const at = new Date(site.now()).toISOString()
    assert.deepEqual(pushes[2], {
      id: ids[0],
      target: address,
      user_id: site.user.id,
      state: 'dead',
      created_at: at,
      attempts: 1,
      next_attempt_at: null,
      finished_at: at,
      last_status: 500,
      last_error: 'it answered 500',
    })
    assert.doesNotMatch(JSON.stringify(pushes), /a secret between two/)
  })

  test('goes by state and address, page by page', async () => {
    assert.deepEqual(await places('?state=pending'), [2, 1])
    assert.deepEqual(await places(`?target=${encodeURIComponent(address)}`), [2, 0])
    assert.deepEqual(await places(`?state=dead&target=${encodeURIComponent(address)}`), [0])
    const { next_before } = await list('?limit=2')
    assert.equal(next_before, ids[1])
    assert.deepEqual(await places(`?limit=2&before=${next_before}`), [0])
  })

  test('refuses a state that there is none of', async () => {
    assert.equal((await list('?state=lost')).reason, 'parameter_invalid')
  })

  test('does not exist for anybody but administrators', async () => {
    assert.equal((await site.request('/hallpass/push.json')).status, 404)
    const visitor = await site.signedIn()
    assert.equal((await visitor.request('/hallpass/push.json')).status, 404)
    const key = await site.approvedKey({ scopes: 'read,write' }, 'admin')
    const response = await site.request('/hallpass/push.json', { headers: { 'user-api-key': key } })
    assert.equal((await response.json()).reason, 'user_api_key_not_for_administration')
  })
})

describe('POST /hallpass/push/:id/retry', () => {
  const retry = async (id: number | string) =>
    (await site.asAdmin(`/hallpass/push/${id}/retry.json`, { method: 'POST' })).json()

  test('has a dead push wait again, and audits it', async () => {
    const { success, push_delivery: push } = await retry(ids[0] ?? 0)
    assert.equal(success, 'OK')
    assert.deepEqual([push.state, push.finished_at], ['pending', null])
    // It may have died again by now, which is audited too.
    const entries = await site.store.audit.list({ limit: 10 })
    const retried = entries.find(({ action }) => action === 'push_delivery_retried')
    assert.equal(retried?.actorUserId, site.admin.id)
    assert.deepEqual(JSON.parse(retried?.details ?? ''), { deliveryId: ids[0], targetUrl: address })
  })

  test('refuses one that is not dead, or not there', async () => {
    assert.equal((await retry(ids[1] ?? 0)).reason, 'push_delivery_not_dead')
    for (const id of [999, 'x', '99999999999999999999']) assert.equal((await retry(id)).reason, 'not_found')
  })

  test('needs an administrator, and from a browser a CSRF token', async () => {
    const path = `/hallpass/push/${ids[1]}/retry.json`
    assert.equal((await site.request(path, { method: 'POST' })).status, 404)
    const visitor = await site.signedIn('admin')
    assert.equal((await visitor.request(path, { method: 'POST' })).status, 403)
    assert.equal((await (await visitor.post(path, {})).json()).reason, 'push_delivery_not_dead')
  })
})
