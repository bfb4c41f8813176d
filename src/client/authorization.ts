/** An app asks for a key: the address to open, and the credential out of what comes back (protocol §3, §4). */
import { authorizationUrl } from '../protocol/authorization-request.ts'
import { generateRsaKeyPair } from '../protocol/key-pair.ts'
import { openPayload, type Payload, parsePayload } from '../protocol/payload.ts'
import { importRsaPrivateKey } from '../protocol/private-key.ts'
import type { Padding } from '../protocol/rsaes.ts'
import { type ScopeParameters, serializeScopeParameters } from '../protocol/scope-parameters.ts'
import { clientError } from './client-errors.ts'
import { findPayload, type PayloadText, payloadLength } from './payload-text.ts'
import { siteAddress } from './site-address.ts'

export interface AuthorizationOptions {
  /** The site's address; best the `baseUrl` that {@link discover} found. */
  readonly site: string
  /** What the user reads on the consent page. */
  readonly applicationName: string
  /** Names of scopes, one at least: `read`, `write`, … */
  readonly scopes: readonly string[]
  /**
   * The values that scopes are narrowed to, by scope and parameter: `{ 'shop:orders': { customer_id: ['12'] } }`. Only a
   * site that tells so of itself (`narrowsScopes` of {@link discover}) takes it; any other ignores it, and gives a key
   * with the whole scope. Default: nothing is narrowed.
   */
  readonly scopeParameters?: ScopeParameters
  /** Where the browser goes after approval. Without it the page shows the payload, for the user to copy. */
  readonly authRedirect?: string
  /**
   * Names this installation of the app. A new approval replaces the keys that the user gave the same client before, so
   * keep it. Default: a random one.
   */
  readonly clientId?: string
  /** Default `oaep`. A site from before 2026 knows only `pkcs1` and seals with that, which opens just as well. */
  readonly padding?: Padding
  /** How long the key shall live. Default: until it is revoked. */
  readonly expiresInSeconds?: number
  /** Where notifications are pushed to; of use with the scopes `push` and `notifications` (protocol §9). */
  readonly pushUrl?: string
}

/**
 * What an app keeps while the user decides: plain JSON, so that it outlives a reload. It holds the private key: keep
 * it where nobody else reads, and throw it away once the credential is there.
 */
export interface PendingAuthorization {
  readonly site: string
  readonly applicationName: string
  readonly clientId: string
  readonly scopes: readonly string[]
  /** Absent where nothing was narrowed. */
  readonly scopeParameters?: ScopeParameters
  readonly nonce: string
  readonly padding: Padding
  readonly privateKeyJwk: JsonWebKey
}

/** A key, and what there is to know about it: plain JSON. Whoever has `key` can act for the user. */
export interface Credential {
  readonly site: string
  readonly key: string
  readonly clientId: string
  readonly applicationName: string
  readonly scopes: readonly string[]
  /** What the scopes are narrowed to, as it was asked for; absent where nothing was. */
  readonly scopeParameters?: ScopeParameters
  /** Whether the site pushes notifications for this key. */
  readonly push: boolean
  /** The version of the protocol that issued the key. */
  readonly api: number
  /** When the key ends, in ISO 8601; null when it does not. */
  readonly expiresAt: string | null
}

/**
 * Makes a key pair (2048 bits) and the address to open in the user's browser. Sends nothing.
 *
 * Reason: `site_address_invalid`. @throws TypeError without a scope, or for a scope that is no name
 */
export async function beginAuthorization(
  options: AuthorizationOptions,
): Promise<{ readonly url: string; readonly pending: PendingAuthorization }> {
  const { scopes, scopeParameters, expiresInSeconds } = options
  if (scopes.length === 0 || scopes.some((scope) => !/^[^\s,]+$/.test(scope))) {
    throw new TypeError('`scopes` must be a list of one or more scope names, each without commas and spaces')
  }
  const site = siteAddress(options.site)
  const { privateKeyJwk, publicKeyPem } = await generateRsaKeyPair()
  const pending: PendingAuthorization = {
    site,
    applicationName: options.applicationName,
    clientId: options.clientId ?? crypto.randomUUID(),
    scopes: [...scopes],
    ...(scopeParameters === undefined ? {} : { scopeParameters }),
    nonce: randomHex(16),
    padding: options.padding ?? 'oaep',
    privateKeyJwk,
  }
  const url = authorizationUrl(site, {
    nonce: pending.nonce,
    scopes: scopes.join(','),
    scopeParameters: scopeParameters && serializeScopeParameters(scopeParameters),
    clientId: pending.clientId,
    publicKey: publicKeyPem,
    applicationName: pending.applicationName,
    authRedirect: options.authRedirect,
    pushUrl: options.pushUrl,
    padding: pending.padding,
    expiresInSeconds: expiresInSeconds === undefined ? undefined : String(expiresInSeconds),
  })
  return { url, pending }
}

/**
 * Opens the payload and checks that it answers this very request. `response` may be the address that the browser was
 * sent to, the payload as somebody pasted it, or the JSON answer; the same one may come twice, as deep links do.
 * Reasons: `payload_missing`, `payload_malformed`, `payload_incomplete`, `payload_too_long`, `payload_not_opened`,
 * `nonce_mismatch`.
 */
export async function completeAuthorization(
  pending: PendingAuthorization,
  response: string | URL,
): Promise<Credential> {
  const payload = await open(pending, candidatesOf(readPayloadText(pending, response)))
  // The nonce ties the key to the request. Without this check anybody who can make the app open an address could have
  // it work with a key of theirs, and read what the user then entrusts to it.
  if (payload.nonce !== pending.nonce) throw clientError('nonce_mismatch', {})
  return {
    site: pending.site,
    key: payload.key,
    clientId: pending.clientId,
    applicationName: pending.applicationName,
    scopes: pending.scopes,
    ...(pending.scopeParameters === undefined ? {} : { scopeParameters: pending.scopeParameters }),
    push: payload.push,
    api: payload.api,
    expiresAt: payload.expiresAt === undefined ? null : new Date(payload.expiresAt).toISOString(),
  }
}

/** How much of a payload a text holds, for an app that reads until it is whole. */
export function readPayloadText(pending: PendingAuthorization, response: string | URL): PayloadText {
  return findPayload(String(response), payloadLength(pending.privateKeyJwk.n ?? ''))
}

function candidatesOf(text: PayloadText): readonly string[] {
  switch (text.outcome) {
    case 'found':
      return text.candidates
    case 'missing':
      throw clientError('payload_missing', { where: text.where })
    case 'malformed':
      throw clientError('payload_malformed', { problem: text.problem })
    case 'incomplete':
      throw clientError('payload_incomplete', { actual: text.actual, expected: text.expected })
    case 'too_long':
      throw clientError('payload_too_long', { actual: text.actual, expected: text.expected })
  }
}

/** With the padding that was asked for, then with the other: a site that knows no `padding` takes PKCS #1 v1.5. */
async function open(pending: PendingAuthorization, candidates: readonly string[]): Promise<Payload> {
  const privateKey = await importRsaPrivateKey(pending.privateKeyJwk)
  const first = pending.padding
  const second = first === 'oaep' ? 'pkcs1' : 'oaep'
  for (const padding of [first, second] as const) {
    for (const sealed of candidates) {
      const text = await openPayload(privateKey, padding, sealed)
      const payload = text === undefined ? undefined : parsePayload(text)
      if (payload) return payload
    }
  }
  throw clientError('payload_not_opened', { first, second })
}

function randomHex(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}
