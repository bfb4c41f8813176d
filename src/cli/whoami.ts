/** `hallpass whoami`: who the kept key speaks for. */
import type { Command } from 'commander'
import { createClient } from '../client/api-client.ts'
import { CredentialFile } from '../client/credential-file.ts'
import { keptKey, type SiteFlags, siteOption } from './kept-key.ts'
import { describeScopes } from './scope-list.ts'
import { describeInstant, say, strong } from './terminal.ts'
import { usernameOf } from './who.ts'

/** Adds `whoami` to the program. */
export function registerWhoami(program: Command): void {
  program
    .command('whoami')
    .summary('say whose key this is, and what it may do')
    .description('Asks the site whose key this is. Fails when the site no longer accepts the key.')
    .option(...siteOption)
    .addHelpText(
      'after',
      `
examples:
  hallpass whoami
  hallpass whoami --site https://forum.example.com`,
    )
    .action(whoami)
}

async function whoami({ site }: SiteFlags): Promise<void> {
  const { credential, username } = await keptKey(new CredentialFile(), site)
  const asked = canAsk(credential.scopes)
    ? (await createClient(credential).currentUser()).username
    : ((await usernameOf(credential)) ?? username)
  say(asked === null ? `somebody at ${credential.site}` : `${strong(asked)} at ${credential.site}`)
  say(`this key may: ${describeScopes(credential)}`)
  say(`it was given to: ${credential.applicationName}`)
  say(
    credential.expiresAt === null
      ? 'it does not expire'
      : `it ends on ${describeInstant(credential.expiresAt)}`,
  )
}

function canAsk(scopes: readonly string[]): boolean {
  return scopes.some((scope) => ['read', 'write', 'session_info'].includes(scope))
}
