/** Packs the package as it would be published, and looks at the tarball with publint and attw. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'hallpass-package-'))

try {
  run('node', ['tools/build.ts'])
  // The scripts would build it again; npm prints the tarball’s name last.
  const packed = run('npm', ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder])
  const tarball = join(folder, packed.trim().split('\n').at(-1) ?? '')
  run('publint', ['run', tarball, '--strict'])
  // The package is for Node 24 and browsers: ES modules, found through `exports`.
  run('attw', [tarball, '--profile', 'esm-only', '--no-color', '--no-emoji'])
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Runs a command and returns what it printed; when it fails, shows that and ends with 1. */
function run(program: string, options: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, options, { cwd: root, encoding: 'utf8' })
  if (status === 0) return stdout
  process.stdout.write(
    `${program} ${options.join(' ')}\n${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`,
  )
  rmSync(folder, { recursive: true, force: true })
  process.exit(1)
}
