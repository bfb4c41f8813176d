import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { approve, openConsent, signIn } from '../approve.ts'
import { keepScreenshot, launchBrowser, openPage } from '../browser.ts'
import { type CommandUser, newCommandUser } from '../running-command.ts'
import { type RunningServer, startServer } from '../running-server.ts'

const addressPattern = /http:\/\/\S+\/user-api-key\/new\?\S+/

describe('from nothing to a key, with the command and a browser', () => {
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

  test('login prints an address, the user approves there, and the terminal says who they are', async () => {
    const login = user.start(
      'login',
      server.baseUrl,
      '--scopes',
      'read,write',
      '--name',
      'My app',
      '--no-browser',
    )
    const [address] = await login.printed(addressPattern)

    await page.goto(address)
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    assert.match(await page.locator('body').innerText(), /My app/)
    await keepScreenshot(page, 'first-key-1-sign-in')

    await openConsent(page, address, server)
    const consent = await page.locator('body').innerText()
    assert.match(consent, /My app/)
    assert.match(consent, new RegExp(server.adminUsername))
    assert.match(consent, /post, edit and delete/)
    await keepScreenshot(page, 'first-key-2-consent')
    // The picture in the README, docs/images/consent.png, is a copy of this one.
    await page.setViewportSize({ width: 600, height: 800 })
    await keepScreenshot(page, 'consent')
    await page.setViewportSize({ width: 1280, height: 800 })

    await approve(page)
    const { status, stdout, stderr } = await login.ended
    assert.equal(status, 0, stderr)
    assert.match(stdout, new RegExp(`signed in to ${server.baseUrl} as ${server.adminUsername}`))
    await page.waitForURL(/127\.0\.0\.1|\[::1\]/)
    await page.locator('h1').waitFor()
    await keepScreenshot(page, 'first-key-3-back-at-the-app')
  })

  test('call posts a topic, which the forum shows with the name of the app', async () => {
    const posted = await user.run(
      'call',
      'POST',
      '/posts.json',
      'title=Hello from an app of mine',
      'raw=These words were written with a user API key.',
    )
    assert.equal(posted.status, 0, posted.stderr)
    const post = JSON.parse(posted.stdout) as { topic_id: number; username: string }
    assert.equal(post.username, server.adminUsername)

    await page.goto(`${server.baseUrl}/t/${post.topic_id}`)
    const topic = await page.locator('body').innerText()
    assert.match(topic, /Hello from an app of mine/)
    assert.match(topic, /These words were written with a user API key\./)
    assert.match(topic, /via\s+“My app”/)
    await keepScreenshot(page, 'first-key-4-topic')
  })

  test('call reads notifications, and who the key belongs to', async () => {
    const notifications = await user.run('call', 'GET', '/notifications.json')
    assert.equal(notifications.status, 0, notifications.stderr)
    assert.ok(Array.isArray((JSON.parse(notifications.stdout) as { notifications: unknown }).notifications))

    const session = await user.run('call', 'GET', '/session/current.json')
    assert.equal(session.status, 0, session.stderr)
    const { current_user: current } = JSON.parse(session.stdout) as { current_user: { username: string } }
    assert.equal(current.username, server.adminUsername)
  })

  test('a key revoked on the apps page is refused at once, and works again once that is undone', async () => {
    await page.goto(`${server.baseUrl}/hallpass/apps`)
    assert.match(await page.locator('body').innerText(), /My app/)
    await keepScreenshot(page, 'first-key-5-apps')
    await page.getByRole('button', { name: 'Revoke' }).click()
    await page.getByRole('button', { name: 'Undo' }).waitFor()
    await keepScreenshot(page, 'first-key-6-revoked')

    const refused = await user.run('call', 'GET', '/session/current.json')
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /reason: user_api_key_revoked/)
    assert.match(refused.stderr, /fix: /)

    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByRole('button', { name: 'Revoke' }).waitFor()
    const allowed = await user.run('call', 'GET', '/session/current.json')
    assert.equal(allowed.status, 0, allowed.stderr)
  })

  test('logout revokes the key, and the next call is refused for that', async () => {
    const { stdout, status } = await user.run('logout')
    assert.equal(status, 0)
    assert.match(stdout, /revoked/)

    const refused = await user.run('call', 'GET', '/session/current.json')
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /revoked/)
    assert.match(refused.stderr, /fix: /)

    await page.goto(`${server.baseUrl}/hallpass/apps`)
    await page.getByRole('button', { name: 'Undo' }).waitFor()
  })
})

describe('approval in a browser that runs no scripts', () => {
  let server: RunningServer
  let browser: Browser
  let user: CommandUser

  before(async () => {
    ;[server, browser, user] = await Promise.all([startServer(), launchBrowser(), newCommandUser()])
  })
  after(async () => {
    await Promise.all([browser?.close(), server?.stop(), user?.leave()])
  })

  test('brings the key to the terminal all the same', async () => {
    const page = await openPage(browser, { javaScript: false })
    const login = user.start('login', server.baseUrl, '--name', 'Plain app', '--no-browser')
    const [address] = await login.printed(addressPattern)
    await openConsent(page, address, server)
    await keepScreenshot(page, 'without-scripts-consent')
    await approve(page)
    const { status, stdout, stderr } = await login.ended
    assert.equal(status, 0, stderr)
    assert.match(stdout, new RegExp(`as ${server.adminUsername}`))
  })

  test('lets the user revoke the key, and undo it', async () => {
    const page = await openPage(browser, { javaScript: false })
    await page.goto(`${server.baseUrl}/login?redirect=%2Fhallpass%2Fapps`)
    await signIn(page, server)
    await page.getByRole('button', { name: 'Revoke' }).click()
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByRole('button', { name: 'Revoke' }).waitFor()
  })
})
