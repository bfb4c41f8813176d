import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { approve, openConsent } from '../approve.ts'
import { launchBrowser, openPage } from '../browser.ts'
import { startCommand } from '../running-command.ts'
import { type RunningServer, startServer } from '../running-server.ts'

const program = fileURLToPath(new URL('../../examples/client/post.ts', import.meta.url))

describe('examples/client', () => {
  let server: RunningServer
  let browser: Browser
  before(async () => {
    server = await startServer()
    browser = await launchBrowser()
  })
  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  test('gets a key through a browser, greets, posts, and gives the key back', async () => {
    const options = ['--conditions=hallpass-source', program, server.baseUrl]
    const running = startCommand(process.execPath, options, process.env)
    const [, address = ''] = await running.printed(/open (http\S+)/)
    const page = await openPage(browser)
    await openConsent(page, address, server)
    await approve(page)
    const { status, stdout, stderr } = await running.ended
    assert.equal(status, 0, stderr)
    assert.match(stdout, /hello, admin/)

    const latest = (await (await fetch(`${server.baseUrl}/latest.json`)).json()) as {
      topic_list: { topics: { title: string }[] }
    }
    assert.ok(latest.topic_list.topics.some(({ title }) => title === 'Hello from ten lines'))
    await page.goto(`${server.baseUrl}/hallpass/apps`)
    await page.getByText('Ten lines').waitFor()
    await page.getByRole('button', { name: 'Undo' }).waitFor()
  })
})
