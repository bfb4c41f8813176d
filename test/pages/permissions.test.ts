import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { permissions } from '../../src/pages/permissions.ts'

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
})
