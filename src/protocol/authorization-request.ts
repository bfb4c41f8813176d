/** An app's request for a key in the browser flow: its parameters, and what makes them acceptable (protocol §2, §3). */
import { type Refusal, refusal } from './errors.ts'
import type { ParameterSources } from './parameters.ts'
import { checkPayloadSize } from './payload.ts'
import { parsePublicKey, type RsaPublicKey } from './public-key.ts'
import {
  checkAuthRedirect,
  checkExpiry,
  checkPadding,
  checkScopes,
  placeholderPayload,
} from './request-checks.ts'
import {
  type RequestParameterSpecs,
  type RequestParameters,
  readRequestParameters,
  wireEntries,
} from './request-parameters.ts'
import type { Padding } from './rsaes.ts'
import { checkScopeParameters, type ScopeParameters, scopeParameterLimits } from './scope-parameters.ts'
import type { ScopeCatalogue } from './scopes.ts'
import type { Settings } from './settings.ts'

/** The nine parameters of protocol §2 and `scope_parameters`, as text; undefined where missing or blank. Only a blank redirect stays. */
export type AuthorizationParameters = RequestParameters

/** A client that has been here before. What a client registered of itself is null or empty for all others. */
export interface KnownClient {
  readonly clientId: string
  readonly applicationName: string
  /** PEM. */
  readonly publicKey: string | null
  readonly authRedirect: string | null
  readonly registeredScopes: readonly string[]
}

/** What a request is measured by. */
export interface AuthorizationContext {
  /** The client with the request's client id, if it has been here before. */
  readonly client: KnownClient | undefined
  readonly settings: Pick<
    Settings,
    'allow_user_api_key_scopes' | 'allowed_user_api_auth_redirects' | 'max_user_api_key_expiry_days'
  >
  readonly scopes: ScopeCatalogue
  /** The site's address, for the example in the refusal of an incomplete request. */
  readonly baseUrl: string
  /**
   * Says whether the signed-in user may approve apps at all. `POST /user-api-key` asks this between the redirect and
   * the expiry (§3.3); `GET /user-api-key/new` leaves it out, because it checks the request before it asks who is
   * there (§3.2). In all else the two routes check the same things in the same order.
   */
  readonly groupCheck?: () => Refusal | undefined
}

/** A request for a key that can be granted as it stands. */
export interface AuthorizationRequest {
  readonly nonce: string
  /** At least one, without repetitions, in the order in which they were asked for. */
  readonly scopes: readonly string[]
  /** What scopes are narrowed to; absent when none is. */
  readonly scopeParameters?: ScopeParameters
  readonly clientId: string
  /** The key that the payload is sealed with: the registered client's own, else the request's. */
  readonly publicKey: RsaPublicKey
  /** The same key as it came, in PEM. */
  readonly publicKeyPem: string
  /** The request's, else the client's stored one. */
  readonly applicationName: string
  readonly authRedirect?: string
  readonly pushUrl?: string
  readonly padding: Padding
  readonly expiresInSeconds?: number
}

/**
 * The parameters in the wire's order, and the longest value of each, in bytes. The protocol has no limits here; these
 * only keep a request from growing without bound, and are well above what known clients send: nonces of up to 64 bytes,
 * client ids that are push tokens of some 160, keys of 4096 bits in some 800.
 */
const authorizationParameterSpecs = {
  nonce: { limit: 1024 },
  scopes: { limit: 2000, list: true },
  scope_parameters: { limit: scopeParameterLimits.bytes, json: true },
  client_id: { limit: 1000 },
  public_key: { limit: 16_384 },
  application_name: { limit: 500 },
  auth_redirect: { limit: 4096, keepBlank: true },
  push_url: { limit: 2000 },
  padding: { limit: 20 },
  expires_in_seconds: { limit: 20, digits: true },
} as const satisfies RequestParameterSpecs

/**
 * Reads the parameters, none of which need be there.
 * Reasons: `parameter_duplicated`, `parameter_invalid`, `parameter_too_long`.
 */
export function readAuthorizationParameters(
  sources: ParameterSources,
):
  | { readonly outcome: 'read'; readonly parameters: AuthorizationParameters }
  | { readonly outcome: 'refused'; readonly refusal: Refusal } {
  return readRequestParameters(sources, authorizationParameterSpecs)
}

/** The parameters by their wire names, in the wire's order; only those that are present. */
export function serializeAuthorizationParameters(parameters: AuthorizationParameters): URLSearchParams {
  return new URLSearchParams(wireEntries(parameters, authorizationParameterSpecs))
}

/** The address to send a user's browser to. A path in `baseUrl` is kept, with or without a slash at its end. */
export function authorizationUrl(baseUrl: string, parameters: AuthorizationParameters): string {
  const base = baseUrl.endsWith('/') ? baseUrl.slice(0, -1) : baseUrl
  // Form encoding writes a space as `+`, which some readers of addresses leave as it is; %20 is a space to all. A real
  // plus sign is %2B by now.
  const query = serializeAuthorizationParameters(parameters).toString().replaceAll('+', '%20')
  return `${base}/user-api-key/new?${query}`
}

/** The wire names of all required parameters that are missing, in the order in which the protocol asks for them (§2). */
export function missingParameters(
  parameters: AuthorizationParameters,
  client: KnownClient | undefined,
): readonly string[] {
  const present = {
    nonce: parameters.nonce,
    scopes: parameters.scopes,
    client_id: parameters.clientId,
    public_key: parameters.publicKey ?? client?.publicKey,
    application_name: parameters.applicationName ?? client?.applicationName,
  }
  return Object.entries(present).flatMap(([name, value]) => (value ? [] : [name]))
}

/**
 * Decides whether a request can be granted, in the protocol's order (§3.2 steps 1 to 8, §3.3). That the payload fits the key is
 * checked last, and before anything changes (§19a). Touches nothing.
 */
export function checkAuthorization(
  parameters: AuthorizationParameters,
  context: AuthorizationContext,
):
  | { readonly outcome: 'accepted'; readonly request: AuthorizationRequest }
  | { readonly outcome: 'refused'; readonly refusal: Refusal } {
  const { client, settings } = context
  const { nonce, clientId } = parameters
  const publicKeyPem = client?.publicKey ?? parameters.publicKey
  const applicationName = parameters.applicationName ?? client?.applicationName
  // The list says all of what is missing; the rest of the condition tells the compiler the same.
  const missing = missingParameters(parameters, client)
  if (missing.length > 0 || !nonce || !parameters.scopes || !clientId || !publicKeyPem || !applicationName) {
    return refused(incomplete(missing, context.baseUrl))
  }

  const scopes = checkScopes(parameters.scopes, {
    catalogue: context.scopes,
    allowed: settings.allow_user_api_key_scopes,
    client,
  })
  if (scopes.outcome === 'refused') return scopes
  const narrowing = checkScopeParameters(parameters.scopeParameters, {
    scopes: scopes.value,
    catalogue: context.scopes,
  })
  if (narrowing.outcome === 'refused') return narrowing
  const key = parsePublicKey(publicKeyPem)
  if (key.outcome === 'refused') return key
  const padding = checkPadding(parameters.padding)
  if (padding.outcome === 'refused') return padding
  const redirectProblem =
    parameters.authRedirect === undefined
      ? undefined
      : checkAuthRedirect(parameters.authRedirect, settings.allowed_user_api_auth_redirects, client)
  if (redirectProblem) return refused(redirectProblem)
  const groupProblem = context.groupCheck?.()
  if (groupProblem) return refused(groupProblem)
  const expiry = checkExpiry(parameters.expiresInSeconds, settings.max_user_api_key_expiry_days)
  if (expiry.outcome === 'refused') return expiry
  const payload = placeholderPayload(nonce, expiry.value)
  const sizeProblem = checkPayloadSize(key.publicKey, padding.value, payload)
  if (sizeProblem) return refused(sizeProblem)

  const { authRedirect, pushUrl } = parameters
  return {
    outcome: 'accepted',
    request: {
      nonce,
      scopes: scopes.value,
      ...(narrowing.value === undefined ? {} : { scopeParameters: narrowing.value }),
      clientId,
      publicKey: key.publicKey,
      publicKeyPem,
      applicationName,
      ...(authRedirect === undefined ? {} : { authRedirect }),
      ...(pushUrl === undefined ? {} : { pushUrl }),
      padding: padding.value,
      ...(expiry.value === undefined ? {} : { expiresInSeconds: expiry.value }),
    },
  }
}

const exampleParameters: AuthorizationParameters = {
  nonce: 'NONCE',
  scopes: 'read',
  clientId: 'CLIENT_ID',
  publicKey: 'PUBLIC_KEY_IN_PEM',
  applicationName: 'APPLICATION_NAME',
}

function incomplete(missing: readonly string[], baseUrl: string): Refusal {
  return refusal('parameters_missing', {
    missing: missing.join(', '),
    first: missing[0] ?? '',
    example: authorizationUrl(baseUrl, exampleParameters),
  })
}

function refused(why: Refusal): { readonly outcome: 'refused'; readonly refusal: Refusal } {
  return { outcome: 'refused', refusal: why }
}
