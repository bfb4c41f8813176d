/** As much of DER (ITU-T X.690 §10) as public keys need: one-byte tags, definite lengths, nothing optional. */

/** One value: its tag and what stands inside. */
export interface DerValue {
  readonly tag: number
  readonly contents: Uint8Array
}

/** The tags that keys are made of. */
export const derTag = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  sequence: 0x30,
} as const

/** Reads the one value that `bytes` hold. Undefined when they hold less, or more, or are not DER. */
export function readDer(bytes: Uint8Array): DerValue | undefined {
  const values = readDerSeries(bytes)
  return values?.length === 1 ? values[0] : undefined
}

/** Reads values that stand one after the other and fill `bytes` exactly, such as the contents of a SEQUENCE. */
export function readDerSeries(bytes: Uint8Array): readonly DerValue[] | undefined {
  const values: DerValue[] = []
  let offset = 0
  while (offset < bytes.length) {
    const header = readDerHeader(bytes.subarray(offset))
    if (!header) return undefined
    const end = offset + header.totalLength
    if (end > bytes.length) return undefined
    values.push({ tag: header.tag, contents: bytes.subarray(offset + header.headerLength, end) })
    offset = end
  }
  return values
}

/** Where a value begins: its tag, the bytes of its header, and the bytes that header and contents take together. */
export function readDerHeader(
  bytes: Uint8Array,
): { readonly tag: number; readonly headerLength: number; readonly totalLength: number } | undefined {
  const [tag, first] = bytes
  if (tag === undefined || first === undefined) return undefined
  if (first < 0x80) return { tag, headerLength: 2, totalLength: 2 + first }
  // Three bytes count to 16 million, which is more than any key; 0x80 alone is the indefinite length, which DER forbids.
  const count = first & 0x7f
  const digits = bytes.subarray(2, 2 + count)
  if (count === 0 || count > 3 || digits.length < count) return undefined
  const length = digits.reduce((sum, digit) => sum * 256 + digit, 0)
  // DER has one way to write a length: the shortest.
  if (length < 0x80 || digits[0] === 0) return undefined
  return { tag, headerLength: 2 + count, totalLength: 2 + count + length }
}

/** Writes one value. */
export function writeDer(tag: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const digits: number[] = []
  for (let rest = length; length >= 0x80 && rest > 0; rest = Math.floor(rest / 256))
    digits.unshift(rest % 256)
  const header = digits.length === 0 ? [tag, length] : [tag, 0x80 + digits.length, ...digits]
  const written = new Uint8Array(header.length + length)
  written.set(header)
  let offset = header.length
  for (const part of parts) {
    written.set(part, offset)
    offset += part.length
  }
  return written
}
