/** What the events of a test run come to. Apart from the runner, so that the counting itself is tested. */
import { inspect, stripVTControlCharacters } from 'node:util'

/** The part of node:test’s events that is used here. `name` equals `file` for the event of a whole file. */
export interface TestEvent {
  readonly name: string
  readonly file?: string | undefined
  /** Unique within a test file, where Node tells it. */
  readonly testId?: number | undefined
  /** The suite or test around it; 0 for none. */
  readonly parentId?: number | undefined
  /** The file that is run, where the test itself stands in another one, such as a suite that several files share. */
  readonly entryFile?: string | undefined
  readonly nesting: number
  /** The reason, or true when none was given. */
  readonly skip?: string | boolean | undefined
  readonly todo?: string | boolean | undefined
  readonly details?:
    | {
        readonly type?: string | undefined
        readonly duration_ms: number
        readonly passed: boolean
        readonly error?: unknown
      }
    | undefined
}

/** Counts the tests of a run. */
export interface Tally {
  enqueued(event: TestEvent): void
  /** Takes a test, a suite or a whole file that has ended; returns the line of a file. */
  completed(event: TestEvent): string | undefined
  /** Keeps what a file printed, to be shown if the file fails. */
  printed(event: { readonly file?: string | undefined; readonly message: string }): void
  /** The failures in full, what was skipped and why, and last the line `N passed, N failed, N skipped`. */
  report(): readonly string[]
  failed(): boolean
}

interface FileResult {
  passed: number
  /** Titles, with those of the suites around them, by test id. */
  readonly titles: Map<number | string, string>
  /** The ids of tests that began and have not ended. */
  readonly open: Set<number | string>
  readonly failures: { readonly title: string; readonly text: string }[]
  readonly skips: { readonly title: string; readonly reason: string }[]
  output: string
}

/**
 * `nameOf` shortens a file’s path for people. A file without a test fails, unless `mayBeEmpty` (default false): a
 * filter by name leaves most files without one.
 */
export function createTally(
  nameOf: (file: string) => string,
  options: { readonly mayBeEmpty?: boolean } = {},
): Tally {
  const files = new Map<string, FileResult>()
  const resultOf = (file: string): FileResult => {
    const known = files.get(file)
    if (known) return known
    const fresh: FileResult = {
      passed: 0,
      titles: new Map(),
      open: new Set(),
      failures: [],
      skips: [],
      output: '',
    }
    files.set(file, fresh)
    return fresh
  }
  const total = (count: (result: FileResult) => number): number =>
    [...files.values()].reduce((sum, result) => sum + count(result), 0)

  return {
    enqueued(event) {
      const file = fileOf(event)
      if (file === undefined || event.name === file) return
      const { titles, open } = resultOf(file)
      const around = event.parentId === undefined ? undefined : titles.get(event.parentId)
      titles.set(idOf(event), around === undefined ? event.name : `${around}: ${event.name}`)
      open.add(idOf(event))
    },
    completed(event) {
      const file = fileOf(event)
      if (file === undefined) return undefined
      const result = resultOf(file)
      if (event.name !== file) {
        countTest(result, event)
        return undefined
      }
      countFile(result, event, options.mayBeEmpty ?? false)
      const seconds = ((event.details?.duration_ms ?? 0) / 1000).toFixed(1)
      const mark = result.failures.length > 0 ? 'failed' : 'ok    '
      return `${mark} ${nameOf(file)} (${countsOf(result)}, ${seconds} s)`
    },
    printed(event) {
      if (event.file !== undefined) resultOf(event.file).output += event.message
    },
    report() {
      return [
        ...[...files].flatMap(([file, result]) => failuresOf(nameOf(file), result)),
        ...[...files].flatMap(([file, { skips }]) =>
          skips.map(({ title, reason }) => `skipped ${nameOf(file)}: ${title}: ${reason}`),
        ),
        `${total((r) => r.passed)} passed, ${total((r) => r.failures.length)} failed, ${total((r) => r.skips.length)} skipped`,
      ]
    },
    failed: () => total(({ failures }) => failures.length) > 0,
  }
}

function fileOf({ entryFile, file }: TestEvent): string | undefined {
  return entryFile ?? file
}

function countTest(result: FileResult, event: TestEvent): void {
  const title = result.titles.get(idOf(event)) ?? event.name
  result.open.delete(idOf(event))
  const isSuite = event.details?.type === 'suite'
  const reason = event.skip ?? event.todo
  if (reason !== undefined && reason !== false) {
    result.skips.push({ title, reason: reason === true ? 'no reason given' : reason })
  } else if (event.details?.passed !== false) {
    if (!isSuite) result.passed += 1
  } else if (failureType(event.details.error) !== 'subtestsFailed') {
    // What failed only because something inside it did has been counted there.
    result.failures.push({ title, text: describe(event.details.error) })
  }
}

/** A file can fail beside its tests: it does not load, it exits early, it holds no test at all. */
function countFile(result: FileResult, event: TestEvent, mayBeEmpty: boolean): void {
  if (event.details?.passed === false && failureType(event.details.error) !== 'subtestsFailed') {
    result.failures.push({ title: 'the file itself', text: describe(event.details.error) })
  }
  for (const id of result.open) {
    result.failures.push({
      title: result.titles.get(id) ?? String(id),
      text: 'began and never ended: the process exited first',
    })
  }
  if (!mayBeEmpty && result.passed + result.failures.length + result.skips.length === 0) {
    result.failures.push({ title: 'the file itself', text: 'holds no test that ran' })
  }
}

function idOf({ testId, name }: TestEvent): number | string {
  return testId ?? name
}

function failureType(error: unknown): unknown {
  return error instanceof Error && 'failureType' in error ? error.failureType : undefined
}

/** The test’s own error, without the wrapper that the runner puts around it. */
function describe(error: unknown): string {
  const own = error instanceof Error && error.cause !== undefined ? error.cause : error
  return typeof own === 'string' ? own : stripVTControlCharacters(inspect(own, { depth: 6 }))
}

function countsOf({ passed, failures, skips }: FileResult): string {
  const parts = [`${passed} passed`]
  if (failures.length > 0) parts.push(`${failures.length} failed`)
  if (skips.length > 0) parts.push(`${skips.length} skipped`)
  return parts.join(', ')
}

function failuresOf(file: string, { failures, output }: FileResult): readonly string[] {
  if (failures.length === 0) return []
  const shown = failures.flatMap(({ title, text }) => ['', `failed ${file}: ${title}`, indent(text)])
  return output === '' ? shown : [...shown, '', `printed by ${file}:`, indent(output.trimEnd())]
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}
