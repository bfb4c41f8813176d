/** What a page says of the place that a sealed value goes to. */
import { matchAuthRedirect, parseAuthRedirect } from './auth-redirect.ts'

/**
 * Where the key will go, in the form the consent page shows (§3.2 `redirect_uri`): the host, with its port unless that
 * is 80 or 443; null without a redirect, for the official app's own, and for what is no address.
 */
export function displayHost(authRedirect: string | undefined): string | null {
  if (authRedirect === undefined || authRedirect === 'discourse://auth_redirect') return null
  const parsed = parseAuthRedirect(authRedirect)
  if (parsed.outcome === 'refused') return null
  const { host, port } = parsed.redirect
  return !port || [80, 443].includes(Number(port)) ? host : `${host}:${port}`
}

/** Whether an address is one of this computer's own, which the entry `loopback` permits (RFC 8252 §7.3). */
export function isLoopbackRedirect(authRedirect: string): boolean {
  return matchAuthRedirect(authRedirect, ['loopback']).outcome === 'allowed'
}
