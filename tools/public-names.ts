/**
 * The public names of every export of the package, kept in test/types/public-names.json: what is on that list is what
 * somebody may depend on, so it changes on purpose or not at all.
 *
 * `node tools/public-names.ts` fails when the list has drifted; `npm run public-names` brings the list up to date.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

interface PublicNames {
  /** What exists at run time. */
  readonly values: readonly string[]
  /** What exists for the compiler alone. */
  readonly types: readonly string[]
}

const root = fileURLToPath(new URL('..', import.meta.url))
const snapshotPath = 'test/types/public-names.json'

const current = publicNames()
if (process.argv.includes('--write')) {
  mkdirSync(dirname(join(root, snapshotPath)), { recursive: true })
  writeFileSync(join(root, snapshotPath), JSON.stringify(current, null, 2) + '\n')
  execFileSync('biome', ['format', '--write', snapshotPath], { cwd: root })
  console.log(`wrote ${snapshotPath}`)
} else {
  const drift = differences(readSnapshot(), current)
  for (const line of drift) console.log(line)
  if (drift.length > 0) {
    console.log('if that is meant: npm run public-names, and an entry in CHANGELOG.md')
    process.exitCode = 1
  }
}

/** By the name that somebody imports: `hallpass`, `hallpass/client`, and so on. */
function publicNames(): Record<string, PublicNames> {
  const { exports: entries } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, string | Record<string, string>>
  }
  const sources = Object.entries(entries).flatMap(([subpath, target]) => {
    const source = typeof target === 'string' ? undefined : target['hallpass-source']
    return source === undefined ? [] : [{ name: join('hallpass', subpath), source: join(root, source) }]
  })
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config,
    ts.sys,
    root,
  )
  const program = ts.createProgram(
    sources.map(({ source }) => source),
    options,
  )
  const checker = program.getTypeChecker()
  return Object.fromEntries(
    sources.map(({ name, source }) => {
      const file = program.getSourceFile(source)
      const symbol = file && checker.getSymbolAtLocation(file)
      if (!symbol) throw new Error(`${name}: ${source} is missing or exports nothing`)
      return [name, namesOf(checker, symbol)]
    }),
  )
}

function namesOf(checker: ts.TypeChecker, module: ts.Symbol): PublicNames {
  const values: string[] = []
  const types: string[] = []
  for (const exported of checker.getExportsOfModule(module)) {
    const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0
    const target = isAlias ? checker.getAliasedSymbol(exported) : exported
    const isTypeOnly =
      (target.flags & ts.SymbolFlags.Value) === 0 ||
      (exported.declarations ?? []).some(
        (node) => ts.isExportSpecifier(node) && ts.isTypeOnlyExportDeclaration(node),
      )
    const names = isTypeOnly ? types : values
    names.push(exported.name)
  }
  return { values: values.sort(), types: types.sort() }
}

function readSnapshot(): Record<string, PublicNames> {
  try {
    return JSON.parse(readFileSync(join(root, snapshotPath), 'utf8')) as Record<string, PublicNames>
  } catch {
    return {}
  }
}

function differences(
  before: Readonly<Record<string, PublicNames>>,
  after: Readonly<Record<string, PublicNames>>,
): readonly string[] {
  const lines = (names: Readonly<Record<string, PublicNames>>): readonly string[] =>
    Object.entries(names).flatMap(([entry, { values, types }]) => [
      ...values.map((name) => `${entry}: ${name}`),
      ...types.map((name) => `${entry}: type ${name}`),
    ])
  const [old, now] = [new Set(lines(before)), new Set(lines(after))]
  return [
    ...[...old].filter((line) => !now.has(line)).map((line) => `gone: ${line}`),
    ...[...now].filter((line) => !old.has(line)).map((line) => `new: ${line}`),
  ]
}
