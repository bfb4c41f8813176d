/** `hallpass logout`: revokes the kept key at its site. */
import type { Command } from 'commander'
import { createClient } from '../client/api-client.ts'
import { HallpassApiError } from '../client/api-error.ts'
import { CredentialFile } from '../client/credential-file.ts'
import { HallpassError } from '../protocol/errors.ts'
import { keptFor, type SiteFlags, siteOption } from './kept-key.ts'
import { commandName, describeInstant, note, say } from './terminal.ts'

interface LogoutFlags extends SiteFlags {
  readonly force?: true
}

/** Adds `logout` to the program. */
export function registerLogout(program: Command): void {
  program
    .command('logout')
    .summary('revoke your key and forget it')
    .description('Revokes the key at its site, so that no copy of it works any more, and forgets it here.')
    .option(...siteOption)
    .option('--force', 'forget the key even if it cannot be revoked')
    .addHelpText(
      'after',
      `
examples:
  hallpass logout
  hallpass logout --site https://forum.example.com`,
    )
    .action(logout)
}

async function logout({ site, force }: LogoutFlags): Promise<void> {
  const file = new CredentialFile()
  const kept = await keptFor(file, site)
  if (kept.state === 'revoked') {
    say(`the key for ${kept.site} was revoked already, on ${describeInstant(kept.revokedAt)}.`)
    return
  }
  try {
    await createClient(kept.credential).revoke()
    say(`signed out of ${kept.site}. the key is revoked.`)
  } catch (error) {
    if (isDead(error)) {
      say(`signed out of ${kept.site}, which did not accept the key any more.`)
    } else if (force && error instanceof HallpassError) {
      await file.remove(kept.site)
      note(`the key could not be revoked: ${error.message}`)
      say(`forgot the key for ${kept.site}. it works until you revoke it on your apps page there.`)
      return
    } else {
      if (error instanceof HallpassError) {
        note(
          `the key is kept, for it is not revoked. to forget it all the same: ${commandName()} logout --force`,
        )
      }
      throw error
    }
  }
  await file.markRevoked(kept.site, new Date())
}

/** A key of any scope may revoke itself, so that a site which refuses has no such key any more. */
function isDead(error: unknown): boolean {
  return error instanceof HallpassApiError && error.status === 403 && error.reason !== 'owner_suspended'
}
