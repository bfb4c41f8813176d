/** What a site tells of its scopes, for somebody at a terminal: before a login, and after a call that was refused. */
import { HallpassApiError } from '../client/api-error.ts'
import type { Credential } from '../client/authorization.ts'
import { readPublishedSite } from '../client/published-site.ts'
import type { Site } from '../client/site.ts'
import { HallpassError, type Refusal, refusal } from '../protocol/errors.ts'
import { scopeArguments } from './scope-list.ts'
import { commandName } from './terminal.ts'

/**
 * Throws for a scope that the site does not know or does not give out, with the list of those that it does: before
 * anybody is sent to a browser. Reasons: `scope_unknown`, `scope_not_allowed`. A site that does not tell its scopes has
 * its say later.
 */
export function checkOffered(site: Site, scopes: readonly string[]): void {
  if (!site.scopes) return
  const allowed = namesOf(site.scopes)
  for (const scope of scopes) {
    const offered = site.scopes.find(({ name }) => name === scope)
    if (offered?.allowed) continue
    throw errorFor(
      offered
        ? refusal('scope_not_allowed', { scope, allowed: allowed.join(', ') })
        : refusal('scope_unknown', {
            scope,
            known: allowed.join(', '),
            read_as: scopes.map((one) => JSON.stringify(one)).join(', '),
          }),
    )
  }
}

/**
 * The error of a call with `credential`; one for want of a scope says which to ask for, the narrowest that the site gives
 * out, and with which command. The new key takes the place of the old one, so the command asks for what that had too.
 */
export async function withLoginCommand(error: unknown, credential: Credential): Promise<unknown> {
  if (!(error instanceof HallpassApiError)) return error
  // They go into a command line that somebody will paste.
  const needed = error.neededScopes.filter((name) => /^[\w:-]+$/.test(name))
  if (needed.length === 0) return error
  const { site } = credential
  const told = (await readPublishedSite(site))?.scopes
  const offered = told && namesOf(told)
  const scope = offered ? needed.find((name) => offered.includes(name)) : needed[0]
  const remedy =
    scope === undefined
      ? `ask an administrator of ${site} to add one of them to the setting allow_user_api_key_scopes`
      : `ask for \`${scope}\`: ${commandName()} login ${site} ${scopeArguments(again(credential, scope))}`
  const { reason, message, status, errorType, errors, docsUrl, waitSeconds, neededScopes, grantedScopes } =
    error
  return new HallpassApiError({
    ...{ reason, message, remedy, status, errorType, errors },
    ...{ docsUrl, waitSeconds, neededScopes, grantedScopes },
  })
}

/** A scope that the key has, and that would not do, is narrowed to other values: the whole of it is what would. */
function again(
  { scopes, scopeParameters = {} }: Credential,
  scope: string,
): Pick<Credential, 'scopes' | 'scopeParameters'> {
  const kept = Object.entries(scopeParameters).filter(([name]) => name !== scope)
  return { scopes: [...new Set([...scopes, scope])], scopeParameters: Object.fromEntries(kept) }
}

function namesOf(scopes: NonNullable<Site['scopes']>): readonly string[] {
  return scopes.filter(({ allowed }) => allowed).map(({ name }) => name)
}

function errorFor({ reason, message, remedy }: Refusal): HallpassError {
  return new HallpassError(reason, message, remedy)
}
