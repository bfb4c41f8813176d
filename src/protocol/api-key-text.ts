import { encodeHex } from './hex.ts'

/**
 * The text of a user API key: 16 random bytes as 32 lower-case hexadecimal digits (protocol §4.1).
 * Throws a `TypeError` for any other number of bytes.
 */
export function userApiKeyFrom(bytes: Uint8Array): string {
  if (bytes.length !== 16) {
    throw new TypeError(`a user API key is made of 16 random bytes, not of ${bytes.length}`)
  }
  return encodeHex(bytes)
}
