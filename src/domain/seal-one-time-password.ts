import { oneTimePasswordLifetimeSeconds } from '../protocol/one-time-password-request.ts'
import type { RsaPublicKey } from '../protocol/public-key.ts'
import type { Padding } from '../protocol/rsaes.ts'
import type { DomainEvent } from './events.ts'
import { newOneTimePassword } from './key-text.ts'
import type { Domain } from './ports.ts'
import { seal } from './seal.ts'
import type { OneTimePasswordRecord } from './store.ts'
import type { User } from './user.ts'

/** The scope that a site must offer for one-time passwords, and a key must ask for (protocol §3.3, §6.2). */
export const oneTimePasswordScope = 'one_time_password'

/** Whom a one-time password is for. */
export interface Recipient {
  readonly applicationName: string
  readonly publicKey: RsaPublicKey
  readonly padding: Padding
  /** Absent when it goes nowhere by itself. */
  readonly authRedirect?: string
}

/** A one-time password that is not stored yet. */
export interface SealedOneTimePassword {
  /** For the app: the bare text, sealed with its key, in the wire's Base64 (protocol §4.4). */
  readonly sealed: string
  /** For the store. */
  readonly record: OneTimePasswordRecord
  /** For the audit log, once it is stored. */
  readonly event: DomainEvent
}

/** Makes a one-time password that signs `user` in. It always fits: 32 bytes go into the smallest key that is accepted. */
export function sealOneTimePassword(
  { random, clock }: Pick<Domain, 'random' | 'clock'>,
  user: User,
  recipient: Recipient,
): SealedOneTimePassword {
  const { applicationName, publicKey, padding, authRedirect = null } = recipient
  const { text, hash } = newOneTimePassword(random)
  const createdAt = clock.now()
  return {
    sealed: seal(publicKey, padding, text),
    record: {
      tokenHash: hash,
      userId: user.id,
      username: user.username,
      createdAt,
      expiresAt: createdAt + oneTimePasswordLifetimeSeconds * 1000,
    },
    event: { type: 'one_time_password_issued', userId: user.id, applicationName, authRedirect },
  }
}
