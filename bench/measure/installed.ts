/** Packages as npm installs them for somebody who uses them: into an empty folder, without what only tests need. */
import { spawnSync } from 'node:child_process'
import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface InstalledPackage {
  /** Of node_modules, in all. */
  readonly bytes: number
  readonly packages: number
  /** The `hallpass` command in it. */
  readonly command: string
  /** Of the packed package; undefined for one that was not packed here. */
  readonly packedBytes?: number
}

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Packs this repository, as for publishing, and installs that. */
export async function installHallpass(folder: string): Promise<InstalledPackage> {
  mkdirSync(folder, { recursive: true })
  npm(root, ['pack', '--pack-destination', folder])
  const packed = readdirSync(folder).find((name) => name.endsWith('.tgz'))
  if (packed === undefined) throw new Error('npm pack made no package')
  const installed = install(folder, [`./${packed}`])
  return { ...installed, packedBytes: statSync(join(folder, packed)).size }
}

/** Installs Better Auth and its API-key plugin, in the versions of this folder's package.json. */
export async function installPeer(folder: string): Promise<InstalledPackage> {
  const file = new URL('../package.json', import.meta.url)
  const { dependencies } = JSON.parse(readFileSync(file, 'utf8')) as { dependencies: Record<string, string> }
  const wanted = Object.entries(dependencies).filter(([name]) => name.includes('better-auth'))
  return install(
    folder,
    wanted.map(([name, version]) => `${name}@${version}`),
  )
}

function install(folder: string, packages: readonly string[]): InstalledPackage {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  npm(folder, ['install', '--no-audit', '--no-fund', ...packages])
  const modules = join(folder, 'node_modules')
  const lock = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8')) as {
    packages: Record<string, unknown>
  }
  return {
    bytes: sizeOf(modules),
    packages: Object.keys(lock.packages).length,
    command: join(modules, 'hallpass', 'bin', 'hallpass.js'),
  }
}

function npm(cwd: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed:\n${stdout}\n${stderr}`)
}

function sizeOf(path: string): number {
  const entry = lstatSync(path)
  if (!entry.isDirectory()) return entry.size
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0)
}
