import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type ConsentModel, consentPage } from '../../src/pages/consent.ts'
import { elements, hiddenFields, textOf } from './markup.ts'
import { consentModel } from './samples.ts'

const show = (change: Partial<ConsentModel> = {}): string =>
  consentPage({ ...consentModel, ...change }).toString()

describe('consentPage', () => {
  test('names the app in its heading, and says who is signed in', () => {
    assert.match(show(), /<h1[^>]*><span class="app-name">“<bdi>Pocket Reader<\/bdi>”<\/span>/)
    assert.match(textOf(show()), /Signed in as ada Ada Lovelace/)
  })

  test('carries the classes that the protocol names', () => {
    const page = show({ writeWarning: true })
    const classes = elements(page).flatMap(({ attributes }) => attributes.class?.split(' ') ?? [])
    for (const block of [
      '',
      '__user',
      '__username',
      '__scopes',
      '__write-warning',
      '__expiry',
      '__redirect-url',
      '__buttons',
    ]) {
      assert.ok(classes.includes(`authorize-api-key${block}`), block)
    }
  })

  test('lists every scope in its own words', () => {
    const list = /<ul class="authorize-api-key__scopes[^>]*>([\s\S]*?)<\/ul>/.exec(show())?.[1] ?? ''
    assert.equal(textOf(`<body>${list}`), 'Read your notifications and mark them as read See who you are')
  })

  test('warns of writing only when there is a reason to', () => {
    assert.match(textOf(show({ writeWarning: true })), /able to post, edit and delete in your name/)
    assert.doesNotMatch(show(), /write-warning/)
  })

  test('says until when', () => {
    assert.match(textOf(show()), /Until 24 December 2026/)
    const endless = show({ expiresAt: null })
    assert.match(textOf(endless), /Until you take it back It does not end by itself/)
    assert.doesNotMatch(endless, /authorize-api-key__expiry/)
  })

  const destinations = [
    ['a host', {}, /Goes to reader\.example\.com/],
    [
      'an app on this computer',
      { redirectIsLoopback: true, redirectHost: '127.0.0.1:8787' },
      /Goes to an app on this computer at 127\.0\.0\.1:8787/,
    ],
    [
      'the app that opens links of a scheme, which shows no host',
      { redirectHost: null, parameters: { auth_redirect: 'discourse://auth_redirect' } },
      /Goes to an app on this device the one that opens discourse: links/,
    ],
    [
      'the app of a scheme, which is no website even with a host',
      { redirectHost: 'bank.example.com', parameters: { auth_redirect: 'evil://bank.example.com/' } },
      /Goes to an app on this device the one that opens evil: links at bank\.example\.com/,
    ],
    ['nowhere', { redirectHost: null, parameters: {} }, /Goes to you The next page shows a sealed key/],
  ] as const
  for (const [where, change, expected] of destinations) {
    test(`says where the key goes: ${where}`, () => assert.match(textOf(show(change)), expected))
  }

  test('shows the host of the redirect in bold', () => {
    assert.match(
      show(),
      /class="authorize-api-key__redirect-url">.*<strong><bdi>reader\.example\.com<\/bdi><\/strong>/,
    )
  })

  test('posts every parameter unchanged, without a script', () => {
    const sent = new Map(hiddenFields(show(), '/user-api-key'))
    assert.equal(sent.get('authenticity_token'), 'token-1')
    for (const [name, value] of Object.entries(consentModel.parameters)) assert.equal(sent.get(name), value)
    assert.equal(sent.size, Object.keys(consentModel.parameters).length + 1)
  })

  test('offers Authorize first and Cancel, which leads to the front page', () => {
    assert.match(textOf(show()), /Authorize Cancel/)
    assert.match(show(), /<a class="button" href="\/">Cancel<\/a>/)
  })

  test('says that an earlier key of the app will be replaced', () => {
    const before = { createdAt: Date.UTC(2026, 8, 5), lastUsedAt: null }
    assert.match(
      textOf(show({ alreadyHas: before })),
      /before, on 5 September 2026 \(last used: never\)\. .* stops working/,
    )
    assert.doesNotMatch(textOf(show()), /earlier key/)
  })

  test('offers another account only where there is a way to', () => {
    assert.doesNotMatch(show(), /Use another account/)
    assert.match(show({ switchUserAction: '/hallpass/switch' }), /action="\/hallpass\/switch"/)
  })
})
