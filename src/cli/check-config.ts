/** What is wrong with a config: with its form, and with what it means. */
import { HallpassError } from '../protocol/errors.ts'
import type { HallpassConfig } from '../server/config.ts'
import { meaningProblems } from './config-meaning.ts'
import { configSchema } from './config-schema.ts'
import { type ConfigProblem, isObject, schemaProblems } from './json-schema.ts'

/** The config in a value, and what is wrong with it: undefined and at least one problem, or the config and none. */
export function checkConfig(value: unknown): {
  readonly config: HallpassConfig | undefined
  readonly problems: readonly ConfigProblem[]
} {
  const form = schemaProblems(configSchema, value)
  // A part whose form is right is looked into even when another's is not, so that all is said at once.
  const isSound = (path: string): boolean => !form.some((one) => isWithin(one.path, path))
  const problems = [...form, ...(isObject(value) ? meaningProblems(value, isSound) : [])]
  // The schema has said that it is one.
  return { config: problems.length === 0 ? (value as HallpassConfig) : undefined, problems }
}

/** A problem in one line. */
function describeProblem({ path, problem, expected }: ConfigProblem): string {
  return `${path === '' ? 'the file' : path}: ${problem}. give ${expected}`
}

/** The refusal of a file with these problems. */
export function invalidConfig(path: string, problems: readonly ConfigProblem[]): HallpassError {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
  return new HallpassError(
    'configuration_invalid',
    `${path} has ${count}:\n${problems.map((one) => `  ${describeProblem(one)}`).join('\n')}`,
    `mend ${problems.length === 1 ? 'it' : 'them'} and try again. what a config file may say: hallpass.schema.json`,
  )
}

function isWithin(path: string, part: string): boolean {
  return path === '' || path === part || path.startsWith(`${part}.`) || path.startsWith(`${part}[`)
}
