import { SignJWT } from 'jose'
import type { Identity } from '../domain/identity.ts'
import type { SigningKeys } from '../domain/signing-keys.ts'
import { keyIdOf, scopesOf } from './identity-headers.ts'

/** How long a token is valid, in seconds: for the way to the application, and clocks that differ a little. */
const identityTokenSeconds = 60

export interface IdentityTokenOptions {
  /** Who signs: the site's address. */
  readonly issuer: string
  /** For whom: the application. */
  readonly audience: string
  /** Milliseconds since the Unix epoch. */
  readonly now: number
}

/**
 * What {@link identityHeaders} say, as a signed token (RFC 7519, ES256): `sub` is the user's id, `username`, `via`, and
 * of a key `scopes` (a list), `client` and `key_id`. Valid for a minute.
 */
export async function signIdentity(
  keys: SigningKeys,
  identity: Identity,
  { issuer, audience, now }: IdentityTokenOptions,
): Promise<string> {
  const { kid, privateKey } = await keys.current()
  const seconds = Math.floor(now / 1000)
  const key = identity.via === 'session' ? {} : { scopes: scopesOf(identity), key_id: keyIdOf(identity) }
  const client = identity.via === 'user_api_key' ? { client: identity.key.clientId } : {}
  return new SignJWT({ username: identity.user.username, via: identity.via, ...key, ...client })
    .setProtectedHeader({ alg: 'ES256', kid, typ: 'JWT' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(identity.user.id)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + identityTokenSeconds)
    .sign(privateKey)
}
