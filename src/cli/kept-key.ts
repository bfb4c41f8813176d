import type { Credential } from '../client/authorization.ts'
import { clientError } from '../client/client-errors.ts'
import type { CredentialFile } from '../client/credential-file.ts'
import type { KeptCredential } from '../client/kept-credentials.ts'
import { siteAddress } from '../client/site-address.ts'
import { commandName, describeInstant } from './terminal.ts'

/** The flag that names one of several sites. */
export const siteOption = ['--site <site>', 'which site, when you are signed in to several'] as const

export interface SiteFlags {
  readonly site?: string
}

/**
 * The key to use: of the site that was named, or of the default one. Reasons: `credential_missing`,
 * `credential_revoked`.
 */
export async function keptKey(
  file: CredentialFile,
  site: string | undefined,
): Promise<{ readonly credential: Credential; readonly username: string | null }> {
  const kept = await keptFor(file, site)
  if (kept.state === 'active') return kept
  throw clientError('credential_revoked', {
    site: kept.site,
    revoked_at: describeInstant(kept.revokedAt),
    command: `${commandName()} login ${kept.site}`,
  })
}

/** What is kept for the site that was named, or for the default one, revoked or not. Reason: `credential_missing`. */
export async function keptFor(file: CredentialFile, site: string | undefined): Promise<KeptCredential> {
  const kept = await file.find(site)
  if (kept) return kept
  if (site !== undefined) {
    const address = siteAddress(site)
    throw clientError('credential_missing', { site: address, command: `${commandName()} login ${address}` })
  }
  const others = await file.list()
  const command = others.length === 0 ? 'login <site>' : 'sites` and add `--site <site>'
  const which = others.length === 0 ? 'any site' : 'a default site'
  throw clientError('credential_missing', { site: which, command: `${commandName()} ${command}` })
}
