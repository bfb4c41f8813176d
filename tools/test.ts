/**
 * Runs the tests: `npm test`, or `npm test -- test/protocol scopes` for the files whose path holds one of the words,
 * or `npm test -- --name='refuses a revoked key'` for the tests whose name matches the expression.
 *
 * `npm run test:postgres` runs them on PostgreSQL in the place of SQLite; its words and options are the same.
 *
 * One line a file, failures in full at the end, and as the very last line what it comes to.
 */
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { relative } from 'node:path'
import { run } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createTally } from './test-tally.ts'

/**
 * Longest that one test may take, in milliseconds, and longest that no test may end: what hangs fails instead of stopping
 * the line. The second is for a file whose tests are over, and in which something is still open.
 */
const longestMs = 300_000

const root = fileURLToPath(new URL('..', import.meta.url))
const words = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const names = process.argv.slice(2).flatMap((argument) => argument.match(/^--name=(.+)$/)?.[1] ?? [])
const files = globSync('test/**/*.test.ts', { cwd: root })
  .sort()
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word.replace(/^\.\//, ''))))

if (files.length === 0) {
  console.log(
    `no test file matches ${words.join(' or ')}: the words are parts of paths, such as test/protocol`,
  )
  console.log('0 passed, 0 failed, 0 skipped')
  process.exit(1)
}

// One server for all files, which is what takes a second to start; each test has a database of its own on it.
let stopPostgres = async (): Promise<void> => {}
if (process.env.HALLPASS_TEST_DATABASE === 'postgres') {
  const { sharedServerVariable, startPostgres } = await import('../test/running-postgres.ts')
  const { makeTemplate } = await import('../test/postgres-template.ts')
  const server = await startPostgres()
  await makeTemplate(server.url)
  process.env[sharedServerVariable] = server.url
  stopPostgres = () => server.stop()
  console.log(`on PostgreSQL (port ${server.port}); what is about SQLite is skipped`)
}

const tally = createTally((file) => relative(root, file), { mayBeEmpty: names.length > 0 })
const stuck = new AbortController()
const watchdog = setTimeout(
  () => stuck.abort(new Error(`nothing has ended for ${longestMs / 1000} s: something is left open in it`)),
  longestMs,
)
const stream = run({
  cwd: root,
  files: files.map((file) => `${root}${file}`),
  concurrency: availableParallelism(),
  timeout: longestMs,
  signal: stuck.signal,
  // The package’s own names resolve to its sources, so that nothing has to be built first.
  execArgv: ['--conditions=hallpass-source'],
  ...(names.length > 0 ? { testNamePatterns: names.map((name) => new RegExp(name)) } : {}),
})
stream.on('test:enqueue', tally.enqueued)
stream.on('test:complete', (event) => {
  watchdog.refresh()
  const line = tally.completed(event)
  if (line !== undefined) console.log(line)
})
stream.on('test:stdout', tally.printed)
stream.on('test:stderr', tally.printed)
stream.on('end', () => {
  clearTimeout(watchdog)
  for (const line of tally.report()) console.log(line)
  process.exitCode = tally.failed() ? 1 : 0
  void stopPostgres()
})
stream.resume()
