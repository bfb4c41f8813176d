import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { errorPage } from '../../src/pages/error.ts'
import { errorDocsIndexPage, errorDocsPage } from '../../src/pages/error-docs.ts'
import { authorizationRefusedPage } from '../../src/pages/refused.ts'
import { type Reason, refusal, refusalCatalogue } from '../../src/protocol/errors.ts'
import { textOf } from './markup.ts'

const reasons = Object.keys(refusalCatalogue) as Reason[]
const docsUrl = 'https://meadow.example/hallpass/docs/errors/x'

describe('authorizationRefusedPage', () => {
  const example = 'https://meadow.example/user-api-key/new?nonce=1&scopes=read'
  const incomplete = refusal('parameters_missing', { missing: 'nonce', first: 'nonce', example })
  const page = authorizationRefusedPage({
    siteTitle: 'Meadow',
    state: 'generic_error',
    refusal: incomplete,
    docsUrl,
  }).toString()

  test('tells the visitor that nothing happened, in the element that clients know', () => {
    assert.match(page, /<p class="error-message">[\s\S]*?Nothing has happened/)
  })

  test('folds away what the developer needs: cause, remedy, reason and the docs', () => {
    const folded = /<details[\s\S]*<\/details>/.exec(page)?.[0] ?? ''
    assert.doesNotMatch(folded, /<details[^>]*open/)
    const text = textOf(`<body>${folded}`)
    assert.match(text, /Missing or blank: nonce\. How to mend it Send every one of them\./)
    assert.match(text, /Reason parameters_missing/)
    assert.ok(folded.includes(`href="${docsUrl}"`))
  })

  test('shows the example request in a block of its own that the keyboard can scroll', () => {
    assert.match(
      page,
      /looks like:\s*<pre class="example" tabindex="0"[^>]*><code>https:\/\/meadow\.example\/user-api-key\/new\?nonce=1&amp;scopes=read<\/code><\/pre>/,
    )
  })

  test('tells an account that may not approve so', () => {
    const level = authorizationRefusedPage({
      siteTitle: 'Meadow',
      state: 'no_trust_level',
      refusal: refusal('group_not_allowed'),
      docsUrl,
    }).toString()
    assert.match(textOf(level), /Your account cannot approve apps yet/)
    assert.match(level, /<p class="error-message">/)
  })
})

describe('errorPage', () => {
  for (const reason of reasons) {
    test(`says ${reason} in plain words, with the details folded`, () => {
      const { status, message, remedy } = refusalCatalogue[reason]
      const page = errorPage({
        siteTitle: 'Meadow',
        refusal: { reason, details: {}, status, errorType: undefined, message, remedy },
        docsUrl,
        traceId: 'r-1',
      }).toString()
      const plain = textOf(page.replace(/<details[\s\S]*<\/details>/, ''))
      assert.doesNotMatch(plain, /`|_|CSRF|header|parameter|NaN/)
      assert.match(page, new RegExp(`<code>${reason}</code>`))
      assert.match(page, /<code>r-1<\/code>/)
    })
  }

  test('offers to sign in where that is what is missing', () => {
    const page = errorPage({ siteTitle: 'Meadow', refusal: refusal('not_signed_in'), docsUrl }).toString()
    assert.match(page, /href="\/hallpass\/sign-in"/)
  })
})

describe('errorDocsPage', () => {
  for (const reason of reasons) {
    test(`shows ${reason} with the answer as it is sent`, () => {
      const page = errorDocsPage(reason).toString()
      assert.match(page, new RegExp(`<h1[^>]*><code>${reason}</code></h1>`))
      assert.match(page, new RegExp(`&quot;reason&quot;: &quot;${reason}&quot;`))
    })
  }
})

describe('errorDocsIndexPage', () => {
  test('links to every reason', () => {
    const page = errorDocsIndexPage().toString()
    for (const reason of reasons) assert.ok(page.includes(`href="/hallpass/docs/errors/${reason}"`), reason)
  })
})
