/** Packs the package as it would be published, looks at the tarball with publint and attw, and uses what is in it. */
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const {
  version,
  dependencies,
  exports: entries,
} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string
  dependencies: Record<string, string>
  exports: Record<string, string | object>
}
const entryNames = Object.entries(entries).flatMap(([path, target]) =>
  typeof target === 'object' ? [join('hallpass', path)] : [],
)
const folder = mkdtempSync(join(tmpdir(), 'hallpass-package-'))

try {
  run('node', ['tools/build.ts'])
  // The scripts would build it again; npm prints the tarball’s name last.
  const packed = run('npm', ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder])
  const tarball = join(folder, packed.trim().split('\n').at(-1) ?? '')
  run('publint', ['run', tarball, '--strict'])
  // The package is for Node 24 and browsers: ES modules, found through `exports`.
  run('attw', [tarball, '--profile', 'esm-only', '--no-color', '--no-emoji'])
  install(tarball, folder)
  for (const name of entryNames) {
    run('node', ['--input-type=module', '--eval', `await import('${name}')`], folder)
  }
  const answer = run('node', ['node_modules/hallpass/bin/hallpass.js', '--version'], folder)
  if (answer.trim() !== version)
    fail(`the installed hallpass --version says ${answer.trim()}, not ${version}`)
  await tryServer(folder)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Puts the tarball where npm would, with the dependencies that are installed here: no registry is asked. */
function install(tarball: string, folder: string): void {
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, 'hallpass'), { recursive: true })
  run('tar', ['-xzf', tarball, '-C', join(modules, 'hallpass'), '--strip-components=1'])
  for (const dependency of Object.keys(dependencies)) {
    mkdirSync(dirname(join(modules, dependency)), { recursive: true })
    symlinkSync(join(root, 'node_modules', dependency), join(modules, dependency))
  }
}

/** The pages read their assets from beside the compiled modules: a page with its stylesheet proves that they are there. */
async function tryServer(folder: string): Promise<void> {
  const command = ['node_modules/hallpass/bin/hallpass.js', 'serve', '--port', '0', '--data', 'data']
  const server = spawn('node', command, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const address = await printedAddress(server)
    for (const path of ['/', '/login']) {
      const html = await textOf(new URL(path, address))
      for (const [, asset = ''] of html.matchAll(
        /<(?:link|script)[^>]+(?:href|src)="([^"]+\.(?:css|js|svg))"/g,
      )) {
        await textOf(new URL(asset, address))
      }
    }
    run('node', ['node_modules/hallpass/bin/hallpass.js', 'conformance', address, '--section', '2'], folder)
  } finally {
    server.kill()
  }
}

async function printedAddress(server: ChildProcessByStdio<null, Readable, null>): Promise<string> {
  let text = ''
  for await (const chunk of server.stdout) {
    text += String(chunk)
    const address = /http:\/\/localhost:\d+/.exec(text)?.[0]
    if (address !== undefined) return address
  }
  return fail(`the installed hallpass serve ended with:\n${text}`)
}

async function textOf(url: URL): Promise<string> {
  const answer = await fetch(url)
  if (answer.status !== 200) fail(`the installed hallpass serve answers ${answer.status} to ${url.pathname}`)
  return answer.text()
}

function fail(what: string): never {
  console.log(what)
  rmSync(folder, { recursive: true, force: true })
  process.exit(1)
}

/** Runs a command and returns what it printed; when it fails, shows that and ends with 1. */
function run(program: string, options: readonly string[], cwd: string = root): string {
  const { status, stdout, stderr, error } = spawnSync(program, options, { cwd, encoding: 'utf8' })
  if (status === 0) return stdout
  return fail(`${program} ${options.join(' ')}\n${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`)
}
