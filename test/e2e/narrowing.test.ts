/** A key for some values of a scope only, from the command line through a real browser to the route that it guards. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { approve, openConsent } from '../approve.ts'
import { keepScreenshot, launchBrowser, openPage } from '../browser.ts'
import { ordersScope } from '../narrowed-shop.ts'
import { type CommandUser, newCommandUser } from '../running-command.ts'
import { type RunningServer, startServer } from '../running-server.ts'

const addressPattern = /http:\/\/\S+\/user-api-key\/new\?\S+/

describe('a narrowed key, with the command and a browser', () => {
  let server: RunningServer
  let browser: Browser
  let page: Page
  let user: CommandUser
  let folder: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hallpass-narrowing-'))
    const config = join(folder, 'hallpass.config.json')
    const scope = { ...ordersScope, routes: ordersScope.routes.slice(0, 1) }
    const settings = { allow_user_api_key_scopes: ['session_info', 'bookmarks_calendar', 'shop:orders'] }
    await writeFile(config, JSON.stringify({ scopes: [scope], settings }))
    ;[server, browser, user] = await Promise.all([
      startServer({ flags: ['--config', config] }),
      launchBrowser(),
      newCommandUser(),
    ])
    page = await openPage(browser)
  })
  after(async () => {
    await Promise.all([browser?.close(), server?.stop(), user?.leave()])
    await rm(folder, { recursive: true, force: true })
  })

  test('the user reads what it is narrowed to, and the key reaches that and nothing else', async () => {
    const own = server.adminUsername
    const scopes = `session_info,shop:orders(customer_id=12|13),bookmarks_calendar(username=${own})`
    const login = user.start('login', server.baseUrl, '--scopes', scopes, '--no-browser')
    const [address] = await login.printed(addressPattern)
    await openConsent(page, address, server)
    const list = await page.locator('.authorize-api-key__scopes').innerText()
    assert.match(list, /See your orders\s*·?\s*only customer_id 12 or 13/)
    await keepScreenshot(page, 'narrowing-consent')
    await page.getByText('Technical details').click()
    assert.match(await page.locator('details.developer').innerText(), /only customer_id 12 or 13/)
    await approve(page)
    const { status, stdout, stderr } = await login.ended
    assert.equal(status, 0, stderr)
    assert.match(
      stdout,
      /shop:orders \(only customer_id 12 or 13\), bookmarks_calendar \(only username admin\)/,
    )

    assert.equal((await user.run('call', 'GET', `/u/${own}/bookmarks.ics`)).status, 0)
    const other = await user.run('call', 'GET', '/u/somebody/bookmarks.ics')
    assert.equal(other.status, 1)
    assert.match(other.stderr, /bookmarks_calendar \(only username admin\)/)
    assert.match(other.stderr, /narrowed to by `username`/)
    // What would do is the whole of that scope; what else is narrowed stays so.
    assert.match(
      other.stderr,
      /login \S+ --scopes session_info,shop:orders,bookmarks_calendar --scope-parameters '\{"shop:orders":\{"customer_id":\["12","13"\]\}\}'/,
    )
    const orders = await user.run('call', 'GET', '/orders?customer_id=12&customer_id=14')
    assert.match(orders.stderr, /narrowed to by `customer_id`/)

    await page.goto(`${server.baseUrl}/hallpass/apps`)
    assert.match(await page.locator('.app').first().innerText(), /only customer_id 12 or 13/)
    await page.setViewportSize({ width: 360, height: 740 })
    await keepScreenshot(page, 'narrowing-apps-phone')
  })

  test('on a device the same is read where the code is typed', async () => {
    const scopes = 'session_info,shop:orders(customer_id=12)'
    const login = user.start('login', server.baseUrl, '--device', '--scopes', scopes)
    const [, code = ''] = await login.printed(/^ {2}([A-Z0-9]{4}-[A-Z0-9]{4})$/m)
    await page.goto(`${server.baseUrl}/user-api-key/activate`)
    await page.getByLabel('Code').fill(code)
    await page.getByRole('button', { name: 'Continue' }).click()
    assert.match(await page.locator('.authorize-api-key__scopes').innerText(), /only customer_id 12/)
    await keepScreenshot(page, 'narrowing-device')
    await page.getByRole('button', { name: 'Authorize' }).click()
    const { status, stdout, stderr } = await login.ended
    assert.equal(status, 0, stderr)
    assert.match(stdout, /shop:orders \(only customer_id 12\)/)
  })

  test('what cannot be narrowed is refused before any browser opens', async () => {
    const refused = await user.run('login', server.baseUrl, '--scopes', 'session_info(username=admin)')
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /reason: scope_parameter_not_restrictable/)
  })
})
