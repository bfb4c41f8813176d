import { decodeBase64 } from './base64.ts'
import { bitLength, os2ip } from './integer-octets.ts'

/** An RSA private key with two primes, in the form with the Chinese remainder theorem (RFC 8017 §3.2). */
export interface RsaPrivateKey {
  /** n */
  readonly modulus: bigint
  /** e */
  readonly exponent: bigint
  /** d */
  readonly privateExponent: bigint
  readonly p: bigint
  readonly q: bigint
  readonly dP: bigint
  readonly dQ: bigint
  readonly qInv: bigint
  /** k: length of the modulus in bytes. */
  readonly bytes: number
}

/**
 * Reads a private key from a JSON Web Key (RFC 7518 §6.3.2), whatever its `alg`, `use` and `key_ops`.
 * Throws a `TypeError`, which says nothing of the values, when it is not an RSA private key with two primes, or when
 * its numbers do not belong together.
 */
export function importRsaPrivateKey(jwk: JsonWebKey): RsaPrivateKey {
  if (jwk.kty !== 'RSA' || jwk.oth !== undefined)
    throw new TypeError('not an RSA private key with two primes')
  const modulus = readField(jwk, 'n')
  const key = {
    modulus,
    exponent: readField(jwk, 'e'),
    privateExponent: readField(jwk, 'd'),
    p: readField(jwk, 'p'),
    q: readField(jwk, 'q'),
    dP: readField(jwk, 'dp'),
    dQ: readField(jwk, 'dq'),
    qInv: readField(jwk, 'qi'),
    bytes: Math.ceil(bitLength(modulus) / 8),
  }
  if (!isConsistent(key)) throw new TypeError('the numbers of the RSA private key do not belong together')
  return key
}

function readField(jwk: JsonWebKey, name: 'n' | 'e' | 'd' | 'p' | 'q' | 'dp' | 'dq' | 'qi'): bigint {
  const text: unknown = jwk[name]
  const bytes = typeof text === 'string' ? decodeBase64(text) : undefined
  const integer = bytes ? os2ip(bytes) : 0n
  if (integer === 0n) throw new TypeError(`the RSA private key lacks \`${name}\``)
  return integer
}

/** The equations of RFC 8017 §3.2, so that a damaged key is found when it is read and not when it fails to decrypt. */
function isConsistent({ modulus, exponent, privateExponent: d, p, q, dP, dQ, qInv }: RsaPrivateKey): boolean {
  return (
    p > 1n &&
    q > 1n &&
    p * q === modulus &&
    (exponent * dP) % (p - 1n) === 1n &&
    (exponent * dQ) % (q - 1n) === 1n &&
    d % (p - 1n) === dP &&
    d % (q - 1n) === dQ &&
    (q * qInv) % p === 1n
  )
}
