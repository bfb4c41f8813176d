/** What every example application is for: an app gets a key of a customer’s, uses it, and loses it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { authorizeWithLoopback } from '../../src/client/node.ts'
import { approve } from '../approve.ts'
import { launchBrowser, openPage } from '../browser.ts'
import { startCommand } from '../running-command.ts'
import { freePort } from '../running-server.ts'

/** An example application that runs. */
export interface RunningShop {
  readonly baseUrl: string
  /** What `GET /invoices` answers to the customer’s app. */
  readonly invoices: unknown
  /** Fills in the sign-in page that is open, as the customer. */
  signIn(page: Page): Promise<void>
  stop(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** Runs the scenario against an application, in a real browser. */
export function describeShop(
  name: string,
  start: () => Promise<RunningShop>,
  options: { readonly skip?: string | false } = {},
): void {
  describe(name, { skip: options.skip ?? false }, () => {
    let shop: RunningShop
    let browser: Browser
    let page: Page
    let key: string

    before(async () => {
      ;[shop, browser] = await Promise.all([start(), launchBrowser()])
      page = await openPage(browser)
    })
    after(async () => {
      await Promise.all([browser?.close(), shop?.stop()])
    })

    /** A key that the customer approves; `meet` is what happens between the app’s link and the consent page. */
    const approvedKey = async (
      applicationName: string,
      scope: string,
      meet: () => Promise<void> = async () => {},
    ): Promise<string> => {
      const { key } = await authorizeWithLoopback({
        site: shop.baseUrl,
        applicationName,
        scopes: [scope],
        timeoutMs: 60_000,
        openBrowser: async (url) => {
          await page.goto(url)
          await meet()
          await page.getByRole('button', { name: 'Authorize' }).waitFor()
          const consent = await page.locator('body').innerText()
          assert.match(consent, new RegExp(applicationName))
          assert.match(consent, labels[scope] ?? /^$/)
          await approve(page)
        },
      })
      return key
    }

    const call = async (path: string, key?: string, item?: string): Promise<Answer> => {
      const headers = { ...(key && { 'user-api-key': key }), 'content-type': 'application/json' }
      const posted = item === undefined ? {} : { method: 'POST', body: JSON.stringify({ item }) }
      const answer = await fetch(`${shop.baseUrl}${path}`, { headers, ...posted })
      return { status: answer.status, body: (await answer.json()) as Answer['body'] }
    }

    test('a customer signs in at the shop, reads what an app wants, and approves', async () => {
      key = await approvedKey('Kite diary', 'shop:invoices_read', () => shop.signIn(page))
      await page.goto(shop.baseUrl)
      assert.match(await page.locator('body').innerText(), /Hello, [\s\S]*a kite/)
    })

    test('the app reads the invoices of that customer', async () => {
      assert.deepEqual(await call('/invoices', key), { status: 200, body: shop.invoices })
      assert.deepEqual(await call('/invoices/1', key), { status: 200, body: { id: 1, item: 'a kite' } })
      assert.equal((await call('/invoices/2', key)).status, 404)
    })

    test('the app may not order: that takes another scope, which the refusal names', async () => {
      const { status, body } = await call('/invoices', key, 'ten kites')
      assert.deepEqual([status, body.reason], [403, 'scope_insufficient'])
      assert.match(String(body.message), /shop:invoices_write/)
      assert.deepEqual((await call('/invoices', key)).body, shop.invoices)
    })

    test('once the customer has revoked its key, the app is refused', async () => {
      await page.goto(`${shop.baseUrl}/hallpass/apps`)
      await page.getByRole('button', { name: 'Revoke' }).click()
      await page.getByRole('button', { name: 'Undo' }).waitFor()
      const { status, body } = await call('/invoices', key)
      assert.deepEqual([status, body.reason], [403, 'user_api_key_revoked'])
    })

    test('an app with the other scope may order, and not read', async () => {
      const other = await approvedKey('Kite robot', 'shop:invoices_write')
      const { status, body } = await call('/invoices', other, 'a longer string')
      assert.deepEqual([status, body.item], [201, 'a longer string'])
      const refused = await call('/invoices', other)
      assert.deepEqual([refused.status, refused.body.reason], [403, 'scope_insufficient'])
      await page.goto(shop.baseUrl)
      assert.match(await page.locator('body').innerText(), /a longer string/)
    })

    test('nobody reads nobody’s invoices', async () => {
      assert.match(String((await call('/invoices')).status), /^40[13]$/)
    })
  })
}

/** Starts `examples/FOLDER/main.ts` as its README says. */
export async function startLibraryShop(folder: string): Promise<RunningShop> {
  const program = fileURLToPath(new URL(`../../examples/${folder}/main.ts`, import.meta.url))
  const port = await freePort()
  const env = { ...process.env, PORT: String(port) }
  const running = startCommand(process.execPath, ['--conditions=hallpass-source', program], env)
  const [, baseUrl = ''] = await running.printed(/open at (http\S+)/)
  return {
    baseUrl,
    invoices: { invoices: [{ id: 1, item: 'a kite' }] },
    async signIn(page) {
      await page.getByLabel('Customer').fill('zoe')
      await page.getByLabel('Password').fill('a guess')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByText('That is not right').waitFor()
      await page.getByLabel('Customer').fill('zoe')
      await page.getByLabel('Password').fill('up with the kites')
      await page.getByRole('button', { name: 'Sign in' }).click()
    },
    async stop() {
      running.stop()
      const { status, stderr } = await running.ended
      assert.equal(status, 0, stderr)
    },
  }
}

const labels: Readonly<Record<string, RegExp>> = {
  'shop:invoices_read': /See your invoices/,
  'shop:invoices_write': /Order in your name/,
}
