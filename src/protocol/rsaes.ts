/**
 * The two encryption schemes of the wire (protocol §4.3), named as in RFC 8017.
 *
 * RSAES-OAEP is done by WebCrypto, which takes every key that `parsePublicKey` lets through. WebCrypto has no
 * RSAES-PKCS1-v1_5, which is the wire's default, so that scheme is built here from the RSA primitives. Integers of any
 * language's standard library, JavaScript's among them, do not compute in constant time; decryption therefore blinds
 * what it computes on, decodes without an early exit, and fails in one way only.
 */
import { encodeBase64Url } from './base64.ts'
import { i2osp, os2ip } from './integer-octets.ts'
import { modInverse, modPow } from './modular.ts'
import type { RsaPrivateKey } from './private-key.ts'
import type { RsaPublicKey } from './public-key.ts'

/** The wire's names: `pkcs1` is RSAES-PKCS1-v1_5; `oaep` is RSAES-OAEP with SHA-1, MGF1 with SHA-1 and no label. */
export type Padding = 'pkcs1' | 'oaep'

/** The longest plaintext, in bytes, for a modulus of so many bytes: k − 11 (RFC 8017 §7.2.1) or k − 42 (§7.1.1). */
export function maximumPlaintextBytes(modulusBytes: number, padding: Padding): number {
  return modulusBytes - (padding === 'oaep' ? 42 : 11)
}

/**
 * Encrypts to one RSA block, as long as the modulus. `random` gives the padding of RSAES-PKCS1-v1_5; WebCrypto draws
 * its own for RSAES-OAEP. Throws a `TypeError` when `plaintext` is too long: check its size first.
 */
export async function encryptRsaes(
  publicKey: RsaPublicKey,
  padding: Padding,
  plaintext: Uint8Array<ArrayBuffer>,
  random: (length: number) => Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  if (plaintext.length > maximumPlaintextBytes(publicKey.bytes, padding)) {
    throw new TypeError('message too long')
  }
  if (padding === 'oaep') {
    const key = await crypto.subtle.importKey('spki', publicKey.spki, oaep, false, ['encrypt'])
    return new Uint8Array(await crypto.subtle.encrypt(oaep, key, plaintext))
  }
  const message = os2ip(encodePkcs1(publicKey.bytes, plaintext, random))
  return i2osp(modPow(message, publicKey.exponent, publicKey.modulus), publicKey.bytes)
}

/** Decrypts one RSA block. Undefined, with no word on why, when it was not made for this key and padding. */
export async function decryptRsaes(
  privateKey: RsaPrivateKey,
  padding: Padding,
  ciphertext: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (ciphertext.length !== privateKey.bytes) return undefined
  if (padding === 'oaep') return decryptOaep(privateKey, ciphertext)
  const representative = os2ip(ciphertext)
  if (representative >= privateKey.modulus) return undefined
  const message = rsadp(privateKey, representative)
  return message === undefined ? undefined : decodePkcs1(i2osp(message, privateKey.bytes))
}

const oaep = { name: 'RSA-OAEP', hash: 'SHA-1' } as const

/** EME-PKCS1-v1_5 encoding (RFC 8017 §7.2.1): 00 02, random bytes other than zero, 00, the plaintext. */
function encodePkcs1(
  modulusBytes: number,
  plaintext: Uint8Array,
  random: (length: number) => Uint8Array,
): Uint8Array {
  const encoded = new Uint8Array(modulusBytes)
  encoded[1] = 2
  encoded.set(nonZeroBytes(modulusBytes - plaintext.length - 3, random), 2)
  encoded.set(plaintext, modulusBytes - plaintext.length)
  return encoded
}

function nonZeroBytes(length: number, random: (length: number) => Uint8Array): Uint8Array {
  const bytes: number[] = []
  // One draw leaves out one byte in 256; a source that still owes bytes after a hundred is none.
  for (let draw = 0; bytes.length < length; draw++) {
    if (draw === 100) throw new TypeError('the source of randomness gives only zeros')
    for (const byte of random(length - bytes.length)) if (byte !== 0) bytes.push(byte)
  }
  return Uint8Array.from(bytes)
}

/** EME-PKCS1-v1_5 decoding (RFC 8017 §7.2.2). Looks at every byte, whatever the ones before were. */
function decodePkcs1(encoded: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
  let separator = 0
  let searching = 1
  let wrong = (encoded[0] ?? 1) | ((encoded[1] ?? 0) ^ 2)
  for (let index = 2; index < encoded.length; index++) {
    const isZero = ((encoded[index] ?? 0) - 1) >>> 31
    separator |= index * (searching & isZero)
    searching &= 1 - isZero
  }
  // The padding is at least eight bytes long, so that no separator can stand before the eleventh byte.
  wrong |= searching | ((separator - 10) >>> 31)
  const plaintext = encoded.slice(separator + 1)
  return wrong === 0 ? plaintext : undefined
}

/** RSADP by the Chinese remainder theorem (RFC 8017 §5.1.2), on a blinded representative. */
function rsadp(key: RsaPrivateKey, ciphertext: bigint): bigint | undefined {
  const { modulus, exponent } = key
  const blind = os2ip(crypto.getRandomValues(new Uint8Array(key.bytes + 8))) % modulus
  const unblind = modInverse(blind, modulus)
  // The blind has no inverse when it is zero or a multiple of a prime of the key: once in 2^500 decryptions.
  if (unblind === undefined) return undefined
  const blinded = (ciphertext * modPow(blind, exponent, modulus)) % modulus
  const m1 = modPow(blinded % key.p, key.dP, key.p)
  const m2 = modPow(blinded % key.q, key.dQ, key.q)
  const h = ((((m1 - m2) * key.qInv) % key.p) + key.p) % key.p
  const message = m2 + key.q * h
  // A fault in one of the two halves would give the factors of the key away to whoever sees the result.
  if (modPow(message, exponent, modulus) !== blinded) return undefined
  return (message * unblind) % modulus
}

async function decryptOaep(
  key: RsaPrivateKey,
  ciphertext: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const imported = await crypto.subtle.importKey('jwk', toJwk(key), oaep, false, ['decrypt'])
  try {
    return new Uint8Array(await crypto.subtle.decrypt(oaep, imported, ciphertext))
  } catch {
    return undefined
  }
}

function toJwk(key: RsaPrivateKey): JsonWebKey {
  return {
    kty: 'RSA',
    n: field(key.modulus),
    e: field(key.exponent),
    d: field(key.privateExponent),
    p: field(key.p),
    q: field(key.q),
    dp: field(key.dP),
    dq: field(key.dQ),
    qi: field(key.qInv),
  }
}

function field(integer: bigint): string {
  const digits = integer.toString(16)
  return encodeBase64Url(i2osp(integer, Math.ceil(digits.length / 2)))
}
