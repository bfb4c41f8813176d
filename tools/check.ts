/**
 * Everything that can be known about the repository without running it: `npm run check`, or `npm run check -- types lint`
 * for some of it. One line a check; what a check that failed has to say follows its line. All run, even when one fails.
 */
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

interface Check {
  readonly name: string
  /** What it makes sure of. */
  readonly guarantee: string
  /** Commands, run one after the other until one fails; programs are those of node_modules/.bin. */
  readonly commands: readonly (readonly [string, ...string[]])[]
}

const checks: readonly Check[] = [
  { name: 'types', guarantee: 'everything type-checks, the examples too', commands: [['tsc', '-p', '.']] },
  {
    name: 'lint',
    guarantee: 'lint rules and formatting hold',
    commands: [['biome', 'ci', '--colors=off', '--error-on-warnings']],
  },
  {
    name: 'dependencies',
    guarantee: 'no module imports what it may not',
    commands: [['depcruise', '--config', 'tools/dependency-rule.cjs', 'src', 'conformance', 'bench']],
  },
  {
    name: 'unused',
    guarantee: 'no file, export or package is unused',
    commands: [['knip', '--no-progress', '--treat-config-hints-as-errors']],
  },
  {
    name: 'docs',
    guarantee: 'generated pages are current, links lead somewhere, code in the docs compiles',
    commands: [
      ['node', 'tools/docs.ts', '--check'],
      ['node', 'tools/doc-links.ts'],
      ['node', 'tools/doc-code.ts'],
    ],
  },
  {
    name: 'conformance',
    guarantee: 'each requirement of docs/protocol.md has a case in conformance/, and each case a requirement',
    commands: [['node', 'tools/conformance-cases.ts']],
  },
  {
    name: 'public names',
    guarantee: 'what the package exports is what test/types/public-names.json says',
    commands: [['node', 'tools/public-names.ts']],
  },
  {
    name: 'package',
    guarantee: 'what would be published resolves and carries its types',
    commands: [['node', 'tools/check-package.ts']],
  },
]

const root = fileURLToPath(new URL('..', import.meta.url))
const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !checks.some((check) => check.name.startsWith(name)))
if (unknown.length > 0) {
  console.log(
    `no check is named ${unknown.join(', ')}; there are: ${checks.map(({ name }) => name).join(', ')}`,
  )
  process.exit(1)
}

const waiting = checks.filter(
  ({ name }) => wanted.length === 0 || wanted.some((word) => name.startsWith(word)),
)
let failed = 0
await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, runUntilNoneIsLeft))
if (failed > 0) console.log(`\n${failed} of the checks failed`)
process.exitCode = failed > 0 ? 1 : 0

async function runUntilNoneIsLeft(): Promise<void> {
  for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
    const startedAt = performance.now()
    const complaint = await complaintOf(check)
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    console.log(
      `${complaint === undefined ? 'ok    ' : 'failed'} ${check.name}: ${check.guarantee} (${seconds} s)`,
    )
    if (complaint === undefined) continue
    failed += 1
    console.log(complaint.trim().replace(/^(?=.)/gm, '  '))
  }
}

/** What the first command that fails prints, or undefined when none does. */
async function complaintOf({ commands }: Check): Promise<string | undefined> {
  for (const command of commands) {
    const { output, status } = await outcomeOf(command)
    if (status !== 0) return output || `${command.join(' ')} ended with status ${status} and said nothing`
  }
  return undefined
}

function outcomeOf([program, ...options]: readonly [string, ...string[]]): Promise<{
  readonly output: string
  readonly status: number | null
}> {
  return new Promise((resolve) => {
    const child = spawn(program, options, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const take = (chunk: Buffer): void => {
      output += chunk.toString()
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('error', (error) => resolve({ output: error.message, status: null }))
    child.on('close', (status) => resolve({ output, status }))
  })
}
