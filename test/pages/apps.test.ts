import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type ApprovedApp, appsPage } from '../../src/pages/apps.ts'
import { hiddenFields, textOf } from './markup.ts'

const now = Date.UTC(2026, 10, 24, 9, 30)
const app: ApprovedApp = {
  id: 12,
  applicationName: 'My app',
  clientId: 'c',
  scopes: [{ name: 'read', label: 'Read everything that you can read' }],
  createdAt: Date.UTC(2026, 0, 31, 23, 59),
  lastUsedAt: null,
  useCount: 0,
  expiresAt: null,
  revokedAt: null,
}
const show = (...apps: readonly ApprovedApp[]): string =>
  appsPage({
    siteTitle: 'Meadow',
    user: { username: 'ada', name: '' },
    csrfToken: 'token-1',
    apps,
    now,
  }).toString()

describe('appsPage', () => {
  test('says what each app may do, since when, and when it was used', () => {
    const text = textOf(show({ ...app, lastUsedAt: now - 60_000, useCount: 1204 }))
    assert.match(text, /“ My app ” It may: Read everything that you can read Approved 31 January 2026/)
    assert.match(text, /Last used 24 November 2026, 09:29 UTC Used 1,204 times Expires never/)
    assert.match(textOf(show(app)), /Last used never Used never/)
    assert.match(textOf(show({ ...app, useCount: 1 })), /Used once/)
  })

  test('revokes with the id, the token and the way back to the same app', () => {
    assert.deepEqual(hiddenFields(show(app), '/user-api-key/revoke'), [
      ['authenticity_token', 'token-1'],
      ['id', '12'],
      ['redirect', '/hallpass/apps#app-12'],
    ])
  })

  test('shows a revoked app apart, with Undo', () => {
    const page = show({ ...app, revokedAt: now })
    assert.deepEqual(hiddenFields(page, '/user-api-key/undo-revoke')[1], ['id', '12'])
    assert.doesNotMatch(page, /action="\/user-api-key\/revoke"/)
    assert.match(textOf(page), /No app can use your account .* Revoked .* Undo/)
  })

  test('marks a key as expired from its last moment on', () => {
    assert.match(show({ ...app, expiresAt: now }), /<span class="badge">Expired<\/span>/)
    assert.doesNotMatch(show({ ...app, expiresAt: now + 1 }), /badge/)
  })

  test('says what will be here when there is nothing yet', () => {
    assert.match(textOf(show()), /No app can use your account When an app asks/)
  })
})
