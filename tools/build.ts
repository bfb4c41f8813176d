/**
 * Makes `dist/`, which is what is published: JavaScript and declarations by `tsc`, laid out like the
 * repository, and the assets beside them.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, rmSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

rmSync(join(root, 'dist'), { recursive: true, force: true })
const compiled = spawnSync('tsc', ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
if (compiled.status !== 0) process.exit(compiled.status ?? 1)

// Stylesheets, scripts for browsers and pictures are read at run time from beside the module that serves them.
for (const asset of globSync('**/*.*', { cwd: join(root, 'src') })) {
  if (!['.ts', '.md'].includes(extname(asset)))
    cpSync(join(root, 'src', asset), join(root, 'dist/src', asset))
}
