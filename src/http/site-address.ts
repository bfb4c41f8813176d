/**
 * The address that a caller is told the site has: the configured one; the one that was called where none is configured.
 *
 * Two names of this very machine at one port are the same site, so there too it is the name that was called: a client
 * may insist on it, and the cookies of somebody who is signed in are that name's. A configured address that others can
 * reach is never left, because nothing but its sender vouches for the `Host` that a request names.
 */
export function siteAddress(configured: string | undefined, called: URL): string {
  if (configured === undefined) return called.origin
  const own = new URL(configured)
  const isSameHere =
    isThisMachine(own) &&
    isThisMachine(called) &&
    own.protocol === called.protocol &&
    own.port === called.port
  return isSameHere ? called.origin : configured
}

function isThisMachine({ hostname }: URL): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
}
