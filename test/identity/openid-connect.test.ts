import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createOpenIdConnect } from '../../src/identity/openid-connect.ts'
import type { RedirectingSignIn } from '../../src/identity/redirecting-sign-in.ts'
import { type OpenIdProvider, startOpenIdProvider } from './openid-provider.ts'

const callbackUrl = 'https://site.test/hallpass/sign-in/callback'
const claims = {
  zoe: {
    name: 'Zoë',
    preferred_username: 'zoe',
    email: 'zoe@site.test',
    email_verified: true,
    groups: ['staff'],
  },
  max: { email: 'max@site.test', email_verified: false, groups: ['guests'] },
}

let provider: OpenIdProvider
let signIn: RedirectingSignIn
before(async () => {
  provider = await startOpenIdProvider(callbackUrl, claims)
  const { issuer, clientId, clientSecret } = provider
  const adminClaim = { name: 'groups', value: 'staff' }
  signIn = createOpenIdConnect({ method: 'openid-connect', issuer, clientId, clientSecret, adminClaim })
})
after(() => provider.close())

describe('createOpenIdConnect', () => {
  test('signs somebody in, and tells what the ID token says of them', async () => {
    const { location, keep } = await signIn.begin({ callbackUrl, state: 'state-1' })
    const asked = new URL(location).searchParams
    assert.equal(asked.get('code_challenge_method'), 'S256')
    assert.equal(asked.get('state'), 'state-1')
    const back = await provider.visit(location, 'zoe')
    assert.equal(signIn.stateOf(back.searchParams), 'state-1')
    assert.deepEqual(await signIn.finish(back, { state: 'state-1', keep }), {
      provider: `openid-connect ${provider.issuer}`,
      subject: 'zoe',
      username: 'zoe',
      name: 'Zoë',
      email: 'zoe@site.test',
      admin: true,
    })
  })

  test('takes no address that the provider has not verified', async () => {
    const { location, keep } = await signIn.begin({ callbackUrl, state: 's' })
    const profile = await signIn.finish(await provider.visit(location, 'max'), { state: 's', keep })
    assert.deepEqual([profile.subject, profile.email, profile.admin], ['max', undefined, false])
  })

  test('refuses somebody whose id is longer than OpenID Connect allows', async () => {
    const { location, keep } = await signIn.begin({ callbackUrl, state: 's' })
    const back = await provider.visit(location, 'x'.repeat(256))
    await assert.rejects(signIn.finish(back, { state: 's', keep }), {
      name: 'SignInFailed',
      message: /more than 255/,
    })
  })

  test('fails when they decline, and for an answer to another question', async () => {
    const { location, keep } = await signIn.begin({ callbackUrl, state: 's' })
    const declined = await provider.decline(location)
    await assert.rejects(signIn.finish(declined, { state: 's', keep }), /you, or it, declined/)
    const back = await provider.visit((await signIn.begin({ callbackUrl, state: 's' })).location, 'zoe')
    await assert.rejects(signIn.finish(back, { state: 's', keep }), /could not be trusted/)
    const other = new URL(back)
    other.searchParams.set('state', 'another')
    await assert.rejects(signIn.finish(other, { state: 's', keep }), /could not be trusted/)
  })

  test('a provider that is down makes it unavailable, and is asked again', async () => {
    const gone = await startOpenIdProvider(callbackUrl, {})
    await gone.close()
    const options = { method: 'openid-connect', issuer: gone.issuer, clientId: 'hallpass' } as const
    const unreachable = createOpenIdConnect(options)
    for (let time = 0; time < 2; time += 1) {
      await assert.rejects(unreachable.begin({ callbackUrl, state: 's' }), { name: 'SignInUnavailable' })
    }
  })

  for (const issuer of ['http://id.example.com', 'id.example.com', 'javascript:alert(1)']) {
    test(`refuses the issuer ${issuer}`, () => {
      assert.throws(() => createOpenIdConnect({ method: 'openid-connect', issuer, clientId: 'x' }), TypeError)
    })
  }
})
