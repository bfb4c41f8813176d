// The example's tests are tests of ours too.
import '../../examples/library/shop.test.ts'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

describe('docs/library.md', () => {
  const page = readFileSync(`${root}docs/library.md`, 'utf8')
  for (const file of ['shop.ts', 'main.ts', 'shop.test.ts']) {
    test(`shows examples/library/${file} as it is`, () => {
      const text = readFileSync(`${root}examples/library/${file}`, 'utf8')
      assert.ok(page.includes(`\`\`\`typescript\n${text}\`\`\`\n`))
    })
  }
})
