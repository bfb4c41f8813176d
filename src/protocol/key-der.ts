/** What the DER inside a PEM turns out to be: an RSA public key, or something that people send in its place. */
import { type DerValue, derTag, readDer, readDerSeries, writeDer } from './der.ts'
import { encodeHex } from './hex.ts'

/**
 * What was read. Integers are the contents of their DER: big-endian octets, one more than they need where a sign bit has to
 * be 0. `found` names the thing in a few words, with its article.
 */
export type KeyReading =
  | { readonly kind: 'rsa'; readonly modulus: Uint8Array; readonly exponent: Uint8Array }
  | { readonly kind: 'private' }
  | { readonly kind: 'other'; readonly found: string }

/**
 * Tells what `bytes` are. Undefined unless they are, to the last byte, DER of a known make.
 * An RSA public key may be SPKI (RFC 5280 §4.1.2.7) or PKCS#1 (RFC 8017 §A.1.1).
 */
export function readKeyDer(bytes: Uint8Array): KeyReading | undefined {
  const outer = readDer(bytes)
  const parts = outer?.tag === derTag.sequence ? readDerSeries(outer.contents) : undefined
  if (!parts) return undefined
  switch (parts.map(({ tag }) => tagLetters[tag] ?? '?').join('')) {
    case 'II':
      return readRsaIntegers(parts)
    case 'SB':
      return readSpki(parts)
    case 'SSB':
      return { kind: 'other', found: aCertificate }
    // RSA (RFC 8017 §A.1.2) and DSA in their oldest forms, SEC 1, PKCS#8 plain, with attributes, and encrypted, PKCS#12.
    case 'IIIIIIIII':
    case 'IIIIII':
    case 'IO':
    case 'IO?':
    case 'IO??':
    case 'ISO':
    case 'ISO?':
    case 'ISO??':
    case 'SO':
    case 'ISS':
      return { kind: 'private' }
    default:
      return undefined
  }
}

/** What a refusal calls a certificate. */
export const aCertificate: string =
  'a certificate (`openssl x509 -in cert.pem -pubkey -noout` prints the key inside)'

/** A key that was read, as SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), in DER. */
export function writeSpki(modulus: Uint8Array, exponent: Uint8Array): Uint8Array<ArrayBuffer> {
  const algorithm = writeDer(
    derTag.sequence,
    writeDer(derTag.objectIdentifier, rsaEncryption),
    writeDer(derTag.null),
  )
  const key = writeDer(derTag.sequence, writeDer(derTag.integer, modulus), writeDer(derTag.integer, exponent))
  return writeDer(derTag.sequence, algorithm, writeDer(derTag.bitString, Uint8Array.of(0), key))
}

const tagLetters: Readonly<Record<number, string>> = {
  [derTag.integer]: 'I',
  [derTag.bitString]: 'B',
  [derTag.octetString]: 'O',
  [derTag.sequence]: 'S',
}

/** 1.2.840.113549.1.1.1 (RFC 8017 §A.1). */
const rsaEncryption = Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01)

/** Algorithms by the contents of their object identifier, in hexadecimal. */
const otherAlgorithms: Readonly<Record<string, string>> = {
  '2a864886f70d01010a': 'an RSA-PSS key, which can only sign',
  '2a864886f70d010107': 'a key bound to RSAES-OAEP',
  '2a8648ce3d0201': 'an elliptic-curve (EC) key',
  '2b6570': 'an Ed25519 key',
  '2b6571': 'an Ed448 key',
  '2b656e': 'an X25519 key',
  '2b656f': 'an X448 key',
  '2a8648ce380401': 'a DSA key',
  '2a864886f70d010301': 'a Diffie-Hellman key',
}

function readSpki([algorithm, bits]: readonly DerValue[]): KeyReading | undefined {
  const [identifier, parameters, ...more] = (algorithm && readDerSeries(algorithm.contents)) ?? []
  if (identifier?.tag !== derTag.objectIdentifier || more.length > 0) return undefined
  const name = encodeHex(identifier.contents)
  if (name !== encodeHex(rsaEncryption)) {
    return { kind: 'other', found: otherAlgorithms[name] ?? 'a key of another kind' }
  }
  // RFC 3279 §2.3.1 asks for NULL parameters; some writers leave them out.
  if (parameters && (parameters.tag !== derTag.null || parameters.contents.length > 0)) return undefined
  // A BIT STRING begins with the number of bits that its last byte leaves unused.
  if (bits?.contents[0] !== 0) return undefined
  const key = readDer(bits.contents.subarray(1))
  const integers = key?.tag === derTag.sequence ? readDerSeries(key.contents) : undefined
  return integers && readRsaIntegers(integers)
}

function readRsaIntegers(values: readonly DerValue[]): KeyReading | undefined {
  const [modulus, exponent, ...more] = values.map(readPositiveInteger)
  // A product of two odd primes is odd.
  if (!modulus || !exponent || more.length > 0 || !isOdd(modulus)) return undefined
  return { kind: 'rsa', modulus, exponent }
}

/** The contents; undefined when it is negative, zero, or not written as shortly as it can be (X.690 §8.3.2). */
function readPositiveInteger({ tag, contents }: DerValue): Uint8Array | undefined {
  const [first, second = 0] = contents
  if (tag !== derTag.integer || first === undefined || first >= 0x80) return undefined
  if (first === 0 && second < 0x80) return undefined
  return contents
}

function isOdd(octets: Uint8Array): boolean {
  return (octets.at(-1) ?? 0) % 2 === 1
}
