import { formatPublicKeyPem } from './public-key.ts'

/** A key pair for one request: the private half to keep, the public half to send. */
export interface RsaKeyPair {
  /** To be kept where nobody else reads it. Holds no `alg`, because it serves both paddings. */
  readonly privateKeyJwk: JsonWebKey
  /** SPKI in PEM, for the parameter `public_key`. */
  readonly publicKeyPem: string
}

/**
 * Makes an RSA key pair with the exponent 65537. `bits`: default 2048, which is the least that the device flow accepts
 * (protocol §4.3). Needs WebCrypto, which browsers offer to secure contexts only: https:// pages, and http://localhost.
 */
export async function generateRsaKeyPair(bits = 2048): Promise<RsaKeyPair> {
  const algorithm = {
    name: 'RSA-OAEP',
    hash: 'SHA-1',
    modulusLength: bits,
    publicExponent: Uint8Array.of(1, 0, 1),
  }
  const { privateKey, publicKey } = await crypto.subtle.generateKey(algorithm, true, ['encrypt', 'decrypt'])
  const { kty, n, e, d, p, q, dp, dq, qi } = await crypto.subtle.exportKey('jwk', privateKey)
  const spki = new Uint8Array(await crypto.subtle.exportKey('spki', publicKey))
  // Picked by name: WebCrypto's own `alg`, `ext` and `key_ops` would bind the key to RSAES-OAEP.
  const numbers = Object.entries({ kty, n, e, d, p, q, dp, dq, qi })
  return { privateKeyJwk: Object.fromEntries(numbers), publicKeyPem: formatPublicKeyPem(spki) }
}
