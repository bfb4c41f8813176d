const digitsOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Two lower-case hexadecimal digits for each byte. */
export function encodeHex(bytes: Uint8Array): string {
  let digits = ''
  for (const byte of bytes) digits += digitsOfByte[byte]
  return digits
}
