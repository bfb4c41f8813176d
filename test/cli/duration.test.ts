import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseDuration } from '../../src/cli/duration.ts'

describe('parseDuration', () => {
  const readable: readonly (readonly [string, number])[] = [
    ['45', 45],
    ['45s', 45],
    ['10m', 600],
    ['12h', 43_200],
    ['30d', 2_592_000],
    ['2w', 1_209_600],
  ]
  for (const [text, seconds] of readable) {
    test(`reads ${text} as ${seconds} seconds`, () => assert.equal(parseDuration(text), seconds))
  }

  for (const text of ['', '0', '-1d', '1.5h', '1y', '1 d', 'd', '12345678901']) {
    test(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseDuration(text), /write it as 45s/))
  }
})
