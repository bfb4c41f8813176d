/**
 * What an application behind Hallpass is told about who sent a request, as plain headers. Whoever forwards requests
 * takes these headers out of what callers send (`isIdentityHeader`), so that the application can believe them.
 */
import type { Identity } from '../domain/identity.ts'
import { plainHeaderName } from '../protocol/lenient-names.ts'

/** Carries the same as a token that the application can verify; beside the plain headers, from the gateway alone. */
export const signedIdentityHeader = 'x-hallpass-identity'

/**
 * The headers for a request of `identity`: user, how they are known (`session`, `user_api_key`, `api_key`) and, of a key,
 * its scopes, separated by commas, its client and its id. Names are in lower case. What a header cannot hold of a
 * value, and `%`, is percent-encoded as UTF-8.
 */
export function identityHeaders(identity: Identity): Readonly<Record<string, string>> {
  let headers = known.get(identity)
  if (!headers) {
    headers = headersFor(identity)
    known.set(identity, headers)
  }
  return headers
}

/** For as long as an identity is in memory, and no longer: who changes is another. */
const known = new WeakMap<Identity, Readonly<Record<string, string>>>()

function headersFor(identity: Identity): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {
    'x-hallpass-user': headerText(identity.user.username),
    'x-hallpass-user-id': headerText(identity.user.id),
    'x-hallpass-via': identity.via,
  }
  if (identity.via === 'session') return headers
  headers['x-hallpass-scopes'] = scopesOf(identity).map(headerText).join(',')
  headers['x-hallpass-key-id'] = String(keyIdOf(identity))
  if (identity.via === 'user_api_key') headers['x-hallpass-client'] = headerText(identity.key.clientId)
  return headers
}

/**
 * Whether callers may not send a header of this name. Whatever begins with `X-Hallpass-`, in any spelling that a
 * program may take for it: CGI, WSGI and Rack read `X_Hallpass_User` and `X-Hallpass-User` alike.
 */
export function isIdentityHeader(name: string): boolean {
  return plainHeaderName(name).startsWith('x-hallpass-')
}

/**
 * The scopes of a key by name, without the values that they are narrowed to: that narrowing is enforced already. For an
 * API key `resource:action`, or its mode, `global` or `read_only`. Empty for a session, which no scope limits.
 */
export function scopesOf(identity: Identity): readonly string[] {
  if (identity.via === 'session') return []
  if (identity.via === 'user_api_key') return identity.key.scopes.map(({ name }) => name)
  const { scopeMode, scopes } = identity.apiKey
  return scopeMode === 'granular'
    ? scopes.map(({ resource, action }) => `${resource}:${action}`)
    : [scopeMode]
}

/** The row of the key, unique among keys of its kind; undefined for a session. */
export function keyIdOf(identity: Identity): number | undefined {
  if (identity.via === 'session') return undefined
  return identity.via === 'user_api_key' ? identity.key.id : identity.apiKey.id
}

function headerText(text: string): string {
  return text.toWellFormed().replace(/[^\x21-\x24\x26-\x2b\x2d-\x7e]/gu, encodeURIComponent)
}
