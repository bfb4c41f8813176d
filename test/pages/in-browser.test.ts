import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { assets } from '../../src/pages/assets.ts'
import { contentSecurityPolicy } from '../../src/pages/content-security-policy.ts'
import { launchBrowser, openPage } from '../browser.ts'
import { samples } from './samples.ts'

let browser: Browser
let origin = ''
const files = new Map(Object.values(assets).map((asset) => [asset.path, asset]))
const server = createServer((request, response) => {
  const asset = files.get(request.url ?? '')
  if (asset) return response.setHeader('content-type', asset.contentType).end(asset.body)
  return response
    .setHeader('content-type', 'text/html; charset=utf-8')
    .setHeader('content-security-policy', contentSecurityPolicy())
    .end(samples[request.url?.slice(1) ?? '']?.toString())
})

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address !== null && typeof address === 'object') origin = `http://127.0.0.1:${address.port}`
  browser = await launchBrowser()
})

after(async () => {
  await browser?.close()
  server.close()
})

async function open(name: string, options: { javaScript?: boolean } = {}): Promise<Page> {
  const page = await openPage(browser, options)
  await page.goto(`${origin}/${name}`)
  return page
}

/** What the Tab key visits, by the words on it. */
async function tabOrder(page: Page, steps: number): Promise<string[]> {
  const visited: string[] = []
  for (let step = 0; step < steps; step += 1) {
    await page.keyboard.press('Tab')
    visited.push(
      await page.evaluate(() => {
        const element = document.activeElement
        const outline = element ? getComputedStyle(element).outlineStyle : 'none'
        return `${outline === 'none' ? 'unmarked: ' : ''}${element?.textContent?.trim()}`
      }),
    )
  }
  return visited
}

describe('the pages in a browser', () => {
  test('the keyboard visits the consent page from top to bottom, and each stop is marked', async () => {
    const page = await open('consent-write')
    assert.deepEqual(await tabOrder(page, 6), [
      'Meadow',
      'Use another account',
      'Technical details',
      'Authorize',
      'Cancel',
      'your apps',
    ])
    await page.context().close()
  })

  test('the keyboard can skip to the apps, and reaches each app’s button', async () => {
    const page = await open('apps')
    assert.deepEqual(await tabOrder(page, 7), [
      'Skip to the content',
      'Meadow',
      'Sign out',
      'Revoke',
      'Revoke',
      'Revoke',
      'Undo',
    ])
    await page.context().close()
  })

  test('the first code element holds the payload, and the button copies it without white space', async () => {
    const page = await open('result')
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    const payload = await page.evaluate(() => document.getElementsByTagName('code')[0]?.textContent ?? '')
    assert.match(payload, /^[\w+/=]+\n$/)
    await page.click('#copy-api-key-btn')
    await page.waitForFunction(() => document.getElementById('copy-api-key-btn')?.textContent === 'Copied!')
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), payload.trim())
    await page.context().close()
  })

  test('without scripts the copy button is not offered, and the consent form is whole', async () => {
    const result = await open('result', { javaScript: false })
    assert.equal(await result.locator('#copy-api-key-btn').isVisible(), false)
    await result.context().close()
    const consent = await open('consent', { javaScript: false })
    const posted = consent.waitForRequest((request) => request.method() === 'POST')
    await consent.click('button:has-text("Authorize")', { noWaitAfter: true })
    const form = new URLSearchParams((await posted).postData() ?? '')
    assert.equal(form.get('client_id'), 'c0ffee')
    assert.equal(form.get('auth_redirect'), 'https://reader.example.com/callback?from=meadow')
    await consent.context().close()
  })

  test('times become relative only where they are meant to', async () => {
    const page = await open('apps')
    const texts = await page.locator('time').allTextContents()
    assert.match(texts[0] ?? '', /^\d+ \w+ \d{4}$/)
    assert.match(texts[1] ?? '', /ago|in \d|yesterday|tomorrow|just now/)
    await page.context().close()
  })

  for (const name of [
    'consent-endless',
    'apps-extreme',
    'result-endless',
    'refused-redirect',
    'docs-index',
  ]) {
    test(`${name} fits a screen of 320 pixels, also with its details unfolded`, async () => {
      const page = await open(name)
      await page.setViewportSize({ width: 320, height: 600 })
      for (const summary of await page.locator('summary').all()) await summary.click()
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320)
      await page.context().close()
    })
  }
})
