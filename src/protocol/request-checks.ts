/**
 * The checks that the browser flow, the device flow and one-time passwords share (protocol §3.2, §5.2, §6). Each
 * answers with the value that the request may go on with, or with the refusal.
 */
import { matchAuthRedirect } from './auth-redirect.ts'
import { type Refusal, refusal } from './errors.ts'
import { serializePayload } from './payload.ts'
import type { Padding } from './rsaes.ts'
import type { ScopeCatalogue } from './scopes.ts'
import type { Settings } from './settings.ts'

/** A checked value, or why there is none. */
export type Checked<Value> =
  | { readonly outcome: 'accepted'; readonly value: Value }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }

/** What requested scopes are measured by. */
export interface ScopeLimits {
  readonly catalogue: ScopeCatalogue
  /** The setting `allow_user_api_key_scopes`. */
  readonly allowed: Settings['allow_user_api_key_scopes']
  /** The client, when it is registered with scopes of its own; they cap what it may ask for (protocol §7.3). */
  readonly client: { readonly clientId: string; readonly registeredScopes: readonly string[] } | undefined
}

/**
 * Takes a `scopes` parameter apart at its commas, without trimming. Every name is one that the catalogue holds.
 * Repetitions are dropped, the order is kept. A refusal names the scopes `offered`; by default all that exist. Reasons: `parameter_invalid`, `scope_unknown`.
 */
export function readScopes(
  text: string,
  catalogue: ScopeCatalogue,
  offered: readonly string[] = catalogue.names,
): Checked<readonly string[]> {
  const sent = text.split(',')
  // A comma at the end names nothing, as in the protocol's first implementation.
  while (sent.at(-1) === '') sent.pop()
  const scopes = [...new Set(sent)]
  if (scopes.length === 0) {
    return refused(
      refusal('parameter_invalid', {
        field: 'scopes',
        problem: 'it names no scope',
        expected: 'names of scopes, separated by commas',
      }),
    )
  }
  const unknown = scopes.find((scope) => !catalogue.find(scope))
  if (unknown !== undefined) {
    const known = listed(offered)
    // Each name in quotes, so that a space in front of one can be seen.
    const readAs = sent.map((scope) => JSON.stringify(scope)).join(', ')
    return refused(refusal('scope_unknown', { scope: unknown, known, read_as: readAs }))
  }
  return { outcome: 'accepted', value: scopes }
}

/**
 * Reads a `scopes` parameter, and checks what the site and the client's registration allow.
 * Reasons: those of {@link readScopes}, `scope_not_allowed`, `scope_not_registered`.
 */
export function checkScopes(text: string, limits: ScopeLimits): Checked<readonly string[]> {
  const { catalogue, allowed, client } = limits
  const read = readScopes(text, catalogue, allowed)
  if (read.outcome === 'refused') return read
  const scopes = read.value
  const forbidden = scopes.find((scope) => !allowed.includes(scope))
  if (forbidden !== undefined) {
    return refused(refusal('scope_not_allowed', { scope: forbidden, allowed: listed(allowed) }))
  }
  const registered = client?.registeredScopes ?? []
  const unregistered = registered.length > 0 && scopes.find((scope) => !registered.includes(scope))
  if (client && typeof unregistered === 'string') {
    return refused(
      refusal('scope_not_registered', {
        client_id: client.clientId,
        scope: unregistered,
        registered: listed(registered),
      }),
    )
  }
  return { outcome: 'accepted', value: scopes }
}

/**
 * Whether a sealed value may go to `authRedirect`: a registered client's own redirect must be equal, and the site's list
 * must permit it all the same (protocol §0.2). `allowed`: the setting `allowed_user_api_auth_redirects`.
 * Reasons: `auth_redirect_not_registered`, `auth_redirect_invalid`, `auth_redirect_not_allowed`.
 */
export function checkAuthRedirect(
  authRedirect: string,
  allowed: readonly string[],
  client: { readonly clientId: string; readonly authRedirect: string | null } | undefined,
): Refusal | undefined {
  if (client?.authRedirect && client.authRedirect !== authRedirect) {
    return refusal('auth_redirect_not_registered', { client_id: client.clientId })
  }
  const match = matchAuthRedirect(authRedirect, allowed)
  return match.outcome === 'refused' ? match.refusal : undefined
}

/** Reads `padding`; missing means `pkcs1`. Reason: `padding_invalid`. */
export function checkPadding(text: string | undefined): Checked<Padding> {
  if (text === undefined) return { outcome: 'accepted', value: 'pkcs1' }
  return text === 'pkcs1' || text === 'oaep'
    ? { outcome: 'accepted', value: text }
    : refused(refusal('padding_invalid', { padding: text }))
}

/**
 * Reads `expires_in_seconds`; missing means that the key does not expire. `maximumDays`: the setting
 * `max_user_api_key_expiry_days`. Reasons: `expiry_not_offered`, `expiry_invalid`.
 */
export function checkExpiry(text: string | undefined, maximumDays: number): Checked<number | undefined> {
  if (text === undefined) return { outcome: 'accepted', value: undefined }
  if (maximumDays === 0) return refused(refusal('expiry_not_offered'))
  const seconds = /^[0-9]{1,10}$/.test(text) ? Number(text) : 0
  const maximum = maximumDays * 86_400
  return seconds > 0 && seconds <= maximum
    ? { outcome: 'accepted', value: seconds }
    : refused(refusal('expiry_invalid', { value: text, maximum }))
}

/**
 * A payload to measure by: as long as the real one will be: a key is 32 characters, and every time to the second is as long as every other.
 */
export function placeholderPayload(nonce: string, expiresInSeconds: number | undefined): string {
  return serializePayload({
    key: '0'.repeat(32),
    nonce,
    push: false,
    ...(expiresInSeconds === undefined ? {} : { expiresAt: 0 }),
  })
}

function refused(why: Refusal): { readonly outcome: 'refused'; readonly refusal: Refusal } {
  return { outcome: 'refused', refusal: why }
}

function listed(names: readonly string[]): string {
  return names.join(', ') || 'none'
}
