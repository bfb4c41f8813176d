/** An app's request for a key in the device flow: its parameters, and what makes them acceptable (protocol §5.1, §5.2). */
import type { KnownClient } from './authorization-request.ts'
import { type Refusal, refusal } from './errors.ts'
import { type ParameterSources, utf8Length } from './parameters.ts'
import { checkPayloadSize } from './payload.ts'
import { parsePublicKey, type RsaPublicKey } from './public-key.ts'
import { checkExpiry, checkPadding, checkScopes, placeholderPayload } from './request-checks.ts'
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

/** How long a device request can be approved and polled for, in seconds (protocol §5.1). */
export const deviceRequestLifetimeSeconds = 600

/** How long an app is told to wait between two polls, in seconds (protocol §5.1). */
export const devicePollIntervalSeconds = 5

/** The fewest bits of the public key that an app sends (protocol §4.3). */
export const deviceMinimumKeyBits = 2048

/** How long a sealed payload waits for its poll at the most, in seconds (protocol §5.1). */
export const devicePayloadLifetimeSeconds = 60

/**
 * The characters of user codes and request tokens: letters and digits without those that are taken for one another
 * (0 and O, 1 and I). There are 32, so that a random byte picks each of them equally often.
 */
export const deviceCodeAlphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'

/** How many characters a user code has, and how many a request token. */
export const deviceCodeLength = 8

/** The parameters of a device request, as text; undefined where missing or blank. */
export type DeviceParameters = Omit<RequestParameters, 'authRedirect'>

/** What a device request is measured by. */
export interface DeviceContext {
  /** The client with the request's client id, if it has been here before. */
  readonly client: KnownClient | undefined
  readonly settings: Pick<Settings, 'allow_user_api_key_scopes' | 'max_user_api_key_expiry_days'>
  readonly scopes: ScopeCatalogue
}

/** What a device asks for, in whichever form it asked. */
export interface RequestedKey {
  /** At least one, without repetitions, in the order in which they were asked for. */
  readonly scopes: readonly string[]
  /** What scopes are narrowed to; absent when none is. */
  readonly scopeParameters?: ScopeParameters
  readonly clientId: string
  /** The client's stored name, else the request's. Unlike in the browser flow, the stored one wins (§5.2). */
  readonly applicationName: string
  readonly pushUrl?: string
  readonly expiresInSeconds?: number
  /** Whether the site does not know the client by a public key of its own. */
  readonly unregisteredClient: boolean
}

/** A device request that can be granted as it stands. */
export interface DeviceRequest extends RequestedKey {
  readonly nonce: string
  /** The key that the payload is sealed with: the registered client's own, else the request's. */
  readonly publicKey: RsaPublicKey
  readonly padding: Padding
}

/** The parameters in the wire's order with the protocol's limits, in bytes (protocol §5.1). */
const deviceParameterSpecs = {
  nonce: { limit: 256 },
  scopes: { limit: 500, list: true },
  scope_parameters: { limit: scopeParameterLimits.bytes, json: true },
  client_id: { limit: 200 },
  application_name: { limit: 200 },
  public_key: { limit: 4096 },
  push_url: { limit: 2000 },
  padding: { limit: 20 },
  expires_in_seconds: { limit: 20, digits: true },
} as const satisfies RequestParameterSpecs

/**
 * Reads the parameters, none of which need be there. How long they may be is checked later, because what is missing is
 * told first (§5.2). Reasons: `parameter_duplicated`, `parameter_invalid`.
 */
export function readDeviceParameters(
  sources: ParameterSources,
):
  | { readonly outcome: 'read'; readonly parameters: DeviceParameters }
  | { readonly outcome: 'refused'; readonly refusal: Refusal } {
  return readRequestParameters(sources, unlimitedSpecs)
}

/** The parameters by their wire names, in the wire's order; only those that are present. */
export function serializeDeviceParameters(parameters: DeviceParameters): Readonly<Record<string, string>> {
  return Object.fromEntries(wireEntries(parameters, deviceParameterSpecs))
}

/**
 * Decides whether a device request can be granted, in the order of §5.2 and before anything is stored. Touches nothing.
 * Reasons: `device_parameters_missing`, `parameter_too_long`, `parameter_invalid`, `scope_not_for_devices`, those of
 * `checkScopes`, those of `checkScopeParameters`, `padding_invalid`, those of `parsePublicKey`, `expiry_not_offered`, `expiry_invalid`,
 * `payload_too_large`, `device_request_too_large`.
 */
export function checkDeviceRequest(
  parameters: DeviceParameters,
  context: DeviceContext,
):
  | { readonly outcome: 'accepted'; readonly request: DeviceRequest }
  | { readonly outcome: 'refused'; readonly refusal: Refusal } {
  const { client, settings } = context
  const { nonce, clientId, scopes: scopeText } = parameters
  if (!nonce || !scopeText || !clientId) return refused(incomplete(parameters, client))
  const tooLong = checkLengths(parameters)
  if (tooLong) return refused(tooLong)
  const applicationName = client?.applicationName ?? parameters.applicationName
  if (!applicationName) return refused(incomplete(parameters, client))
  const scopeProblem = checkScopeList(scopeText)
  if (scopeProblem) return refused(scopeProblem)
  const scopes = checkScopes(scopeText, {
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
  const padding = checkPadding(parameters.padding)
  if (padding.outcome === 'refused') return padding
  const publicKeyPem = client?.publicKey ?? parameters.publicKey
  if (!publicKeyPem) return refused(incomplete(parameters, client))
  const key = parsePublicKey(publicKeyPem, { minimumBits: deviceMinimumKeyBits })
  if (key.outcome === 'refused') return key
  const expiry = checkExpiry(parameters.expiresInSeconds, settings.max_user_api_key_expiry_days)
  if (expiry.outcome === 'refused') return expiry
  const payload = placeholderPayload(nonce, expiry.value)
  const sizeProblem =
    checkPayloadSize(key.publicKey, padding.value, payload) ??
    checkStoredSize(parameters, applicationName, publicKeyPem)
  if (sizeProblem) return refused(sizeProblem)

  const { pushUrl } = parameters
  return {
    outcome: 'accepted',
    request: {
      nonce,
      scopes: scopes.value,
      ...(narrowing.value === undefined ? {} : { scopeParameters: narrowing.value }),
      clientId,
      publicKey: key.publicKey,
      applicationName,
      ...(pushUrl === undefined ? {} : { pushUrl }),
      padding: padding.value,
      ...(expiry.value === undefined ? {} : { expiresInSeconds: expiry.value }),
      unregisteredClient: !client?.publicKey,
    },
  }
}

/**
 * A user code as it was typed, in the form `XXXX-XXXX`: upper-cased, and stripped of all but letters and digits
 * (protocol §5.3). Undefined when that does not leave eight characters.
 */
export function normalizeUserCode(typed: string): string | undefined {
  const code = typed.toUpperCase().replace(/[^A-Z0-9]/g, '')
  return code.length === deviceCodeLength ? formatUserCode(code) : undefined
}

/** Eight characters as a user code is shown: `XXXX-XXXX`. */
export function formatUserCode(code: string): string {
  return `${code.slice(0, 4)}-${code.slice(4)}`
}

/** Whether a text has the form of a request token, the `request` of an activation link. */
export function isRequestToken(text: string): boolean {
  return /^[A-Za-z0-9]{8}$/.test(text)
}

/** Whether a text has the form of a device code. */
export function isDeviceCode(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}

const maximumScopes = 20
const maximumStoredBytes = 10_000

/** As the wire's, without the limits; how long a body may be is limited before. */
const unlimitedSpecs: RequestParameterSpecs = Object.fromEntries(
  Object.entries(deviceParameterSpecs).map(([name, spec]) => [
    name,
    { ...spec, limit: Number.MAX_SAFE_INTEGER },
  ]),
)

/** Names all that is missing at once; the wire's own text names the first that the protocol asks for. */
function incomplete(parameters: DeviceParameters, client: KnownClient | undefined): Refusal {
  const { nonce, scopes, clientId } = parameters
  const present = {
    nonce,
    scopes,
    client_id: clientId,
    application_name: client?.applicationName ?? parameters.applicationName,
    public_key: client?.publicKey ?? parameters.publicKey,
  }
  const missing = Object.entries(present).flatMap(([name, value]) => (value ? [] : [name]))
  const isBase = !nonce || !scopes || !clientId
  return refusal('device_parameters_missing', {
    missing: missing.join(', '),
    field: isBase ? 'base' : (missing[0] ?? 'base'),
  })
}

/** The lengths that the device flow allows (protocol §5.1). Reason: `parameter_too_long`. */
export function checkLengths(parameters: DeviceParameters): Refusal | undefined {
  for (const [name, value] of wireEntries(parameters, deviceParameterSpecs)) {
    const actual = utf8Length(value)
    const { limit } = deviceParameterSpecs[name]
    if (actual > limit) return refusal('parameter_too_long', { field: name, actual, limit })
  }
  return undefined
}

/**
 * What the device flow asks of a list of scopes. Stricter than the browser flow, which passes over a comma at the end.
 * Reasons: `parameter_invalid`, `scope_not_for_devices`.
 */
export function checkScopeList(text: string): Refusal | undefined {
  const items = text.split(',')
  const problem =
    items.length > maximumScopes
      ? `it names ${items.length} scopes`
      : items.some((item) => item.trim() === '')
        ? 'one of its items is empty'
        : undefined
  if (problem !== undefined) {
    const expected = `1 to ${maximumScopes} names of scopes, separated by commas`
    return refusal('parameter_invalid', { field: 'scopes', problem, expected })
  }
  return items.includes('one_time_password') ? refusal('scope_not_for_devices') : undefined
}

function checkStoredSize(
  parameters: DeviceParameters,
  applicationName: string,
  publicKey: string,
): Refusal | undefined {
  const stored = {
    ...serializeDeviceParameters(parameters),
    application_name: applicationName,
    public_key: publicKey,
  }
  const actual = utf8Length(JSON.stringify(stored))
  return actual > maximumStoredBytes
    ? refusal('device_request_too_large', { actual, limit: maximumStoredBytes })
    : undefined
}

function refused(why: Refusal): { readonly outcome: 'refused'; readonly refusal: Refusal } {
  return { outcome: 'refused', refusal: why }
}
