import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** An import that breaks the rule, and the name of the part of the rule that must say so. */
const violations = [
  { from: 'protocol/a.ts', imports: '../domain/thing.ts', rule: 'protocol-imports-only-what-it-may' },
  { from: 'protocol/b.ts', imports: 'node:crypto', rule: 'protocol-is-pure' },
  { from: 'protocol/c.ts', imports: 'hono', rule: 'protocol-is-pure' },
  { from: 'domain/a.ts', imports: '../storage/thing.ts', rule: 'domain-imports-only-what-it-may' },
  { from: 'domain/b.ts', imports: 'node:fs', rule: 'domain-decides-without-io' },
  { from: 'domain/b.ts', imports: 'node:net', rule: 'domain-decides-without-io' },
  { from: 'domain/address.ts', imports: 'node:fs', rule: 'address-ranges-compare-alone' },
  { from: 'storage/a.ts', imports: '../verify/thing.ts', rule: 'storage-imports-only-what-it-may' },
  { from: 'verify/a.ts', imports: '../identity/thing.ts', rule: 'verify-imports-only-what-it-may' },
  { from: 'identity/a.ts', imports: '../http/thing.ts', rule: 'identity-imports-only-what-it-may' },
  { from: 'pages/a.ts', imports: '../storage/thing.ts', rule: 'pages-imports-only-what-it-may' },
  { from: 'http/a.ts', imports: '../edge/thing.ts', rule: 'http-imports-only-what-it-may' },
  { from: 'http/b.ts', imports: 'kysely', rule: 'sql-lives-in-storage' },
  { from: 'http/c.ts', imports: 'node:sqlite', rule: 'sql-lives-in-storage' },
  { from: 'edge/a.ts', imports: '../server/thing.ts', rule: 'edge-imports-only-what-it-may' },
  { from: 'edge/hono.ts', imports: './express.ts', rule: 'adapters-stand-alone' },
  { from: 'edge/fastify.ts', imports: 'fastify', rule: 'frameworks-are-peers' },
  { from: 'server/a.ts', imports: '../forum/thing.ts', rule: 'server-imports-only-what-it-may' },
  { from: 'forum/a.ts', imports: '../cli/thing.ts', rule: 'forum-imports-only-what-it-may' },
  { from: 'testing/a.ts', imports: '../forum/thing.ts', rule: 'testing-imports-only-what-it-may' },
  { from: 'server/d.ts', imports: '../testing/thing.ts', rule: 'server-imports-only-what-it-may' },
  { from: 'client/a.ts', imports: '../domain/thing.ts', rule: 'client-imports-only-what-it-may' },
  { from: 'client/b.ts', imports: 'hono', rule: 'client-uses-no-package' },
  { from: 'client/client.ts', imports: './files.ts', rule: 'client-runs-anywhere' },
  { from: 'server/b.ts', imports: '../client/thing.ts', rule: 'server-imports-only-what-it-may' },
  { from: 'server/c.ts', imports: '../odds/thing.ts', rule: 'every-file-has-a-room' },
  { from: 'http/d.ts', imports: './not-there.ts', rule: 'every-import-resolves' },
  { from: 'http/e.ts', imports: 'fast-check', rule: 'every-import-resolves' },
  { from: 'http/f.ts', imports: './g.ts', rule: 'no-circles' },
  { from: 'cli/a.ts', imports: '../../test/thing.ts', rule: 'src-stands-alone' },
  { from: 'cli/b.ts', imports: '../../conformance/thing.ts', rule: 'only-the-command-runs-conformance' },
  { from: '../conformance/a.ts', imports: '../src/protocol/thing.ts', rule: 'conformance-stands-alone' },
  { from: '../conformance/b.ts', imports: 'hono', rule: 'conformance-stands-alone' },
  { from: '../bench/a.ts', imports: '../test/thing.ts', rule: 'bench-stands-alone' },
]

/** Imports that must stay allowed: a rule that refuses everything would pass the table above. */
const allowed = [
  { from: 'domain/ok.ts', imports: '../protocol/thing.ts' },
  { from: 'domain/ok-crypto.ts', imports: 'node:crypto' },
  { from: 'storage/ok.ts', imports: 'kysely' },
  { from: 'http/ok.ts', imports: '../pages/thing.ts' },
  { from: 'server/ok.ts', imports: '../edge/thing.ts' },
  { from: 'cli/ok.ts', imports: '../client/node.ts' },
  { from: 'cli/conformance.ts', imports: '../../conformance/thing.ts' },
  { from: '../conformance/ok.ts', imports: 'node:http' },
  { from: '../bench/ok.ts', imports: '../src/server/thing.ts' },
  { from: 'client/files.ts', imports: 'node:fs' },
  { from: 'client/node.ts', imports: './files.ts' },
]

const rooms =
  'protocol domain storage verify identity pages http edge server testing forum cli client odds'.split(' ')

describe('the dependency rule', () => {
  let folder: string
  let found: readonly { readonly from: string; readonly rule: string }[]

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hallpass-rule-'))
    await cp(join(root, 'package.json'), join(folder, 'package.json'))
    await cp(join(root, 'tsconfig.json'), join(folder, 'tsconfig.json'))
    await cp(join(root, 'tools/dependency-rule.cjs'), join(folder, 'dependency-rule.cjs'))
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
    for (const room of rooms) await write(`src/${room}/thing.ts`, 'export const thing = 1\n')
    await write('test/thing.ts', 'export const thing = 1\n')
    await write('conformance/thing.ts', 'export const thing = 1\n')
    await write('src/edge/express.ts', 'export const guard = 1\n')
    await write('src/http/g.ts', "import './f.ts'\nexport const partner = 1\n")
    for (const { from, imports } of [...violations, ...allowed])
      await write(join('src', from), `import '${imports}'\n`)
    found = await cruise(folder)
  })
  after(() => rm(folder, { recursive: true, force: true }))

  for (const { from, imports, rule } of violations) {
    test(`refuses ${imports} in ${join('src', from)}`, () => {
      assert.ok(
        found.some((violation) => violation.from === join('src', from) && violation.rule === rule),
        `${rule} did not fire; what did: ${JSON.stringify(found.filter((v) => v.from === join('src', from)))}`,
      )
    })
  }

  for (const { from, imports } of allowed) {
    test(`allows ${imports} in ${join('src', from)}`, () => {
      assert.deepEqual(
        found.filter((violation) => violation.from === join('src', from)),
        [],
      )
    })
  }

  async function write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
})

/** Runs dependency-cruiser in a folder; it exits with the number of violations, which is not a failure here. */
function cruise(folder: string): Promise<readonly { from: string; rule: string }[]> {
  return new Promise((resolve, reject) => {
    const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
    const options = [
      '--config',
      'dependency-rule.cjs',
      '--output-type',
      'json',
      'src',
      'conformance',
      'bench',
    ]
    execFile(
      process.execPath,
      [program, ...options],
      { cwd: folder, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        if (stdout === '') return reject(new Error(stderr, { cause: error }))
        const { summary } = JSON.parse(stdout) as {
          summary: { violations: { from: string; rule: { name: string } }[] }
        }
        resolve(summary.violations.map(({ from, rule }) => ({ from, rule: rule.name })))
      },
    )
  })
}
