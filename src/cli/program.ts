/** The command's own grammar: which commands there are. Each has a file of its own. */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'

/**
 * The program, ready to parse `words`. It throws instead of ending the process. Where the first word is a command, it has
 * that one alone: a server need not load what the others are made of.
 */
export async function createProgram(words: readonly string[]): Promise<Command> {
  const program = new Command('hallpass')
    .description('Keys that a user approves, for apps that call a site in their name.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .configureHelp({ styleTitle: (title) => title.toLowerCase(), showGlobalOptions: false })
    .exitOverride()
    .showHelpAfterError('(add --help for how it is meant)')
    .addHelpText(
      'after',
      `
examples:
  hallpass serve                                       a server on this machine, to try it all
  hallpass login localhost:4000 --scopes read,write    approve in the browser
  hallpass call GET /session/current.json              use the key
  hallpass logout                                      revoke it

exit status: 0 done, 1 refused or failed, 2 not understood`,
    )
  const only = commands.get(words[0] ?? '')
  for (const load of only ? [only] : commands.values()) {
    const register = await load()
    register(program)
  }
  return program
}

/** What each command is made by, in the order of the help. */
const commands: ReadonlyMap<string, () => Promise<(program: Command) => void>> = new Map([
  ['serve', async () => (await import('./serve.ts')).registerServe],
  ['login', async () => (await import('./login.ts')).registerLogin],
  ['call', async () => (await import('./call.ts')).registerCall],
  ['whoami', async () => (await import('./whoami.ts')).registerWhoami],
  ['sites', async () => (await import('./sites.ts')).registerSites],
  ['logout', async () => (await import('./logout.ts')).registerLogout],
  ['audit', async () => (await import('./audit.ts')).registerAudit],
  ['conformance', async () => (await import('./conformance.ts')).registerConformance],
  ['jobs', async () => (await import('./jobs.ts')).registerJobs],
  ['scopes', async () => (await import('./scopes/scopes.ts')).registerScopes],
  ['migrate', async () => (await import('./migrate.ts')).registerMigrate],
  ['store', async () => (await import('./store.ts')).registerStore],
])

/** The package finds itself under its own name, from its sources and from `dist/`. */
function packageVersion(): string {
  const file = new URL(import.meta.resolve('hallpass/package.json'))
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
  return version
}
