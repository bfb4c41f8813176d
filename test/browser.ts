/** A real Chromium for tests, from an npm package, kept off the network. */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import chromiumPackage from '@sparticuz/chromium'
import { type Browser, chromium, type Page } from 'playwright-core'

const root = fileURLToPath(new URL('..', import.meta.url))
const artefacts = join(root, 'artefacts')

/** Longest that anything on a page may take, in milliseconds. */
const pageTimeoutMs = 15_000

/**
 * Starts Chromium. One is enough for a test file: open a `browser.newContext()` for each visitor, and close the browser
 * in `after`. It asks nothing of any host but those that a test visits.
 */
export async function launchBrowser(): Promise<Browser> {
  const folder = await unpackedChromium()
  return chromium.launch({
    executablePath: join(folder, 'chromium'),
    args: [
      '--headless=shell',
      '--no-sandbox',
      '--no-zygote',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-domain-reliability',
      '--disable-sync',
      '--disable-gpu',
      '--no-first-run',
      '--no-pings',
    ],
    env: { ...process.env, FONTCONFIG_FILE: join(folder, fontsFile) },
  })
}

/** A page of a new visitor, without cookies. `javaScript` is on by default; viewport 1280 × 800. */
export async function openPage(
  browser: Browser,
  options: { readonly javaScript?: boolean } = {},
): Promise<Page> {
  const context = await browser.newContext({
    javaScriptEnabled: options.javaScript ?? true,
    viewport: { width: 1280, height: 800 },
  })
  context.setDefaultTimeout(pageTimeoutMs)
  return context.newPage()
}

/** Keeps a picture of the whole page as artefacts/NAME.png, for people to look at. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(artefacts, `${name}.png`), fullPage: true })
}

/**
 * The folder with the unpacked browser. Unpacked once for an installation, beside the packages; into a folder of its own
 * first, because several test files begin at once and none may see a half-written program.
 */
async function unpackedChromium(): Promise<string> {
  const finished = join(root, 'node_modules/.cache/chromium-for-tests')
  if (existsSync(join(finished, fontsFile))) return finished
  await mkdir(dirname(finished), { recursive: true })
  const fresh = await mkdtemp(`${finished}-`)
  // The package unpacks to the temporary folder of the process, and offers no other way to say where.
  const before = process.env.TMPDIR
  process.env.TMPDIR = fresh
  try {
    await chromiumPackage.executablePath()
  } finally {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  }
  await writeFile(join(fresh, fontsFile), fontsConfiguration(finished))
  try {
    await rename(fresh, finished)
  } catch (error) {
    await rm(fresh, { recursive: true, force: true })
    // Another test file was faster.
    if (!existsSync(join(finished, fontsFile))) throw error
  }
  return finished
}

/** Written last, so that a folder that has it is whole. */
const fontsFile = 'hallpass-fonts.conf'

/** The package's own file names folders of the place that it was made for; where none is there, no page can be shown. */
function fontsConfiguration(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(folder, 'fonts', 'fonts')}</dir>
  <cachedir>${join(folder, 'fonts-cache')}</cachedir>
</fontconfig>
`
}
