// Brings node_modules in step with package-lock.json, and does nothing when it already is.
//
// `npm start`, `npm test` and `npm run check` run this first, on whatever Node the machine has: so it is plain
// JavaScript that Node 20 reads, and it uses nothing that it would have to install.
//
// `node tools/install.js bench` does the same for a folder that has packages of its own, once the root's are there.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [folder] = process.argv.slice(2)
const root = fileURLToPath(new URL(folder === undefined ? '..' : `../${folder}/`, import.meta.url))
const oldestNode = 24

const cause = staleBecause()
if (cause !== undefined) install(cause)
if (folder === undefined) {
  requireNode()
  linkCommand()
}

/** Why the packages must be installed, or undefined when they need not be. */
function staleBecause() {
  const wanted = packagesIn('package-lock.json')
  if (wanted === undefined) return 'package-lock.json cannot be read'
  // npm writes this list last, so that an install which was interrupted has none.
  const installed = packagesIn('node_modules/.package-lock.json')
  if (installed === undefined) return 'the packages are not installed yet'
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue
    const present = installed[path]
    // Packages for other platforms are in the lock but rightly absent here.
    if (present === undefined && (entry.optional || entry.devOptional)) continue
    if (present === undefined || !existsSync(join(root, path))) return `${path} is missing`
    if (present.version !== entry.version || present.integrity !== entry.integrity)
      return `${path} has changed`
  }
  return undefined
}

/** The packages that a lock file lists, by their path, or undefined when there is no such file. */
function packagesIn(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages
  } catch {
    return undefined
  }
}

function install(cause) {
  const long = folder === undefined ? 'about half a minute' : 'a few seconds'
  console.error(`hallpass: ${cause}: installing ${whatIn()}with npm ci (${long} the first time)`)
  // Some settings leave out what the scripts need: NODE_ENV=production omits devDependencies.
  const options = ['ci', '--include=dev', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error']
  // The npm and the Node that run this script, not the ones in node_modules, which npm is about to replace.
  const { npm_execpath: npm, npm_node_execpath: node } = process.env
  const outcome =
    npm && node
      ? spawnSync(node, [npm, ...options], { cwd: root, stdio: ['ignore', 2, 2] })
      : spawnSync('npm', options, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
  if (outcome.status === 0) return
  console.error('hallpass: npm ci failed; what it said stands above')
  console.error('hallpass: mend that (often it is the network), then run the same command again')
  process.exit(1)
}

/** What a folder of its own brings, for whoever did not expect an installation. */
function whatIn() {
  if (folder === undefined) return ''
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const names = Object.entries(dependencies).map(([name, version]) => `${name} ${version}`)
  return `${names.join(', ')} into ${folder}/ `
}

/** The scripts run on the Node in node_modules; without it, the machine's own must be new enough. */
function requireNode() {
  const pinned = join(root, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (existsSync(pinned) || Number.parseInt(process.versions.node, 10) >= oldestNode) return
  console.error(
    `hallpass: this needs Node ${oldestNode} or later, and the one here is ${process.versions.node}`,
  )
  console.error(
    'hallpass: the repository brings its own, but npm did not unpack it: it is set to run no install scripts (ignore-scripts)',
  )
  console.error('hallpass: allow that one script: npm rebuild node --ignore-scripts=false')
  process.exit(1)
}

/**
 * Lets `npx hallpass` find the command of this folder at once. Without the link npx installs the folder into a cache of
 * its own first, which takes seconds and warns about the machine’s Node. On Windows a link does not do; npx copes.
 */
function linkCommand() {
  const link = join(root, 'node_modules/.bin/hallpass')
  if (process.platform === 'win32' || existsSync(link)) return
  rmSync(link, { force: true })
  symlinkSync('../../bin/hallpass.js', link)
}
