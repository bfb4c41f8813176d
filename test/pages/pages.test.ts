import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assetUrl } from '../../src/pages/assets.ts'
import { consentPage } from '../../src/pages/consent.ts'
import { html } from '../../src/pages/html.ts'
import { elements, headings, textOf, voidElements } from './markup.ts'
import { breakingName, consentModel, samples } from './samples.ts'

const pages = Object.entries(samples).map(([name, page]) => [name, page.toString()] as const)

describe('every page', () => {
  for (const [name, page] of pages) {
    test(`${name}: closes what it opens, in order`, () => {
      const open: string[] = []
      for (const { tag, closing } of elements(page)) {
        if (voidElements.has(tag) || tag === 'path' || tag === 'rect') continue
        if (closing) assert.equal(open.pop(), tag)
        else open.push(tag)
      }
      assert.deepEqual(open, [])
    })

    test(`${name}: has no inline script, inline style or handler, which its policy would refuse`, () => {
      for (const { tag, closing, attributes } of elements(page)) {
        assert.notEqual(tag, 'style')
        if (tag === 'script' && !closing) assert.match(attributes.src ?? '', /^\/hallpass\/assets\//)
        for (const attribute of Object.keys(attributes)) {
          assert.doesNotMatch(attribute, /^(style|on.*)$/, `${tag} carries ${attribute}`)
        }
      }
      assert.doesNotMatch(page, /javascript:|<script(?![^>]* src=)/)
    })

    test(`${name}: loads nothing from elsewhere`, () => {
      for (const { tag, attributes } of elements(page)) {
        const loaded = tag === 'link' ? attributes.href : tag === 'a' ? undefined : attributes.src
        if (loaded !== undefined) assert.match(loaded, /^\/(?!\/)/)
      }
      assert.ok(page.includes(`href="${assetUrl('hallpass.css')}"`))
    })

    test(`${name}: has one h1, skips no level of heading, and has a title, a language and a main part`, () => {
      const levels = headings(page)
      assert.equal(levels.filter((level) => level === 1).length, 1)
      assert.equal(levels[0], 1)
      for (const [index, level] of levels.entries()) assert.ok(level <= (levels[index - 1] ?? 0) + 1)
      assert.match(page, /<title>[^<]+ · [^<]+<\/title>/)
      assert.match(page, /^<!doctype html>\n<html lang="en">/)
      assert.equal(elements(page).filter(({ tag, closing }) => tag === 'main' && !closing).length, 1)
    })

    test(`${name}: names every field and button, and no id twice`, () => {
      const all = elements(page).filter(({ closing }) => !closing)
      const ids = all.flatMap(({ attributes }) => attributes.id ?? [])
      assert.equal(new Set(ids).size, ids.length)
      const labelled = all.flatMap(({ tag, attributes }) => (tag === 'label' ? (attributes.for ?? []) : []))
      for (const { tag, attributes } of all) {
        if (tag === 'input' && attributes.type !== 'hidden') assert.ok(labelled.includes(attributes.id ?? ''))
        if (tag === 'img') assert.notEqual(attributes.alt, undefined)
        assert.equal(attributes.tabindex === undefined || /^(0|-1)$/.test(attributes.tabindex), true)
        for (const name of ['aria-describedby', 'aria-labelledby'] as const) {
          if (attributes[name] !== undefined) assert.ok(ids.includes(attributes[name]), attributes[name])
        }
      }
      assert.doesNotMatch(page, /<button[^>]*>\s*<\/button>/)
    })

    test(`${name}: sends what changes something as a POST with the CSRF token`, () => {
      for (const form of page.match(/<form[\s\S]*?<\/form>/g) ?? []) {
        assert.match(form, /^<form [^>]*method="post" action="\/[^"]*"/)
        assert.match(form, /<input type="hidden" name="authenticity_token" value="token-1">/)
        assert.match(form, /<button [^>]*type="submit"/)
      }
    })

    test(`${name}: has nothing undefined in it`, () => {
      assert.doesNotMatch(textOf(page), /\bundefined\b|\bnull\b|\bNaN\b|\[object/)
    })
  }
})

describe('escaping', () => {
  // Whoever could put markup into a page could press Authorize in the user's place.
  test('keeps text from strangers text, wherever a page takes it', () => {
    const page = consentPage({
      ...consentModel,
      siteTitle: breakingName,
      applicationName: breakingName,
      user: { username: breakingName, name: breakingName, avatarUrl: breakingName },
      scopes: [{ name: breakingName, label: breakingName, description: breakingName }],
      redirectHost: breakingName,
      action: breakingName,
      csrfToken: breakingName,
      switchUserAction: breakingName,
      parameters: { [breakingName]: breakingName, client_id: breakingName, auth_redirect: breakingName },
    }).toString()
    const plain = consentPage({ ...consentModel, switchUserAction: '/x' }).toString()
    const count = (text: string, tag: string) =>
      elements(text).filter((element) => element.tag === tag).length
    for (const tag of ['script', 'style', 'meta', 'h1']) assert.equal(count(page, tag), count(plain, tag))
    assert.ok(!page.includes('<script>'))
  })

  test('does not take a promise for a value', () => {
    assert.throws(() => html`${Promise.resolve('late')}`, TypeError)
  })
})
