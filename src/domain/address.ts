import { BlockList, isIP } from 'node:net'

/**
 * Whether an address is within any of `ranges`, each an IPv4 or IPv6 address with or without a prefix length
 * (`192.0.2.0/24`). An IPv4 address in its IPv6 form (`::ffff:192.0.2.7`) is the IPv4 address. Null, and what is no
 * address, is within none.
 *
 * @throws TypeError for a range that is none, RangeError for a prefix length that is too long
 */
export function addressMatcher(ranges: readonly string[]): (address: string | null) => boolean {
  const list = new BlockList()
  for (const range of ranges) addRange(list, range)
  return (address) => {
    const plain = plainAddress(address ?? '')
    const family = isIP(plain)
    return family !== 0 && list.check(plain, family === 4 ? 'ipv4' : 'ipv6')
  }
}

/** Whether a text is an IPv4 or IPv6 address. */
export function isAddress(text: string): boolean {
  return isIP(text) !== 0
}

/** An address in the form that two spellings of it share where it matters: no zone, and IPv4 as IPv4. */
export function plainAddress(address: string): string {
  // Nearly every call is for an IPv4 address, which has neither a zone nor another spelling.
  if (!address.includes(':')) return address
  const withoutZone = address.replace(/%.*$/, '')
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(withoutZone)?.[1] ?? withoutZone
}

/**
 * What limits count an address by: an IPv4 address as it is, an IPv6 address by its network of 64 bits (`2001:db8:0:1::/64`).
 * A whole such network is given to each household and each rented machine, so that one sender has 2^64 addresses to
 * choose from. All whose address is not known share one bucket.
 */
export function addressBucket(address: string | null): string {
  const plain = plainAddress(address ?? 'unknown')
  // Most are IPv4 addresses, and every request is counted.
  if (!plain.includes(':') || isIP(plain) !== 6) return plain
  const network = groupsOf(plain).slice(0, 4)
  return `${network.map((group) => group.toString(16)).join(':')}::/64`
}

/** The eight groups of an IPv6 address without a zone. */
export function groupsOf(address: string): readonly number[] {
  // The URL parser writes every form of an address in the one of RFC 5952, without a dotted end.
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  return [...left, ...zeros, ...right].map((group) => Number.parseInt(group, 16))
}

function addRange(list: BlockList, range: string): void {
  const [text = '', prefix, more] = range.split('/')
  const address = plainAddress(text)
  const family = isIP(address)
  // An empty prefix would count as 0, and take in every address there is.
  if (family === 0 || more !== undefined || (prefix !== undefined && !/^\d{1,3}$/.test(prefix)))
    throw new TypeError(`${range} is no IP address or range`)
  const type = family === 4 ? 'ipv4' : 'ipv6'
  if (prefix === undefined) list.addAddress(address, type)
  else list.addSubnet(address, Number(prefix), type)
}
