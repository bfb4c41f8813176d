/** Big-endian octets and the integers they stand for (RFC 8017 §4). */
import { encodeHex } from './hex.ts'

/** OS2IP (RFC 8017 §4.2): the integer that big-endian octets stand for. No octets stand for 0. */
export function os2ip(octets: Uint8Array): bigint {
  // Hexadecimal, because an engine reads it in linear time; shifting octet by octet would take quadratic time.
  return octets.length === 0 ? 0n : BigInt(`0x${encodeHex(octets)}`)
}

/** I2OSP (RFC 8017 §4.1): `integer` in exactly `length` big-endian octets. Throws a `TypeError` when it needs more. */
export function i2osp(integer: bigint, length: number): Uint8Array<ArrayBuffer> {
  const digits = integer.toString(16).padStart(2 * length, '0')
  if (integer < 0n || digits.length > 2 * length) throw new TypeError('integer too large')
  return Uint8Array.from({ length }, (_, index) =>
    Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16),
  )
}

/** The number of bits in a positive integer, without leading zeros. */
export function bitLength(integer: bigint): number {
  const digits = integer.toString(16)
  return 4 * (digits.length - 1) + Number.parseInt(digits.charAt(0), 16).toString(2).length
}
