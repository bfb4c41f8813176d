/** The RSA public key that an app sends: reading whatever form it arrives in, and saying what is wrong with it. */
import { encodeBase64 } from './base64.ts'
import { readDerHeader } from './der.ts'
import { type Refusal, refusal } from './errors.ts'
import { bitLength, os2ip } from './integer-octets.ts'
import { aCertificate, type KeyReading, readKeyDer, writeSpki } from './key-der.ts'
import { findPem, holdsPrivateKey, nameOtherForm, undoEscapes } from './pem-text.ts'
import { type Base64Readings, readWrappedBase64 } from './wrapped-base64.ts'

/** An RSA public key (RFC 8017 §3.1), checked. */
export interface RsaPublicKey {
  /** n */
  readonly modulus: bigint
  /** e */
  readonly exponent: bigint
  /** Length of the modulus in bits. */
  readonly bits: number
  /** k: length of the modulus, and of what is sealed with it, in bytes. */
  readonly bytes: number
  /** The key as SubjectPublicKeyInfo in DER, whatever form it came in. Two texts of one key give the same bytes. */
  readonly spki: Uint8Array<ArrayBuffer>
}

/** What a key must be beyond being one. */
export interface PublicKeyLimits {
  /** Default 1024, which the browser flow takes; the device flow asks for 2048 (protocol §4.3). */
  readonly minimumBits?: number
}

/**
 * Reads an RSA public key: SPKI or PKCS#1, in PEM or bare Base64, wrapped in any way. What a careless journey did to it
 * is mended where only one key can have been meant: lost or foreign line breaks, plus signs that became spaces, escapes
 * that nobody undid, the header of the other format. Never throws; takes linear time.
 * Reasons: `public_key_unreadable`, `public_key_not_percent_encoded`, `public_key_not_rsa`, `public_key_is_private`,
 * `public_key_size`.
 */
export function parsePublicKey(
  text: string,
  limits: PublicKeyLimits = {},
):
  | { readonly outcome: 'parsed'; readonly publicKey: RsaPublicKey }
  | { readonly outcome: 'refused'; readonly refusal: Refusal } {
  const read = readKey(text)
  if ('reason' in read) return { outcome: 'refused', refusal: read }
  const modulus = os2ip(read.modulus)
  const exponent = os2ip(read.exponent)
  const bits = bitLength(modulus)
  const minimum = limits.minimumBits ?? publicKeyBits.minimum
  if (bits < minimum || bits > publicKeyBits.maximum) {
    return {
      outcome: 'refused',
      refusal: refusal('public_key_size', { bits, minimum, maximum: publicKeyBits.maximum }),
    }
  }
  if (exponent < 3n || exponent % 2n === 0n || exponent > largestExponent || exponent >= modulus) {
    return {
      outcome: 'refused',
      refusal: unreadable('its exponent is even, below 3, or longer than 33 bits'),
    }
  }
  const publicKey = {
    modulus,
    exponent,
    bits,
    bytes: Math.ceil(bits / 8),
    spki: writeSpki(read.modulus, read.exponent),
  }
  return { outcome: 'parsed', publicKey }
}

/** SubjectPublicKeyInfo in PEM (RFC 7468 §13): lines of 64 characters, line feeds, one at the end. */
export function formatPublicKeyPem(spki: Uint8Array): string {
  const body = encodeBase64(spki).replace(/.{1,64}/g, '$&\n')
  return `-----BEGIN PUBLIC KEY-----\n${body}-----END PUBLIC KEY-----\n`
}

/** The longest text that is looked at, in characters: ten times an 8192-bit key, and enough to name most other things. */
const maximumCharacters = 16_384

/** The bits that a key may have. */
export const publicKeyBits = { minimum: 1024, maximum: 8192 } as const

/**
 * The narrowest limit among the implementations that have to encrypt with the key (BoringSSL's). Generators make 65537,
 * and at times 3, 17, 35 or 37; a long exponent would only make others work for it.
 */
const largestExponent = 2n ** 33n - 1n

type RsaReading = Extract<KeyReading, { kind: 'rsa' }>

function readKey(sent: string): RsaReading | Refusal {
  if (sent.length > maximumCharacters) {
    return unreadable(`it is ${sent.length} characters long, and at most ${maximumCharacters} are read`)
  }
  const text = undoEscapes(sent)
  if (holdsPrivateKey(text)) return refusal('public_key_is_private')
  const { label, body } = findPem(text)
  const otherForm = nameOtherForm(text, label)
  if (otherForm !== undefined) return refusal('public_key_not_rsa', { found: otherForm })

  const base64 = readWrappedBase64(body)
  const keys = readings(base64).flatMap((bytes) => readKeyDer(bytes) ?? [])
  const [key] = keys
  // Two readings that are both a key cannot be told apart by what they are.
  if (!key || keys.length > 1) return explain(label, body, base64)
  if (key.kind === 'private') return refusal('public_key_is_private')
  if (key.kind === 'other') return refusal('public_key_not_rsa', { found: key.found })
  return key
}

/** Says why the text is not a key, as closely as can be told. */
function explain(label: string | undefined, body: string, base64: Base64Readings): Refusal {
  if (label?.endsWith('CERTIFICATE')) return refusal('public_key_not_rsa', { found: aCertificate })
  if (body.trim() === '')
    return unreadable(label === undefined ? 'it is empty' : 'nothing follows its first line')
  if (label === undefined && !/^\s*M/.test(body))
    return unreadable('it has no line -----BEGIN PUBLIC KEY-----')
  if (base64.outcome === 'not-base64') {
    return unreadable(`it holds ${JSON.stringify(base64.character)}, which is not Base64`)
  }
  // Of the readings of a text with spaces, one may have the length that it announces by chance.
  if (base64.spaced) return refusal('public_key_not_percent_encoded')
  const whole = readings(base64).some((bytes) => readDerHeader(bytes)?.totalLength === bytes.length)
  if (whole) return unreadable('its bytes are not those of a public key')
  const [only] = readings(base64)
  const promised = only && readDerHeader(only)?.totalLength
  return promised === undefined
    ? unreadable('its Base64 does not decode to DER')
    : unreadable(`it holds ${only?.length} bytes, and its first bytes announce ${promised}`)
}

function readings(base64: Base64Readings): readonly Uint8Array[] {
  return base64.outcome === 'readings' ? base64.readings : []
}

function unreadable(problem: string): Refusal {
  return refusal('public_key_unreadable', { problem })
}
