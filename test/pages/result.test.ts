import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { resultPage } from '../../src/pages/result.ts'

const payload = 'ab+/'.repeat(86)
const page = resultPage({ siteTitle: 'Meadow', applicationName: '<code>My app</code>', payload }).toString()

describe('resultPage', () => {
  test('holds the payload in its first code element, on one line that ends with a line break', () => {
    const at = page.indexOf('<code')
    const whole = `<code id="user-api-key-payload">${payload}\n</code>`
    assert.equal(page.slice(at, at + whole.length), whole)
  })

  test('has the button and the block that programs look for', () => {
    assert.match(page, /<div class="user-api-key-display">/)
    assert.match(page, /<button [^>]*id="copy-api-key-btn"[^>]*>Copy Key<\/button>/)
  })

  test('names the app', () => {
    assert.match(page, /“<bdi>&lt;code&gt;My app&lt;\/code&gt;<\/bdi>”/)
  })
})
