import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createScopeCatalogue } from '../../src/protocol/scopes.ts'
import {
  defaultSettings,
  formatSetting,
  isSettingName,
  parseSetting,
} from '../../src/protocol/setting-values.ts'
import { type SettingName, settingsCatalogue } from '../../src/protocol/settings.ts'

const names = Object.keys(settingsCatalogue) as SettingName[]

describe('parseSetting', () => {
  const good: readonly [name: SettingName, text: string, value: unknown][] = [
    ['max_user_api_key_expiry_days', '0', 0],
    ['max_user_api_key_expiry_days', '-0', 0],
    ['max_user_api_key_expiry_days', ' 36500 ', 36_500],
    ['user_api_key_write_may_mint', 'true', true],
    ['user_api_key_write_may_mint', 't', true],
    ['user_api_key_write_may_mint', '1', true],
    ['user_api_key_write_may_mint', 'False', false],
    ['user_api_key_write_may_mint', 'f', false],
    ['user_api_key_write_may_mint', '0', false],
    ['title', '', ''],
    ['title', 'Ünïcode 👍', 'Ünïcode 👍'],
    ['api_key_last_used_epoch', '', ''],
    ['api_key_last_used_epoch', ' ', ''],
    ['api_key_last_used_epoch', '2026-02-28', '2026-02-28T00:00:00.000Z'],
    ['api_key_last_used_epoch', '2026-02-28T12:00Z', '2026-02-28T12:00:00.000Z'],
    ['api_key_last_used_epoch', ' 2026-02-28T01:00:00.5+02:00 ', '2026-02-27T23:00:00.500Z'],
    ['allow_user_api_key_scopes', '', []],
    ['allow_user_api_key_scopes', 'read|write', ['read', 'write']],
    ['allow_user_api_key_scopes', '|read||read| write |', ['read', 'write']],
    ['user_api_key_allowed_groups', '1|2|11', ['1', '2', '11']],
    ['user_api_key_allowed_groups', '', ['1', '2']],
    ['user_api_key_allowed_groups', '14', ['1', '2', '14']],
    ['allowed_user_api_auth_redirects', 'loopback|*', ['loopback', '*']],
    ['allowed_user_api_auth_redirects', 'https://*.example.com/*', ['https://*.example.com/*']],
    ['allowed_user_api_push_urls', 'https://push.example.com/a?b=c', ['https://push.example.com/a?b=c']],
  ]
  for (const [name, text, value] of good)
    test(`reads ${JSON.stringify(text)} as a value of ${name}`, () => {
      assert.deepEqual(parseSetting(name, text), { outcome: 'parsed', value })
    })

  const bad: readonly [name: SettingName, text: string, problem: RegExp][] = [
    ['max_user_api_key_expiry_days', '', /whole number/],
    ['max_user_api_key_expiry_days', '1.5', /whole number/],
    ['max_user_api_key_expiry_days', '1e3', /whole number/],
    ['max_user_api_key_expiry_days', '-1', /out of range/],
    ['max_user_api_key_expiry_days', '36501', /out of range/],
    ['max_user_api_key_expiry_days', '9'.repeat(400), /whole number/],
    ['user_api_key_write_may_mint', 'yes', /neither/],
    ['title', 'a\nb', /line break/],
    ['title', 'x'.repeat(101), /too long/],
    ['title', '\ud800', /surrogate/],
    ['api_key_last_used_epoch', 'yesterday', /not a moment/],
    ['api_key_last_used_epoch', '1767225600', /not a moment/],
    ['api_key_last_used_epoch', '2026-02-28T12:00:00', /not a moment/],
    ['api_key_last_used_epoch', '2026-13-01', /not a moment/],
    ['api_key_last_used_epoch', '2026-02-30', /no such day/],
    ['allow_user_api_key_scopes', 'read|raed', /`raed`/],
    ['user_api_key_allowed_groups', '1|2|4', /cannot be allowed/],
    ['user_api_key_allowed_groups', '1|2|staff', /number of a group/],
    ['user_api_key_allowed_groups', '0', /number of a group/],
    ['allowed_user_api_auth_redirects', 'http://localhost:*/cb', /port/],
    ['allowed_user_api_auth_redirects', 'example.com', /scheme/],
    ['allowed_user_api_push_urls', 'ftp://push.example.com', /http/],
    ['allowed_user_api_push_urls', 'https://push.example.com/a b', /http/],
    ['allowed_user_api_push_urls', 'https://', /http/],
  ]
  for (const [name, text, problem] of bad)
    test(`refuses ${JSON.stringify(text.slice(0, 40))} for ${name}, and says why`, () => {
      const parsed = parseSetting(name, text)
      assert.equal(parsed.outcome, 'refused')
      if (parsed.outcome !== 'refused') return
      assert.equal(parsed.refusal.reason, 'setting_invalid')
      assert.match(String(parsed.refusal.details.problem), problem)
      assert.ok(String(parsed.refusal.details.value).length <= 101)
    })

  test('knows the site owner’s scopes when it is given them', () => {
    const own = { name: 'shop:orders', label: '', description: '', routes: [] }
    assert.equal(parseSetting('allow_user_api_key_scopes', 'shop:orders').outcome, 'refused')
    const parsed = parseSetting('allow_user_api_key_scopes', 'shop:orders', createScopeCatalogue([own]))
    assert.deepEqual(parsed, { outcome: 'parsed', value: ['shop:orders'] })
  })

  test('answers for any text, and reads back what it formats', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.constantFrom('read', '1', '10', '|', 'true', '-', 'https://a.example', '*', ' ', '9'))
        .map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(fc.constantFrom(...names), text, (name, value) => {
        const parsed = parseSetting(name, value)
        if (parsed.outcome === 'parsed')
          assert.deepEqual(parseSetting(name, formatSetting(name, parsed.value)), parsed)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('defaultSettings', () => {
  test('gives every setting a value that its own rules accept', () => {
    const settings = defaultSettings()
    assert.deepEqual(Object.keys(settings).sort(), [...names].sort())
    for (const name of names)
      assert.deepEqual(parseSetting(name, formatSetting(name, settings[name])), {
        outcome: 'parsed',
        value: settings[name],
      })
  })
})

describe('isSettingName', () => {
  test('knows the catalogue’s names and nothing that objects inherit', () => {
    assert.equal(isSettingName('title'), true)
    for (const other of ['', 'Title', 'toString', '__proto__']) assert.equal(isSettingName(other), false)
  })
})
