import type { AuthorizationOptions } from './authorization.ts'
import { clientError } from './client-errors.ts'
import { readPublishedSite } from './published-site.ts'
import type { DiscoverOptions } from './site.ts'
import { siteAddress } from './site-address.ts'

/**
 * Asks the site whether it narrows scopes, when that is wanted: one that knows nothing of it would pass over the wish, and
 * the app would hold a key that can do more than its user was promised. Reason: `narrowing_not_offered`.
 */
export async function checkNarrows(
  { site, scopeParameters }: Pick<AuthorizationOptions, 'site' | 'scopeParameters'>,
  options: DiscoverOptions,
): Promise<void> {
  const scopes = Object.keys(scopeParameters ?? {})
  if (scopes.length === 0) return
  const published = await readPublishedSite(siteAddress(site), options)
  if (published?.narrowsScopes) return
  throw clientError('narrowing_not_offered', { site, scopes: scopes.join(', ') })
}
