import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { permissions, wholeNarrowing } from '../../src/pages/permissions.ts'
import { strangeValues } from './samples.ts'

const read = { name: 'read', label: 'Read everything' }
const write = { name: 'write', label: 'Read everything, and post' }
const whoAmI = { name: 'session_info', label: 'See who you are' }

describe('permissions', () => {
  for (const [what, scopes, expected] of [
    ['every scope', [read, whoAmI], ['Read everything', 'See who you are']],
    ['no read beside write, which says it too', [read, write, whoAmI], [write.label, whoAmI.label]],
    ['nothing for no scope', [], []],
  ] as const) {
    test(`lists ${what}`, () => {
      assert.deepEqual(
        permissions(scopes).map((item) => item.toString()),
        expected.map((label) => `<li>${label}</li>\n`),
      )
    })
  }

  test('says what a scope is narrowed to, each value apart from the text around it', () => {
    const allowedParameters = { customer_id: ['12', '13'], state: ['open'] }
    const [item = ''] = permissions([{ name: 'orders', label: 'See your orders', allowedParameters }])
    const bare = item
      .toString()
      .replace(/<(?!bdi|\/bdi)[^>]+>/g, '')
      .replace(/ class="[^"]*"/g, '')
      .trim()
    assert.equal(
      bare,
      'See your orders · only customer_id <bdi>12</bdi> or <bdi>13</bdi>, and state <bdi>open</bdi>',
    )
  })

  test('escapes and bounds strange values, and shows all of them to whoever looks closer', () => {
    const allowedParameters = { id: strangeValues }
    const [item = ''] = permissions([{ name: 'orders', label: 'See your orders', allowedParameters }])
    assert.doesNotMatch(item.toString(), /<script|\u202e|W{41}/)
    assert.match(item.toString(), / or 21 others</)
    const whole = String(wholeNarrowing(allowedParameters))
    assert.equal(whole.match(/<bdi/g)?.length, strangeValues.length)
    assert.match(whole, /W{200}/)
    assert.equal(wholeNarrowing(null), null)
  })
})
