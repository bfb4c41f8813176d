/**
 * Takes a picture of every page, with ordinary and with extreme models, in a real browser:
 * `node --conditions=hallpass-source tools/screenshots.ts [--only=WORD] [FOLDER]`, by default into
 * ./artefacts/screenshots. 360 and 1200 pixels wide, light and dark; details unfolded in the pictures named `-open`.
 *
 * Exits with 1 when a page reports something on the browser's console or is wider than the screen.
 */
import { mkdirSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { assets } from '../src/pages/assets.ts'
import { contentSecurityPolicy } from '../src/pages/content-security-policy.ts'
import { launchBrowser } from '../test/browser.ts'
import { samples } from '../test/pages/samples.ts'

const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice(7) ?? ''
const folder = process.argv.slice(2).find((argument) => !argument.startsWith('--')) ?? 'artefacts/screenshots'
const names = Object.keys(samples).filter((name) => name.includes(only))
mkdirSync(folder, { recursive: true })

const server = await serve()
const browser = await launchBrowser()
const problems: string[] = []
for (const width of [360, 1200]) {
  for (const scheme of ['light', 'dark'] as const) {
    problems.push(...(await takePictures(browser, width, scheme)))
  }
}
await browser.close()
server.close()
for (const problem of problems) console.error(problem)
console.log(`${names.length} pages in ${folder}`)
if (problems.length > 0) process.exitCode = 1

async function takePictures(browser: Browser, width: number, scheme: 'light' | 'dark'): Promise<string[]> {
  const context = await browser.newContext({
    viewport: { width, height: width === 360 ? 740 : 800 },
    colorScheme: scheme,
    deviceScaleFactor: width === 360 ? 2 : 1,
    timezoneId: 'UTC',
  })
  const page = await context.newPage()
  await page.clock.setFixedTime(new Date('2026-11-24T09:30:00Z'))
  const problems: string[] = []
  let name = ''
  page.on('console', (message) => problems.push(`${name}: ${message.text()}`))
  page.on('pageerror', (error) => problems.push(`${name}: ${error.message}`))
  for (name of names) {
    await page.goto(`${origin(server)}/${name}`)
    await page.screenshot({ path: picture(name, width, scheme), fullPage: true })
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    if (overflow > 0) problems.push(`${name}: ${overflow}px wider than a screen of ${width}px`)
    const folded = page.locator('details')
    if ((await folded.count()) === 0) continue
    for (const details of await folded.all()) await details.locator('summary').click()
    await page.screenshot({ path: picture(`${name}-open`, width, scheme), fullPage: true })
  }
  await context.close()
  return problems
}

function picture(name: string, width: number, scheme: string): string {
  return join(folder, `${name}-${width}-${scheme}.png`)
}

/** The pages and their assets, with the headers that they have in earnest. */
async function serve(): Promise<Server> {
  const files = new Map(Object.values(assets).map((asset) => [asset.path, asset]))
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    const asset = files.get(path)
    if (asset) {
      response.writeHead(200, { 'content-type': asset.contentType }).end(asset.body)
      return
    }
    const page = samples[path.slice(1)]
    response
      .writeHead(page ? 200 : 404, {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': contentSecurityPolicy(),
      })
      .end(page?.toString())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

function origin(server: Server): string {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('the server does not listen')
  return `http://127.0.0.1:${address.port}`
}
