import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { signIn } from '../approve.ts'
import { keepScreenshot, launchBrowser, openPage } from '../browser.ts'
import { type CommandUser, newCommandUser } from '../running-command.ts'
import { type RunningServer, startServer } from '../running-server.ts'

const linkPattern = /http:\/\/\S+\/user-api-key\/activate\?request=\S+/
const codePattern = /^ {2}([A-Z0-9]{4}-[A-Z0-9]{4})$/m

describe('from nothing to a key, with a code', () => {
  let server: RunningServer
  let browser: Browser
  let page: Page
  let user: CommandUser

  before(async () => {
    ;[server, browser, user] = await Promise.all([startServer(), launchBrowser(), newCommandUser()])
    page = await openPage(browser)
  })
  after(async () => {
    await Promise.all([browser?.close(), server?.stop(), user?.leave()])
  })

  test('the link leads through sign-in to the request, and the code approves it', async () => {
    const login = user.start('login', server.baseUrl, '--device', '--name', 'My terminal')
    const [link] = await login.printed(linkPattern)
    const [, code = ''] = await login.printed(codePattern)

    await page.goto(link)
    await signIn(page, server)
    assert.equal(page.url(), link)
    assert.match(await page.locator('body').innerText(), /My terminal/)
    await page.getByText('Continue on another device').click()
    const drawn = await page.getByRole('img', { name: 'Address of this page, to scan' }).boundingBox()
    assert.ok(drawn && drawn.width >= 150 && Math.abs(drawn.width - drawn.height) < 1)
    await keepScreenshot(page, 'device-elsewhere')
    await page.getByLabel('Code').fill('AAAA-AAAA')
    await page.getByRole('button', { name: 'Authorize' }).click()
    await page.getByText('That is not the code').waitFor()
    await page.getByLabel('Code').fill(code.toLowerCase())
    await page.getByRole('button', { name: 'Authorize' }).click()
    await page.getByRole('heading', { name: 'The app has access now' }).waitFor()
    await keepScreenshot(page, 'device-done')

    const { status, stdout, stderr } = await login.ended
    assert.equal(status, 0, stderr)
    assert.match(stdout, new RegExp(`signed in to ${server.baseUrl} as ${server.adminUsername}`))
  })

  test('the code alone leads to the request, and the user may deny it', async () => {
    const login = user.start('login', server.baseUrl, '--device')
    const [, code = ''] = await login.printed(codePattern)
    await page.goto(`${server.baseUrl}/user-api-key/activate`)
    await page.getByLabel('Code').fill(code)
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('button', { name: 'Deny' }).click()
    await page.getByRole('heading', { name: 'You denied the request' }).waitFor()

    const { status, stderr } = await login.ended
    assert.equal(status, 1)
    assert.match(stderr, /was denied/)
  })
})
