/** The config file: where it is, and what it says. What is wrong with it is found in `check-config.ts`. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { registerHooks } from 'node:module'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { HallpassError } from '../protocol/errors.ts'
import type { HallpassConfig } from '../server/config.ts'

/** What the option `--config` says in `--help`. */
export const configOption = '--config <file>'
export const configOptionHelp =
  'config file (HALLPASS_CONFIG; default hallpass.config.ts, .js, .mjs or .json here)'

/** A config file as it was read, right or wrong. */
export interface ReadConfig {
  /** As it was given or found. */
  readonly path: string
  readonly value: unknown
}

/**
 * The config file at `path`, or at `HALLPASS_CONFIG`, or in the working directory; empty where there is none of these.
 * `data` is absolute in it.
 *
 * @throws HallpassError `configuration_invalid` naming everything that is wrong with the file, `config_not_found`, and
 * `config_unreadable` for a file that fails when it is run or is not JSON
 */
export async function loadConfig(path?: string): Promise<HallpassConfig> {
  const read = await readConfig(path)
  if (!read) return {}
  // Most servers have none, and need not know what it may say.
  const { checkConfig, invalidConfig } = await import('./check-config.ts')
  const { config, problems } = checkConfig(read.value)
  if (!config) throw invalidConfig(read.path, problems)
  const { data } = config
  return data === undefined ? config : { ...config, data: resolve(dirname(read.path), data) }
}

/** Reads the file that {@link loadConfig} would, and takes it as it is; undefined where there is none. */
export async function readConfig(path?: string): Promise<ReadConfig | undefined> {
  const given = path ?? (process.env.HALLPASS_CONFIG || undefined)
  const file = given ?? findConfig()
  if (file === undefined) return undefined
  if (!existsSync(file)) {
    throw new HallpassError(
      'config_not_found',
      `there is no config file at ${file}`,
      `name one that is there: ${path === undefined ? 'HALLPASS_CONFIG' : '--config FILE'}`,
    )
  }
  return { path: file, value: file.endsWith('.json') ? await readJson(file) : await runModule(file) }
}

const names = ['hallpass.config.ts', 'hallpass.config.js', 'hallpass.config.mjs', 'hallpass.config.json']

/** Two files could say two things, and nobody would see which counts. */
function findConfig(): string | undefined {
  const [found, another] = names.filter((name) => existsSync(name))
  if (another === undefined) return found
  throw new HallpassError(
    'configuration_invalid',
    `both ${found} and ${another} are here`,
    'keep one of them, or name the one that counts: --config FILE',
  )
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown
  } catch (error) {
    throw unreadable(file, error, 'mend it; a JSON file takes no comments and no comma after the last member')
  }
}

async function runModule(file: string): Promise<unknown> {
  const url = pathToFileURL(resolve(file)).href
  // The file may import from hallpass/server wherever it lies: it gets the Hallpass that reads it.
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'hallpass/server' && context.parentURL === url
        ? { url: ownServer, shortCircuit: true }
        : next(specifier, context),
  })
  try {
    const { default: value } = (await import(url)) as { readonly default?: unknown }
    if (value !== undefined) return value
  } catch (error) {
    throw unreadable(
      file,
      error,
      isTakenForScript(error) ? asModule : 'mend the file; it is run by Node as it is',
    )
  } finally {
    hooks.deregister()
  }
  throw new HallpassError(
    'config_unreadable',
    `${file} exports no config`,
    'write: export default defineConfig({ … })',
  )
}

/** What `npm init` writes into package.json makes Node take `.ts` and `.js` for CommonJS, which has neither import nor export. */
function isTakenForScript(error: unknown): boolean {
  return error instanceof SyntaxError && /outside a module|Unexpected token 'export'/.test(error.message)
}

const asModule =
  'write "type": "module" into the package.json beside it, or end its name in .mjs, without types'

const ownServer = import.meta.url.replace(/cli\/load-config(\.[jt]s)$/, 'server/create-hallpass$1')

function unreadable(file: string, error: unknown, remedy: string): HallpassError {
  const why = error instanceof Error ? error.message : String(error)
  return new HallpassError('config_unreadable', `${file} cannot be read: ${why}`, remedy, { cause: error })
}
