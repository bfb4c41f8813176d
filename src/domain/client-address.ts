import { addressMatcher, isAddress, plainAddress } from './address.ts'
import type { HeaderReader } from './header-reader.ts'

/** Tells the address of whoever sent a request: `peer` is whom the process talks to, null when that is not known. */
export type ClientAddress = (peer: string | null, headers: HeaderReader) => string | null

/**
 * Takes `X-Forwarded-For` from the proxies in `trustedProxies` (addresses or ranges) and from nobody else. Each proxy
 * adds at the right whom it talked to, with or without a port, so the header is read from there: the sender is the first
 * address that is not a trusted proxy's. What stands left of that anybody could have written. An entry that is no address
 * ends the reading, and the last one before it counts.
 *
 * @throws TypeError for a range that is none, RangeError for a prefix length that is too long
 */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  if (trustedProxies.length === 0) return (peer) => peer && plainAddress(peer)
  const isTrusted = addressMatcher(trustedProxies)
  return (peer, headers) => {
    if (peer === null) return null
    const nearest = plainAddress(peer)
    const forwardedFor = isTrusted(nearest) ? headers.get('x-forwarded-for') : null
    return forwardedFor === null ? nearest : farthest(nearest, forwardedFor, isTrusted)
  }
}

function farthest(nearest: string, forwardedFor: string, isTrusted: (address: string) => boolean): string {
  let address = nearest
  let end = forwardedFor.length
  while (end > 0 && isTrusted(address)) {
    const comma = forwardedFor.lastIndexOf(',', end - 1)
    const entry = plainAddress(withoutPort(forwardedFor.slice(comma + 1, end).trim()))
    if (!isAddress(entry)) break
    address = entry
    end = comma
  }
  return address
}

/** Of `192.0.2.7:5555` and `[2001:db8::7]:5555` the address; anything else as it is. */
function withoutPort(entry: string): string {
  if (!entry.includes(':')) return entry
  const [, v4, v6] = /^(?:(\d+(?:\.\d+){3})|\[([^\]]*:[^\]]*)\])(?::\d{1,5})?$/.exec(entry) ?? []
  return v4 ?? v6 ?? entry
}
