import { addressMatcher, groupsOf, plainAddress } from './address.ts'

/**
 * Whether an IP address is one of the public internet: not this host, a private network, a link, a cloud’s metadata
 * service, or reserved for anything (the IANA special-purpose address registries, RFC 6890). An IPv6 address that stands
 * for an IPv4 address (mapped, NAT64, 6to4) is what that is. False for what is no address.
 */
export function isPublicAddress(address: string): boolean {
  const plain = plainAddress(address)
  if (!plain.includes(':')) return isAddressV4(plain) && !isSpecialV4(plain)
  if (!URL.canParse(`http://[${plain}]/`)) return false
  const groups = groupsOf(plain)
  const embedded = embeddedV4(groups)
  if (embedded !== undefined) return !isSpecialV4(embedded)
  // All global unicast addresses that were ever given out are in this one range; the rest is somebody’s own, or nobody’s.
  return isGlobalUnicastV6(plain) && !isSpecialV6(plain)
}

const isAddressV4 = addressMatcher(['0.0.0.0/0'])

const isSpecialV4 = addressMatcher([
  '0.0.0.0/8', // this network; 0.0.0.0 reaches the host itself (RFC 791)
  '10.0.0.0/8', // private (RFC 1918)
  '100.64.0.0/10', // carrier-grade NAT (RFC 6598), and a metadata service, 100.100.100.200
  '127.0.0.0/8', // loopback (RFC 1122)
  '168.63.129.16', // a cloud’s platform service, reachable only from its own machines
  '169.254.0.0/16', // link-local (RFC 3927), and metadata services, 169.254.169.254
  '172.16.0.0/12', // private (RFC 1918)
  '192.0.0.0/24', // protocol assignments (RFC 6890)
  '192.0.2.0/24', // documentation (RFC 5737)
  '192.88.99.0/24', // 6to4 relays, which are gone (RFC 7526)
  '192.168.0.0/16', // private (RFC 1918)
  '198.18.0.0/15', // benchmarking (RFC 2544)
  '198.51.100.0/24', // documentation (RFC 5737)
  '203.0.113.0/24', // documentation (RFC 5737)
  '224.0.0.0/4', // multicast (RFC 5771)
  '240.0.0.0/4', // reserved (RFC 1112), and broadcast
])

const isGlobalUnicastV6 = addressMatcher(['2000::/3'])

const isSpecialV6 = addressMatcher([
  '2001::/23', // protocol assignments (RFC 2928): Teredo, benchmarking, ORCHID
  '2001:db8::/32', // documentation (RFC 3849)
  '3fff::/20', // documentation (RFC 9637)
])

/** The IPv4 address that an IPv6 address leads to; undefined for one of its own. */
function embeddedV4(groups: readonly number[]): string | undefined {
  const [first, second, third] = groups
  const begins = (prefix: readonly number[]): boolean =>
    prefix.every((group, index) => groups[index] === group)
  if (begins([0, 0, 0, 0, 0, 0xffff])) return dotted(groups[6], groups[7]) // mapped (RFC 4291 §2.5.5.2)
  if (begins([0x64, 0xff9b, 0, 0, 0, 0])) return dotted(groups[6], groups[7]) // NAT64 (RFC 6052)
  return first === 0x2002 ? dotted(second, third) : undefined // 6to4 (RFC 3056)
}

function dotted(high = 0, low = 0): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
}
