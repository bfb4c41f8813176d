/** `hallpass sites`: the keys that are kept on this machine. */
import type { Command } from 'commander'
import { CredentialFile } from '../client/credential-file.ts'
import type { KeptCredential } from '../client/kept-credentials.ts'
import { describeScopes } from './scope-list.ts'
import { commandName, describeInstant, say } from './terminal.ts'

/** Adds `sites` to the program. */
export function registerSites(program: Command): void {
  program
    .command('sites')
    .summary('list the sites that you have a key for')
    .description('Lists the keys kept on this machine. A * marks the site that is meant when none is named.')
    .addHelpText(
      'after',
      `
example:
  hallpass sites`,
    )
    .action(sites)
}

async function sites(): Promise<void> {
  const file = new CredentialFile()
  const kept = await file.list()
  if (kept.length === 0) {
    say(`no sites yet. run \`${commandName()} login <site>\``)
    return
  }
  const byDefault = (await file.find())?.site
  const width = Math.max(...kept.map(({ site }) => site.length))
  for (const each of kept) {
    say(`${each.site === byDefault ? '*' : ' '} ${each.site.padEnd(width)}  ${describe(each)}`)
  }
}

function describe(kept: KeptCredential): string {
  const who = kept.username ?? '(nobody named)'
  if (kept.state === 'revoked') return `${who}  revoked on ${describeInstant(kept.revokedAt)}`
  const { expiresAt } = kept.credential
  const end =
    expiresAt === null ? '' : `  ${isPast(expiresAt) ? 'ended' : 'until'} ${describeInstant(expiresAt)}`
  return `${who}  ${describeScopes(kept.credential)}${end}`
}

function isPast(iso: string): boolean {
  return Date.parse(iso) < Date.now()
}
