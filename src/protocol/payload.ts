/** What an app receives: a small JSON text, sealed with the public key that the app sent (protocol §4.2 to §4.4). */
import { decodeBase64, encodeMimeBase64 } from './base64.ts'
import { type Refusal, refusal } from './errors.ts'
import type { RsaPrivateKey } from './private-key.ts'
import type { RsaPublicKey } from './public-key.ts'
import { decryptRsaes, encryptRsaes, maximumPlaintextBytes, type Padding } from './rsaes.ts'

/** The protocol's version: `api` in a payload, and the header `Auth-Api-Version` (protocol §3.1). */
export const API_VERSION = 4

/** What a sealed payload says. */
export interface Payload {
  /** The user API key. */
  readonly key: string
  /** The app's own, as it was sent. */
  readonly nonce: string
  /** Whether the site will push notifications to the app (protocol §9). */
  readonly push: boolean
  /** The protocol's version. */
  readonly api: number
  /** When the key expires, in milliseconds since the epoch, precise to the second. Absent: it does not. */
  readonly expiresAt?: number
}

/**
 * The payload as JSON, in the protocol's order, with exactly the protocol's fields: one script that many copied fails on
 * any other. `api` is left out by whoever speaks for this server; default {@link API_VERSION}.
 */
export function serializePayload(payload: Omit<Payload, 'api'> & { readonly api?: number }): string {
  const { key, nonce, push, api = API_VERSION, expiresAt } = payload
  return toRailsJson({
    key,
    nonce,
    push,
    api,
    ...(expiresAt === undefined ? {} : { expires_at: toSeconds(expiresAt) }),
  })
}

/**
 * Reads a payload of any site. Undefined unless it is JSON with the strings `key` and `nonce`. Further fields are passed
 * over, `push` is false unless it is true, `api` is 0 where a site does not tell, and an `expires_at` that is no time
 * counts as none.
 */
export function parsePayload(text: string): Payload | undefined {
  const fields = parseJsonObject(text)
  if (!fields) return undefined
  const { key, nonce, push, api, expires_at: expiry } = fields
  if (typeof key !== 'string' || key === '' || typeof nonce !== 'string') return undefined
  const expiresAt = typeof expiry === 'string' ? Date.parse(expiry) : Number.NaN
  return {
    key,
    nonce,
    push: push === true,
    api: typeof api === 'number' ? api : 0,
    ...(Number.isNaN(expiresAt) ? {} : { expiresAt }),
  }
}

/**
 * Says whether a serialized payload is too long for the key, which only its nonce can make it.
 * Reason: `payload_too_large`.
 */
export function checkPayloadSize(
  publicKey: Pick<RsaPublicKey, 'bits' | 'bytes'>,
  padding: Padding,
  serialized: string,
): Refusal | undefined {
  const actual = utf8(serialized).length
  const maximum = maximumPlaintextBytes(publicKey.bytes, padding)
  if (actual <= maximum) return undefined
  const nonce = parsePayload(serialized)?.nonce ?? ''
  // Without its quotation marks, with the escapes that may have made it longer than what was sent.
  const overhead = actual - (utf8(toRailsJson(nonce)).length - 2)
  return refusal('payload_too_large', {
    actual,
    maximum,
    bits: publicKey.bits,
    padding: padding === 'oaep' ? 'OAEP' : 'PKCS#1',
    largest_nonce: Math.max(0, maximum - overhead),
  })
}

/**
 * Seals a text, be it a payload or a one-time password, for the holder of the private key. Returns MIME Base64.
 * Throws a `TypeError` when the text is too long: ask {@link checkPayloadSize} first.
 */
export async function sealPayload(
  publicKey: RsaPublicKey,
  padding: Padding,
  text: string,
  random: (length: number) => Uint8Array,
): Promise<string> {
  return encodeMimeBase64(await encryptRsaes(publicKey, padding, utf8(text), random))
}

/**
 * Opens what was sealed, in whatever shape it was pasted or passed on: in one line or several, percent-encoded or not,
 * its plus signs turned into spaces. Undefined when it was not sealed for this key with this padding.
 */
export async function openPayload(
  privateKey: RsaPrivateKey,
  padding: Padding,
  sealed: string,
): Promise<string | undefined> {
  // A block is exactly as long as the modulus, which tells whether spaces were line breaks or plus signs.
  const ciphertext = [sealed, sealed.trim().replaceAll(' ', '+')]
    .map(decodeBase64)
    .find((bytes) => bytes?.length === privateKey.bytes)
  const plaintext = ciphertext && (await decryptRsaes(privateKey, padding, ciphertext))
  if (!plaintext) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(plaintext)
  } catch {
    return undefined
  }
}

/**
 * Says whether a text that ought to be a key looks like a payload that nobody opened: Base64, percent-encoded or not, of
 * the length of an RSA block (1024 to 8192 bits). A key is far shorter.
 */
export function looksLikeSealedPayload(text: string): boolean {
  // Three characters for each of the 1368 and their line breaks, when all are percent-encoded, are fewer than this.
  if (text.length > 5000 || text.includes('-----')) return false
  const length = decodeBase64(text)?.length ?? 0
  return length >= 128 && length <= 1024
}

/** JSON as Rails writes it: what HTML or JavaScript could take for markup or a line's end is escaped (protocol §4.2). */
function toRailsJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** ISO 8601 in UTC, to the second. */
function toSeconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}

function parseJsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}
