import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assets, assetUrl } from '../../src/pages/assets.ts'

const css = assets['hallpass.css'].body

describe('assets', () => {
  test('have addresses that change with their content', () => {
    for (const { path } of Object.values(assets))
      assert.match(path, /^\/hallpass\/assets\/[a-z]+\.[0-9a-f]{16}\.(css|js|svg)$/)
    assert.equal(assetUrl('copy.js'), assets['copy.js'].path)
  })

  test('load nothing from elsewhere', () => {
    for (const { body } of Object.values(assets))
      assert.doesNotMatch(body.replace('http://www.w3.org/2000/svg', ''), /https?:|url\(|@import|eval/)
  })
})

describe('the colours', () => {
  const [light = '', dark = ''] = css.split('@media (prefers-color-scheme: dark)')
  const pairs = [
    ['ink', 'paper', 4.5],
    ['ink', 'card', 4.5],
    ['ink', 'sunken', 4.5],
    ['ink', 'chip', 4.5],
    ['quiet', 'paper', 4.5],
    ['quiet', 'card', 4.5],
    ['quiet', 'sunken', 4.5],
    ['quiet', 'chip', 4.5],
    ['accent', 'paper', 4.5],
    ['accent', 'card', 4.5],
    ['accent', 'sunken', 4.5],
    ['accent', 'accent-tint', 4.5],
    ['on-accent', 'accent', 4.5],
    ['on-accent', 'accent-hover', 4.5],
    ['warn-ink', 'warn-tint', 4.5],
    ['danger', 'danger-tint', 4.5],
    ['danger', 'card', 4.5],
    ['edge', 'card', 3],
    ['edge', 'paper', 3],
  ] as const
  for (const [scheme, text] of [
    ['light', light],
    ['dark', dark],
  ] as const) {
    for (const [front, back, least] of pairs) {
      test(`${scheme}: ${front} on ${back} has a contrast of ${least} or more (WCAG 2.2, 1.4.3 and 1.4.11)`, () => {
        const ratio = contrast(colour(text, front), colour(text, back))
        assert.ok(ratio >= least, ratio.toFixed(2))
      })
    }
  }
})

function colour(text: string, name: string): string {
  return new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(text)?.[1] ?? assert.fail(`no colour ${name}`)
}

function contrast(one: string, other: string): number {
  const [high = 0, low = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return (high + 0.05) / (low + 0.05)
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
