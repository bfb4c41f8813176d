/** What a user does in the browser: signs in, reads the consent page, approves. */
import type { Page } from 'playwright-core'
import type { RunningServer } from './running-server.ts'

/** Who signs in. */
export type Account = Pick<RunningServer, 'adminUsername' | 'adminPassword'>

/** Opens the address that an app printed, signs in if the site asks for it, and stops at the consent page. */
export async function openConsent(page: Page, address: string, account: Account): Promise<void> {
  await page.goto(address)
  if (new URL(page.url()).pathname === '/login') await signIn(page, account)
  await page.getByRole('button', { name: 'Authorize' }).waitFor()
}

/** Fills in the sign-in page that is open, and sends it. */
export async function signIn(page: Page, account: Account): Promise<void> {
  await page.getByLabel('Username').fill(account.adminUsername)
  await page.getByLabel('Password').fill(account.adminPassword)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL((url) => url.pathname !== '/login')
}

/** Approves on the consent page that is open. */
export async function approve(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Authorize' }).click()
}

/** The payload on the page after approval, as somebody copies it: one line of Base64. */
export async function copyPayload(page: Page): Promise<string> {
  const shown = await page.locator('#user-api-key-payload').textContent()
  return (shown ?? '').trim()
}
