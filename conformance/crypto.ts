/** The app's side of the cryptography, by Node alone: a server is not tested with its own code. */
import { constants, generateKeyPair, type KeyObject, privateDecrypt, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'

/** A key pair of an app's. */
export interface KeyPair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** SubjectPublicKeyInfo in PEM. */
  readonly pem: string
  /** PKCS#1 in PEM. */
  readonly pkcs1Pem: string
  /** Length of the modulus, in bytes. */
  readonly bytes: number
}

export type Padding = 'pkcs1' | 'oaep'

const generate = promisify(generateKeyPair)
const made = new Map<string, Promise<KeyPair>>()

/** A key pair of so many bits, made once; another `name` gives another pair. */
export function keyPair(bits: 1024 | 2048 | 4096 = 2048, name = 'first'): Promise<KeyPair> {
  const existing = made.get(`${bits} ${name}`)
  if (existing) return existing
  const fresh = makeKeyPair(bits)
  made.set(`${bits} ${name}`, fresh)
  return fresh
}

/** The PEM of a public key that is not RSA. */
export async function ellipticPem(): Promise<string> {
  const { publicKey } = await generate('ec', { namedCurve: 'P-256' })
  return publicKey.export({ type: 'spki', format: 'pem' }).toString()
}

/** Opens what a site sealed; white space in the Base64 is ignored. Throws when it does not open. */
export function open(sealed: string, pair: KeyPair, padding: Padding = 'pkcs1'): string {
  const bytes = Buffer.from(sealed.replace(/\s/g, ''), 'base64')
  if (bytes.length !== pair.bytes) {
    throw new Error(`what was sealed has ${bytes.length} bytes, and the key ${pair.bytes}`)
  }
  const how =
    padding === 'oaep'
      ? { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }
      : { padding: constants.RSA_PKCS1_PADDING }
  return privateDecrypt({ key: pair.privateKey, ...how }, bytes).toString()
}

/** Fresh random text, hexadecimal. */
export function randomText(bytes = 8): string {
  return randomBytes(bytes).toString('hex')
}

async function makeKeyPair(bits: number): Promise<KeyPair> {
  const { privateKey, publicKey } = await generate('rsa', { modulusLength: bits })
  return {
    privateKey,
    publicKey,
    pem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    pkcs1Pem: publicKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    bytes: bits / 8,
  }
}
