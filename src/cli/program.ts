/** The command's own grammar: which commands there are. Each has a file of its own. */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { registerAudit } from './audit.ts'
import { registerCall } from './call.ts'
import { registerConformance } from './conformance.ts'
import { registerJobs } from './jobs.ts'
import { registerLogin } from './login.ts'
import { registerLogout } from './logout.ts'
import { registerMigrate } from './migrate.ts'
import { registerScopes } from './scopes/scopes.ts'
import { registerServe } from './serve.ts'
import { registerSites } from './sites.ts'
import { registerStore } from './store.ts'
import { registerWhoami } from './whoami.ts'

/** The program, ready to parse. It throws instead of ending the process. */
export function createProgram(): Command {
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
  registerServe(program)
  registerLogin(program)
  registerCall(program)
  registerWhoami(program)
  registerSites(program)
  registerLogout(program)
  registerAudit(program)
  registerConformance(program)
  registerJobs(program)
  registerScopes(program)
  registerMigrate(program)
  registerStore(program)
  return program
}

/** The package finds itself under its own name, from its sources and from `dist/`. */
function packageVersion(): string {
  const file = new URL(import.meta.resolve('hallpass/package.json'))
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
  return version
}
