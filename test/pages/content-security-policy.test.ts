import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { contentSecurityPolicy } from '../../src/pages/content-security-policy.ts'

const formAction = (target?: string): string | undefined =>
  contentSecurityPolicy(target === undefined ? {} : { formAction: target })
    .split('; ')
    .find((directive) => directive.startsWith('form-action'))

describe('contentSecurityPolicy', () => {
  test('permits nothing inline and nothing from elsewhere', () => {
    const policy = contentSecurityPolicy()
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; /)
    assert.doesNotMatch(policy, /unsafe|\*|http/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.match(policy, /base-uri 'none'/)
  })

  const targets = [
    [undefined, "form-action 'self'"],
    ['', "form-action 'self'"],
    ['discourse://auth_redirect', "form-action 'self' discourse:"],
    ['web+nextclouddiscourse://auth-redirect', "form-action 'self' web+nextclouddiscourse:"],
    ['https://app.example.com/callback', undefined],
    ['HTTP://[::1]:8080/', undefined],
    ['x; script-src *://evil', "form-action 'self'"],
    ["evil:; script-src 'unsafe-inline'", "form-action 'self' evil:"],
  ] as const
  for (const [target, expected] of targets) {
    test(`lets a form lead to ${target ?? 'this site'} with ${expected ?? 'no form-action'}`, () => {
      assert.equal(formAction(target), expected)
      if (target !== undefined)
        assert.doesNotMatch(contentSecurityPolicy({ formAction: target }), /evil\b(?!:$|:;)|unsafe/)
    })
  }
})
