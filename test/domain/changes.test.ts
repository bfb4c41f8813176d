import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { changesOf } from '../../src/domain/changes.ts'
import type { DomainEvent } from '../../src/domain/events.ts'
import { createTestSite } from '../test-site.ts'

const key = { keyId: 1, keyHash: 'hash', userId: '7', clientId: 'client' }
const apiKey = { apiKeyId: 1, keyHash: 'hash', userId: null }

describe('changesOf', () => {
  const cases: readonly (readonly [DomainEvent, string])[] = [
    [{ type: 'user_api_key_replaced', ...key }, 'key hash'],
    [{ type: 'user_api_key_revoked', ...key }, 'key hash'],
    [{ type: 'user_api_key_restored', ...key }, 'key hash'],
    [{ type: 'user_api_key_client_changed', from: 'other', ...key }, 'key hash'],
    [{ type: 'user_api_key_deleted', ...key }, 'key hash'],
    [{ type: 'api_key_updated', ...apiKey }, 'key hash'],
    [{ type: 'api_key_deleted', description: '', ...apiKey }, 'key hash'],
    [{ type: 'api_key_revoked', ...apiKey }, 'key hash'],
    [{ type: 'api_key_restored', ...apiKey }, 'key hash'],
    [{ type: 'user_changed', userId: '7', change: 'suspend' }, 'user 7'],
    [{ type: 'client_renamed', clientId: 'client', applicationName: 'App' }, 'client client'],
    [{ type: 'client_deleted', clientId: 'client', applicationName: 'App' }, 'client client'],
    [{ type: 'setting_changed', name: 'push_api_secret_key', from: '', to: 'secret' }, 'settings '],
    [{ type: 'signing_key_made', kid: 'k' }, 'signing_keys '],
    [{ type: 'signing_key_deleted', kid: 'k' }, 'signing_keys '],
    [{ type: 'user_api_key_issued', scopes: [], ...key }, ''],
    [{ type: 'signed_in', userId: '7' }, ''],
  ]
  for (const [event, expected] of cases) {
    test(`${event.type}: ${expected || 'nothing'}`, () => {
      assert.equal(
        changesOf(event)
          .map(({ kind, value }) => `${kind} ${value}`)
          .join(),
        expected,
      )
    })
  }
})

describe('commit', () => {
  test('keeps the change under the number of its entry in the audit log, without a setting’s value', async (t) => {
    const site = await createTestSite()
    t.after(() => site.close())
    await site.asAdmin('/admin/site_settings/title.json', {
      method: 'PUT',
      form: { title: 'Unlikely words' },
    })
    const [entry] = await site.store.audit.list({ limit: 1 })
    const change = (await site.store.changes.listAfter(0)).at(-1)
    assert.equal(change?.kind, 'settings')
    assert.equal(change?.sequence, entry?.sequence)
    assert.equal(change?.at, site.now())
    assert.doesNotMatch(JSON.stringify(change), /Unlikely/)
  })
})
