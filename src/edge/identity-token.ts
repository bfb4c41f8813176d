import type { Identity } from '../domain/identity.ts'
import type { SigningKeys } from '../domain/signing-keys.ts'
import { keyIdOf, scopesOf } from './identity-headers.ts'

/** How long a token is valid, in seconds: for the way to the application, and clocks that differ a little. */
const identityTokenSeconds = 60

/**
 * How long a token is given again to whoever is the same, in milliseconds: a quarter of its life, so that one that
 * arrives is valid for three quarters of a minute at least. To sign takes longer than all else that a gateway does.
 */
const reusedForMs = (identityTokenSeconds * 1000) / 4

/** How many tokens are kept of identities that are made anew for each request. One is about 700 bytes. */
const keptTokens = 10_000

/** A token that can be given again: what stands in it, and when it was made. */
interface KeptToken {
  readonly token: string
  readonly issuer: string
  readonly audience: string
  readonly madeAt: number
}

export interface IdentityTokenOptions {
  /** Who signs: the site's address. */
  readonly issuer: string
  /** For whom: the application. */
  readonly audience: string
  /** Milliseconds since the Unix epoch. */
  readonly now: number
}

/**
 * Signs identities as {@link signIdentity} does, and keeps each token for a while. It is found by all that stands in it,
 * so nobody gets one that says anything but what is so at the moment: who is renamed, or has another scope, gets another.
 */
export function createIdentitySigner(
  keys: SigningKeys,
): (identity: Identity, options: IdentityTokenOptions) => Promise<string> {
  const kept = new Map<string, KeptToken>()
  // That of a key in memory is the same object for each request, and what changes makes another.
  const ofIdentity = new WeakMap<Identity, KeptToken>()

  async function sign(identity: Identity, options: IdentityTokenOptions): Promise<KeptToken> {
    const { issuer, audience, now } = options
    const said = JSON.stringify([issuer, audience, identity.user.id, claimsOf(identity)])
    const known = kept.get(said)
    if (known && isFresh(known, now)) return known
    const made = { token: await signIdentity(keys, identity, options), issuer, audience, madeAt: now }
    kept.delete(said)
    if (kept.size >= keptTokens) {
      const oldest = kept.keys().next()
      if (!oldest.done) kept.delete(oldest.value)
    }
    kept.set(said, made)
    return made
  }

  return async (identity, options) => {
    const { issuer, audience, now } = options
    let known = ofIdentity.get(identity)
    if (!known || known.issuer !== issuer || known.audience !== audience || !isFresh(known, now)) {
      known = await sign(identity, options)
      ofIdentity.set(identity, known)
    }
    return known.token
  }
}

/** A clock that was set back says nothing about age. */
function isFresh({ madeAt }: KeptToken, now: number): boolean {
  return now >= madeAt && now - madeAt < reusedForMs
}

/**
 * What {@link identityHeaders} say, as a signed token (RFC 7519, ES256): `sub` is the user's id, `username`, `via`, and
 * of a key `scopes` (a list), `client` and `key_id`. Valid for a minute.
 */
async function signIdentity(
  keys: SigningKeys,
  identity: Identity,
  { issuer, audience, now }: IdentityTokenOptions,
): Promise<string> {
  // Only now: whoever signs nothing, as behind another proxy, need not load it.
  const { SignJWT } = await import('jose')
  const { kid, privateKey } = await keys.current()
  const seconds = Math.floor(now / 1000)
  return new SignJWT(claimsOf(identity))
    .setProtectedHeader({ alg: 'ES256', kid, typ: 'JWT' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(identity.user.id)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + identityTokenSeconds)
    .sign(privateKey)
}

/** All that differs between two tokens for one application but the user's id and the time. */
function claimsOf(identity: Identity): Record<string, unknown> {
  const key = identity.via === 'session' ? {} : { scopes: scopesOf(identity), key_id: keyIdOf(identity) }
  const client = identity.via === 'user_api_key' ? { client: identity.key.clientId } : {}
  return { username: identity.user.username, via: identity.via, ...key, ...client }
}
