import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkMethodOverride } from '../../src/verify/method-override.ts'
import { createTestSite, siteUrl } from '../test-site.ts'

// What an attacker would gain: a key that may POST deletes, where the application obeys the header.
describe('checkMethodOverride', () => {
  const cases: readonly [
    what: string,
    headers: Record<string, string>,
    query: string,
    refused: string | undefined,
  ][] = [
    ['nothing', {}, '', undefined],
    ['the same method', { 'x-http-method-override': 'post' }, '_method=post', undefined],
    ['another in a header', { 'x-http-method-override': 'DELETE' }, '', 'X-HTTP-Method-Override'],
    ['the same and another', { 'x-method-override': 'POST, DELETE' }, '', 'X-Method-Override'],
    ['an empty one', { 'x-http-method': '' }, '', 'X-HTTP-Method'],
    [
      'another in a header with underscores',
      { X_HTTP_Method_Override: 'DELETE' },
      '',
      'X-HTTP-Method-Override',
    ],
    ['one underscore', { 'X-HTTP-Method_Override': 'DELETE' }, '', 'X-HTTP-Method-Override'],
    ['dots, which PHP makes underscores of', { 'x.http.method': 'DELETE' }, '', 'X-HTTP-Method'],
    ['the shortest of the headers', { 'x-method': 'DELETE' }, '', 'X-Method'],
    ['one spelling with the same, one with another', { 'x-method': 'POST', x_method: 'PUT' }, '', 'X-Method'],
    ['a header of another meaning', { 'x-payment-method': 'card' }, '', undefined],
    ['another in the address', {}, 'a=1&_method=put', '_method'],
    ['a space in front of the name', {}, '%20_method=DELETE', '_method'],
    ['a plus in front of the name', {}, '+_method=DELETE', '_method'],
    ['brackets around the name', {}, '[_method]=DELETE', '_method'],
    ['brackets around the name, encoded', {}, '%5B_method%5D=DELETE', '_method'],
    ['a list of the name', {}, '_method[]=DELETE', '_method'],
    ['a dot, which PHP makes an underscore of', {}, '.method=DELETE', '_method'],
    ['capital letters', {}, '_METHOD=DELETE', '_method'],
    ['a name behind a semicolon', {}, 'a=1;_method=DELETE', '_method'],
    ['a name encoded twice', {}, '%255fmethod=DELETE', '_method'],
    ['a word of the application’s', {}, 'method=card&payment_method=card&a=b;c', undefined],
    ['the same and another in the address', {}, '_method=POST&_method=PUT', '_method'],
  ]
  for (const [what, headers, query, refused] of cases) {
    test(`${refused ? 'refuses' : 'lets through'} ${what}`, () => {
      const refusal = checkMethodOverride('POST', new Headers(headers), new URLSearchParams(query))
      assert.equal(refusal?.details.field, refused)
    })
  }

  test('holds for requests to an application that asks authenticate, when they bring a key', async () => {
    const site = await createTestSite()
    const key = await site.approvedKey({ scopes: 'write' })
    const ask = (headers: Record<string, string>) =>
      site.hallpass.authenticate(
        new Request(`${siteUrl}/orders`, {
          method: 'POST',
          headers: { 'x-http-method-override': 'DELETE', ...headers },
        }),
      )
    const refused = await ask({ 'user-api-key': key })
    assert.equal(refused.outcome === 'refused' && refused.refusal.reason, 'method_override')
    assert.equal((await ask({})).outcome, 'anonymous')
    await site.close()
  })
})
