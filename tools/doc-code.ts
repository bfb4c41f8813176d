/** Fails when a ```ts block of the documentation does not compile against the sources, as a reader would use them. */
import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
// Inside the repository, so that the package finds itself under its own name.
mkdirSync(join(root, 'artefacts'), { recursive: true })
const folder = mkdtempSync(join(root, 'artefacts/doc-code-'))

try {
  const blocks = globSync(['README.md', 'docs/**/*.md'], { cwd: root }).flatMap(blocksOf)
  for (const { name, code } of blocks) writeFileSync(join(folder, name), `${code}\nexport {}\n`)
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../tsconfig.json',
      // A reader’s snippet may leave a variable for the next line to use.
      compilerOptions: { noUnusedLocals: false, isolatedDeclarations: false, declaration: false },
      include: ['*.ts'],
    }),
  )
  if (blocks.length > 0) {
    const { status, stdout } = spawnSync('tsc', ['-p', folder], { cwd: root, encoding: 'utf8' })
    process.stdout.write(stdout)
    process.exitCode = status ?? 1
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** The blocks of a page, each named for the page and the line that it begins on. */
function blocksOf(page: string): readonly { readonly name: string; readonly code: string }[] {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map((match) => {
    const line = text.slice(0, match.index).split('\n').length
    return { name: `${page.replaceAll('/', '--')}-line-${line}.ts`, code: match[1] ?? '' }
  })
}
