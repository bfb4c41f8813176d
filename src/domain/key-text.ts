import { hash } from 'node:crypto'
import { deviceCodeAlphabet, deviceCodeLength, formatUserCode } from '../protocol/device-request.ts'
import type { Random } from './ports.ts'

/** A secret just made: its text, to be delivered once, and what may be kept of it. */
export interface NewSecret {
  readonly text: string
  /** SHA-256 of `text`, lower-case hexadecimal. */
  readonly hash: string
}

/** A user API key: 16 random bytes as 32 hexadecimal characters (protocol §4.1). */
export function newUserApiKeyText(random: Random): NewSecret {
  return newSecret(random, 16)
}

/** A one-time password: 16 random bytes as 32 hexadecimal characters (protocol §4.1). */
export function newOneTimePassword(random: Random): NewSecret {
  return newSecret(random, 16)
}

/** An administrator's API key: 32 random bytes as 64 hexadecimal characters (protocol §4.1). */
export function newApiKeyText(random: Random): NewSecret {
  return newSecret(random, 32)
}

/** A browser session's token: 32 random bytes. */
export function newSessionToken(random: Random): NewSecret {
  return newSecret(random, 32)
}

/** A device code, which an app polls with: 32 random bytes as 64 hexadecimal characters (protocol §5.2). */
export function newDeviceCode(random: Random): NewSecret {
  return newSecret(random, 32)
}

/** An approval token, which stands for a device request on the page where it is decided: 32 random bytes. */
export function newApprovalToken(random: Random): NewSecret {
  return newSecret(random, 32)
}

/** What a user types in, `XXXX-XXXX`: 40 random bits, for ten minutes and few attempts (protocol §5.2, §5.7). */
export function newUserCode(random: Random): NewSecret {
  const text = formatUserCode(newCode(random))
  return { text, hash: hashSecret(text) }
}

/** What an activation link carries: 40 random bits, which show a request and cannot approve it (protocol §5.3). */
export function newRequestToken(random: Random): NewSecret {
  const text = newCode(random)
  return { text, hash: hashSecret(text) }
}

/**
 * The form in which a secret is kept: unsalted SHA-256, lower-case hexadecimal (protocol §4.1). The text of
 * a key holds at least 128 random bits, so that neither a salt nor a slow hash would add anything; the codes of the
 * device flow hold less, and are worth nothing once ten minutes have passed.
 */
export function hashSecret(text: string): string {
  return hash('sha256', text)
}

function newSecret(random: Random, bytes: number): NewSecret {
  const text = Buffer.from(random.bytes(bytes)).toString('hex')
  return { text, hash: hashSecret(text) }
}

function newCode(random: Random): string {
  return [...random.bytes(deviceCodeLength)]
    .map((byte) => deviceCodeAlphabet.charAt(byte % deviceCodeAlphabet.length))
    .join('')
}
