import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, test } from 'node:test'
import { createDiscourseConnect } from '../../src/identity/discourse-connect.ts'

const secret = 'a secret of two sites'
const callbackUrl = 'https://site.test/hallpass/sign-in/callback'
const options = {
  method: 'discourse-connect',
  url: 'https://forum.test/session/sso_provider?x=1',
  secret,
} as const

/** What the provider sends the browser back with; computed apart from the code that is tested. */
function answer(values: Record<string, string>, signedWith: string = secret): URL {
  const sso = Buffer.from(new URLSearchParams(values).toString()).toString('base64')
  const sig = createHmac('sha256', signedWith).update(sso).digest('hex')
  return new URL(`${callbackUrl}?${new URLSearchParams({ sso, sig })}`)
}

describe('createDiscourseConnect', () => {
  test('asks with a signed nonce and the address to come back to', async () => {
    const { location } = await createDiscourseConnect(options).begin({ callbackUrl, state: 'nonce-1' })
    const asked = new URL(location)
    assert.equal(asked.origin + asked.pathname, 'https://forum.test/session/sso_provider')
    const sso = asked.searchParams.get('sso') ?? ''
    assert.equal(asked.searchParams.get('sig'), createHmac('sha256', secret).update(sso).digest('hex'))
    assert.deepEqual(Object.fromEntries(new URLSearchParams(Buffer.from(sso, 'base64').toString())), {
      nonce: 'nonce-1',
      return_sso_url: callbackUrl,
    })
    assert.equal(asked.searchParams.get('x'), '1')
  })

  const zoe = {
    nonce: 'n',
    external_id: '7',
    username: 'zoe',
    name: 'Zoë',
    email: 'zoe@site.test',
    admin: 'true',
  }

  test('tells who it is, and believes in staff only where the site does', async () => {
    const profile = {
      provider: `discourse-connect ${options.url}`,
      subject: '7',
      username: 'zoe',
      name: 'Zoë',
    }
    const sent = { state: 'n', keep: {} }
    assert.deepEqual(await createDiscourseConnect(options).finish(answer(zoe), sent), {
      ...profile,
      email: 'zoe@site.test',
    })
    const trusting = createDiscourseConnect({ ...options, staff: true })
    assert.deepEqual(await trusting.finish(answer({ ...zoe, require_activation: 'true' }), sent), {
      ...profile,
      email: undefined,
      admin: true,
      moderator: false,
    })
  })

  test('an id of 255 characters is kept whole, and what else is longer is left out', async () => {
    const long = { ...zoe, external_id: 'ü'.repeat(255), name: 'z'.repeat(256), email: 'e'.repeat(256) }
    const profile = await createDiscourseConnect(options).finish(answer(long), { state: 'n', keep: {} })
    assert.equal(profile.subject, 'ü'.repeat(255))
    assert.deepEqual([profile.username, profile.name, profile.email], ['zoe', undefined, undefined])
  })

  const refused: readonly [what: string, url: URL, pattern: RegExp][] = [
    ['another secret', answer(zoe, 'another secret'), /could not be trusted/],
    ['another nonce', answer({ ...zoe, nonce: 'other' }), /could not be trusted/],
    [
      'no signature',
      new URL(`${callbackUrl}?sso=${answer(zoe).searchParams.get('sso')}`),
      /could not be trusted/,
    ],
    ['nothing', new URL(callbackUrl), /could not be trusted/],
    ['nobody', answer({ nonce: 'n' }), /names nobody/],
    ['an id too long to be kept', answer({ ...zoe, external_id: 'x'.repeat(256) }), /more than 255/],
    ['failure', answer({ nonce: 'n', failed: 'true' }), /declined/],
  ]
  for (const [what, url, pattern] of refused) {
    test(`an answer with ${what} signs nobody in`, async () => {
      await assert.rejects(createDiscourseConnect(options).finish(url, { state: 'n', keep: {} }), pattern)
    })
  }

  test('the state is told only when the signature fits', () => {
    const signIn = createDiscourseConnect(options)
    assert.equal(signIn.stateOf(answer(zoe).searchParams), 'n')
    assert.equal(signIn.stateOf(answer(zoe, 'another secret').searchParams), undefined)
  })

  test('refuses a short secret and what is no address', () => {
    assert.throws(() => createDiscourseConnect({ ...options, secret: 'short' }), TypeError)
    assert.throws(() => createDiscourseConnect({ ...options, url: 'forum' }), TypeError)
  })
})
