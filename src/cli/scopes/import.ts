import { readFile, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { HallpassError } from '../../protocol/errors.ts'
import { checkConfig, invalidConfig } from '../check-config.ts'
import { usageError } from '../failure.ts'
import { commandName, note } from '../terminal.ts'
import { count } from './count.ts'
import { printJson, printTypeScript } from './print-config.ts'
import { proposeScopes } from './propose.ts'

interface ImportFlags {
  readonly app?: string
  readonly format?: string
  readonly out?: string
  readonly force?: boolean
}

/** `hallpass scopes import`. @throws HallpassError `openapi_unreadable`, `file_exists`, `file_not_written` */
export async function importScopes(file: string, flags: ImportFlags): Promise<void> {
  const format = formatOf(flags)
  if (flags.app !== undefined && !/^[a-z0-9][a-z0-9_-]{0,29}$/.test(flags.app)) {
    throw usageError('--app takes lower-case letters, digits, _ and -, at most 30 characters')
  }
  // Only here: the reader of YAML is as large as the rest of the command.
  const { readOpenApi } = await import('./openapi-document.ts')
  const { scopes, warnings } = proposeScopes(readOpenApi(await textOf(file)), flags.app)
  if (scopes.length === 0) {
    sayWarnings(warnings)
    const problem = `${file} has no operation that a scope can be made of`
    throw new HallpassError('openapi_unreadable', problem, 'give a document whose paths have operations')
  }
  // What is printed must be what `scopes check` takes.
  const { problems } = checkConfig({ scopes })
  if (problems.length > 0) throw invalidConfig('the proposal', problems)
  const text =
    format === 'json' ? printJson(scopes) : printTypeScript(scopes, basename(file).replace(/\p{C}/gu, '?'))
  await deliver(text, flags)
  sayWarnings(warnings)
  const routes = scopes.reduce((sum, scope) => sum + scope.routes.length, 0)
  const next = `${commandName()} scopes check`
  note(`${count(scopes.length, 'scope')} with ${count(routes, 'route')}. read every line, then: ${next}`)
}

function sayWarnings(warnings: readonly string[]): void {
  for (const warning of warnings) note(`warning: ${warning.replace(/\p{C}/gu, ' ')}`)
}

/** What stands in the file must be what its name says: `--config` goes by that. */
function formatOf({ format, out }: ImportFlags): 'typescript' | 'json' {
  const byName = out === undefined ? undefined : out.endsWith('.json') ? 'json' : 'typescript'
  if (out !== undefined && !/\.(?:ts|mts|js|mjs|json)$/.test(out))
    throw usageError('--out takes a name that ends in .ts, .js, .mjs or .json, or it could not be used')
  const wanted = format ?? byName ?? 'typescript'
  if (wanted !== 'typescript' && wanted !== 'json') throw usageError('--format takes typescript or json')
  if (byName !== undefined && byName !== wanted)
    throw usageError(`--format ${wanted} does not go with the name ${out}`)
  return wanted
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new HallpassError(
      'openapi_unreadable',
      `${file} cannot be read (${why})`,
      'name a file that is there',
      {
        cause: error,
      },
    )
  }
}

async function deliver(text: string, { out, force }: ImportFlags): Promise<void> {
  if (out === undefined) {
    process.stdout.write(text)
    return
  }
  try {
    await writeFile(out, text, { flag: force ? 'w' : 'wx' })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    if (code === 'EEXIST') {
      const remedy = 'name another file, or write over it with --force'
      throw new HallpassError('file_exists', `${out} is there already`, remedy, { cause: error })
    }
    throw new HallpassError('file_not_written', `${out} cannot be written (${code})`, 'name another file', {
      cause: error,
    })
  }
  note(`wrote ${out}`)
}
