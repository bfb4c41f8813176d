/**
 * The standard's own device flow (RFC 8628): what its client asks for. It sends neither a public key nor a nonce, so
 * what it is given in the end is the key itself, over the connection on which it asks.
 */
import {
  checkLengths,
  checkScopeList,
  type DeviceContext,
  type DeviceParameters,
  type RequestedKey,
} from './device-request.ts'
import { type Refusal, refusal } from './errors.ts'
import { type ParameterSources, readParameters } from './parameters.ts'
import { checkExpiry, checkScopes } from './request-checks.ts'
import { checkScopeParameters } from './scope-parameters.ts'

/** The grant type of a device code at the token endpoint (RFC 8628 §3.4). */
export const deviceCodeGrantType = 'urn:ietf:params:oauth:grant-type:device_code'

/**
 * Reads the parameters of RFC 8628 §3.1: `client_id`, and `scope` with its names parted by spaces; commas part them as
 * well, because all else here is written that way. Three of ours may stand beside them, `application_name` (default: the
 * client id), `expires_in_seconds` and `scope_parameters`. Others are ignored, as RFC 6749 §3.2 asks for; a `client_secret` among them.
 * Reasons: `parameter_duplicated`, `parameter_invalid`.
 */
export function readDeviceAuthorization(
  sources: ParameterSources,
):
  | { readonly outcome: 'read'; readonly parameters: DeviceParameters }
  | { readonly outcome: 'refused'; readonly refusal: Refusal } {
  const read = readParameters(sources, specs)
  if (read.outcome === 'refused') return read
  const {
    client_id: clientId,
    scope,
    scope_parameters: scopeParameters,
    application_name: name,
    expires_in_seconds: expiresInSeconds,
  } = read.values
  const scopes = scope?.split(/[ ,]+/).filter((one) => one !== '')
  const parameters = {
    clientId,
    scopes: scopes?.join(','),
    scopeParameters,
    applicationName: name ?? clientId,
    expiresInSeconds,
  }
  return { outcome: 'read', parameters }
}

/**
 * Decides whether a request can be granted, before anything is stored. Touches nothing. Reasons: `parameters_missing`,
 * `scope_missing`, `parameter_too_long`, `parameter_invalid`, `client_needs_sealed_keys`, `scope_not_for_devices`,
 * those of `checkScopes`, those of `checkScopeParameters`, `expiry_not_offered`, `expiry_invalid`.
 */
export function checkDeviceAuthorization(
  parameters: DeviceParameters,
  { client, settings, scopes: catalogue }: DeviceContext,
):
  | { readonly outcome: 'accepted'; readonly request: RequestedKey }
  | { readonly outcome: 'refused'; readonly refusal: Refusal } {
  const { clientId, scopes: scopeText } = parameters
  if (!clientId) {
    const example = 'client_id=CLIENT_ID&scope=read'
    return refused(refusal('parameters_missing', { missing: 'client_id', first: 'client_id', example }))
  }
  if (!scopeText) {
    const allowed = settings.allow_user_api_key_scopes.filter((scope) => scope !== 'one_time_password')
    return refused(refusal('scope_missing', { known: allowed.join(', ') || 'none' }))
  }
  const tooLong = checkLengths(parameters)
  if (tooLong) return refused(tooLong)
  // Such a client is known by its key: only it can open what is sent to it. Anybody can send its client id.
  if (client?.publicKey) return refused(refusal('client_needs_sealed_keys', { client_id: clientId }))
  const scopeProblem = checkScopeList(scopeText)
  if (scopeProblem) return refused(scopeProblem)
  const scopes = checkScopes(scopeText, { catalogue, allowed: settings.allow_user_api_key_scopes, client })
  if (scopes.outcome === 'refused') return scopes
  const narrowing = checkScopeParameters(parameters.scopeParameters, { scopes: scopes.value, catalogue })
  if (narrowing.outcome === 'refused') return narrowing
  const expiry = checkExpiry(parameters.expiresInSeconds, settings.max_user_api_key_expiry_days)
  if (expiry.outcome === 'refused') return expiry
  return {
    outcome: 'accepted',
    request: {
      scopes: scopes.value,
      ...(narrowing.value === undefined ? {} : { scopeParameters: narrowing.value }),
      clientId,
      applicationName: client?.applicationName ?? parameters.applicationName ?? clientId,
      ...(expiry.value === undefined ? {} : { expiresInSeconds: expiry.value }),
      unregisteredClient: true,
    },
  }
}

const unlimited = Number.MAX_SAFE_INTEGER

/** How long each may be is checked afterwards, as in the protocol's own device flow. */
const specs = {
  client_id: { limit: unlimited },
  scope: { limit: unlimited },
  scope_parameters: { limit: unlimited, json: true },
  application_name: { limit: unlimited },
  expires_in_seconds: { limit: unlimited, digits: true },
} as const

function refused(why: Refusal): { readonly outcome: 'refused'; readonly refusal: Refusal } {
  return { outcome: 'refused', refusal: why }
}
