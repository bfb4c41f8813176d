#!/usr/bin/env node
// Starts the command on a Node that can run it. An older Node must be able to read this file too, so it keeps to what
// Node 12 knows, and loads the rest only once it is sure of the version.
import { spawn } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, realpathSync } from 'node:fs'
import module from 'node:module'
import { constants, homedir } from 'node:os'
import { dirname, isAbsolute, join, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const oldest = 24
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const ownNode = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')

if (Number(process.versions.node.split('.')[0]) >= oldest) {
  keepCompiled()
  findFast()
  import(pathToFileURL(program()).href).catch(fail)
} else if (existsSync(ownNode)) {
  runOn(ownNode)
} else {
  complain(
    'error: hallpass needs Node ' + oldest + ' or later, and this is Node ' + process.versions.node,
    'fix: install it from https://nodejs.org, or run `npx -p node@' + oldest + ' -p hallpass hallpass`',
  )
  process.exitCode = 1
}

// A clone runs its sources. An installed package has them as well, but Node strips no types under node_modules.
function program() {
  const source = join(root, 'src', 'cli', 'main.ts')
  const isInstalled = root.split(sep).indexOf('node_modules') !== -1
  return !isInstalled && existsSync(source) ? source : join(root, 'dist', 'src', 'cli', 'main.js')
}

// What V8 has compiled, and the types that Node has stripped, are kept for the next start, which takes half the time then.
// What is kept is run: so only in a folder that nobody else can change anything in, else nothing is kept. A place that
// whoever runs this has chosen (NODE_COMPILE_CACHE) is in use by now, and NODE_DISABLE_COMPILE_CACHE=1 turns it off.
function keepCompiled() {
  if (process.env.NODE_COMPILE_CACHE || process.platform === 'win32') return
  try {
    const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hallpass', 'compiled')
    if (!isAbsolute(folder)) return
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const real = realpathSync(folder)
    if (isOwn(real)) module.enableCompileCache(real)
  } catch {
    // Such as a home that is read-only: then it starts as if for the first time.
  }
}

// Says where a module is that another names by its place. Node would ask the disk for each whether it is there and whether
// it is a link, and read the package.json that says what it is: a third of a start that loads some hundred small ones. Our
// own are known to be modules, and so is kysely, which is half of them. All else is found as ever.
function findFast() {
  const place = pathToFileURL(root).href
  const isKnown = (url) =>
    /\/node_modules\/kysely\/dist\/.*\.js$/.test(url) ||
    (url.startsWith(place) && /^\/(?:dist\/)?src\/.*\.[jt]s$/.test(url.slice(place.length)))
  module.registerHooks({
    resolve(specifier, context, next) {
      const parent = context.parentURL
      if (specifier[0] !== '.' || !parent || !isKnown(parent)) return next(specifier, context)
      const url = new URL(specifier, parent).href
      if (!isKnown(url)) return next(specifier, context)
      return { url, format: url.endsWith('.ts') ? 'module-typescript' : 'module', shortCircuit: true }
    },
  })
}

// Whether a folder is this user's alone, and nobody but the system's administrator can put another in its place.
function isOwn(folder) {
  const user = process.getuid()
  if (lstatSync(folder).uid !== user) return false
  for (let path = folder; ; path = dirname(path)) {
    const { uid, mode } = lstatSync(path)
    const othersWrite = (mode & 0o022) !== 0
    // In a sticky folder, such as /tmp, nobody can rename what is another's.
    const isSticky = path !== folder && (mode & 0o1000) !== 0
    if ((uid !== user && uid !== 0) || (othersWrite && !isSticky)) return false
    if (path === dirname(path)) return true
  }
}

// The Node that the repository pins runs in place of this one: same arguments, same terminal, same end.
function runOn(node) {
  const child = spawn(node, process.execArgv.concat(process.argv.slice(1)), { stdio: 'inherit' })
  const forward = (signal) => {
    // A terminal sends ctrl-c to both processes; passing it on as well would make two of one.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, forward)
  child.on('error', fail)
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code)
    for (const each of signals) process.off(each, forward)
    process.kill(process.pid, signal)
    // For a signal that does not end a process at once: the status that a shell would show.
    process.exitCode = 128 + constants.signals[signal]
  })
}

function fail(error) {
  complain('error: hallpass cannot start', error?.stack || String(error))
  process.exitCode = 1
}

function complain(...lines) {
  process.stderr.write(lines.join('\n') + '\n')
}
