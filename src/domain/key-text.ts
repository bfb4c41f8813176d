import { createHash } from 'node:crypto'
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

/** An administrator's API key: 32 random bytes as 64 hexadecimal characters (protocol §4.1). */
export function newApiKeyText(random: Random): NewSecret {
  return newSecret(random, 32)
}

/** A browser session's token: 32 random bytes. */
export function newSessionToken(random: Random): NewSecret {
  return newSecret(random, 32)
}

/**
 * The form in which a secret is kept: unsalted SHA-256, lower-case hexadecimal (protocol §4.1). The text holds at
 * least 128 random bits, so that neither a salt nor a slow hash would add anything.
 */
export function hashSecret(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function newSecret(random: Random, bytes: number): NewSecret {
  const text = Buffer.from(random.bytes(bytes)).toString('hex')
  return { text, hash: hashSecret(text) }
}
