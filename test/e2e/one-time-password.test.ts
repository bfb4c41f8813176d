import assert from 'node:assert/strict'
import { constants, generateKeyPairSync, privateDecrypt } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { signIn } from '../approve.ts'
import { keepScreenshot, launchBrowser, openPage } from '../browser.ts'
import { type RunningServer, startServer } from '../running-server.ts'

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }).toString()

describe('from an app to a signed-in browser, with a one-time password', () => {
  let server: RunningServer
  let app: { readonly address: string; readonly close: () => void }
  let browser: Browser
  let page: Page
  let password: string

  before(async () => {
    ;[server, browser, app] = await Promise.all([startServer(), launchBrowser(), startApp()])
    page = await openPage(browser, { javaScript: false })
  })
  after(async () => {
    await Promise.all([browser?.close(), server?.stop(), app?.close()])
  })

  test('the site tells the app that it gives one-time passwords', async () => {
    const asking = { user_api_public_key: publicKeyPem, auth_redirect: app.address }
    await page.goto(`${server.baseUrl}/latest?${new URLSearchParams(asking)}`)
    assert.equal(page.url(), `${app.address}?otp=true`)
  })

  test('the request leads through sign-in to the page, and the button to the app', async () => {
    const asking = {
      application_name: 'Pocket Reader',
      auth_redirect: app.address,
      public_key: publicKeyPem,
      padding: 'oaep',
    }
    await page.goto(`${server.baseUrl}/user-api-key/otp?${new URLSearchParams(asking)}`)
    await signIn(page, server)
    assert.match(await page.locator('h1').innerText(), /Pocket Reader.*asks to sign in to .* as you/s)
    await keepScreenshot(page, 'one-time-password')
    await page.getByRole('button', { name: 'Authorize' }).click()
    await page.waitForURL(`${app.address}?oneTimePassword=*`)
    const sealed = new URL(page.url()).searchParams.get('oneTimePassword') ?? ''
    const scheme = { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING }
    password = privateDecrypt(scheme, Buffer.from(sealed, 'base64')).toString()
    assert.match(password, /^[0-9a-f]{32}$/)
  })

  test('another browser is signed in once its visitor says yes, and never a second time', async () => {
    const other = await openPage(browser)
    const address = `${server.baseUrl}/session/otp/${password}`
    await other.goto(address)
    const text = await other.locator('main').innerText()
    assert.match(text, new RegExp(`You will be signed in as ${server.adminUsername}`))
    await keepScreenshot(other, 'one-time-sign-in')
    await other.getByRole('button', { name: 'Sign in' }).click()
    await other.waitForURL(`${server.baseUrl}/`)
    const current = await other.request.get(`${server.baseUrl}/session/current.json`)
    assert.equal((await current.json()).current_user.username, server.adminUsername)

    const third = await openPage(browser)
    await third.goto(address)
    await third.getByRole('heading', { name: 'This sign-in does not work' }).waitFor()
    assert.equal(await third.getByRole('button', { name: 'Sign in' }).count(), 0)
  })
})

/** What listens on the user's own machine. */
async function startApp(): Promise<{ address: string; close: () => void }> {
  const listening: Server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<title>app</title><p>thank you</p>')
  })
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  const address = listening.address()
  if (address === null || typeof address === 'string') throw new TypeError('the app does not listen')
  return { address: `http://127.0.0.1:${address.port}/callback`, close: () => listening.close() }
}
