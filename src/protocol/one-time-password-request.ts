/** An app's request for a one-time password: its parameters, and what makes them acceptable (protocol §6.1, §6.2). */
import { type Refusal, refusal } from './errors.ts'
import type { ParameterSources } from './parameters.ts'
import { parsePublicKey, type RsaPublicKey } from './public-key.ts'
import { checkAuthRedirect, checkPadding } from './request-checks.ts'
import {
  type RequestParameterSpecs,
  type RequestParameters,
  readRequestParameters,
  wireEntries,
} from './request-parameters.ts'
import type { Padding } from './rsaes.ts'
import type { Settings } from './settings.ts'

/** How long a one-time password can be used, in seconds (protocol §6.2). */
export const oneTimePasswordLifetimeSeconds = 600

/** The parameters of protocol §6.1, as text; undefined where missing or blank. */
export type OneTimePasswordParameters = Pick<
  RequestParameters,
  'publicKey' | 'authRedirect' | 'applicationName' | 'padding'
>

/** A request for a one-time password that can be granted as it stands. */
export interface OneTimePasswordRequest {
  readonly publicKey: RsaPublicKey
  readonly authRedirect: string
  readonly applicationName: string
  readonly padding: Padding
}

/** What a request is measured by. */
export interface OneTimePasswordContext {
  /**
   * Finds the client that registered the key, whose own redirect then binds. It is asked once, for a key that could be
   * read. What it finds does not depend on the form in which the key was written.
   */
  readonly findClient: (
    publicKey: RsaPublicKey,
  ) => Promise<{ readonly clientId: string; readonly authRedirect: string | null } | undefined>
  readonly settings: Pick<Settings, 'allowed_user_api_auth_redirects'>
  /** The site's address, for the example in the refusal of an incomplete request. */
  readonly baseUrl: string
}

/** The parameters in the order in which the protocol asks for them; limits in bytes, as in the browser flow. */
const oneTimePasswordParameterSpecs = {
  public_key: { limit: 16_384 },
  auth_redirect: { limit: 4096 },
  application_name: { limit: 500 },
  padding: { limit: 20 },
} as const satisfies RequestParameterSpecs

/**
 * Reads the four parameters, none of which need be there.
 * Reasons: `parameter_duplicated`, `parameter_invalid`, `parameter_too_long`.
 */
export function readOneTimePasswordParameters(
  sources: ParameterSources,
):
  | { readonly outcome: 'read'; readonly parameters: OneTimePasswordParameters }
  | { readonly outcome: 'refused'; readonly refusal: Refusal } {
  return readRequestParameters(sources, oneTimePasswordParameterSpecs)
}

/** The parameters by their wire names; only those that are present. */
export function serializeOneTimePasswordParameters(parameters: OneTimePasswordParameters): URLSearchParams {
  return new URLSearchParams(wireEntries(parameters, oneTimePasswordParameterSpecs))
}

/**
 * Decides whether a request can be granted, in the order of §6.1, which is the same before anybody signs in and after.
 * Touches nothing. Reasons: `parameters_missing`, those of `parsePublicKey`, `padding_invalid`, those of
 * `checkAuthRedirect`.
 */
export async function checkOneTimePasswordRequest(
  parameters: OneTimePasswordParameters,
  context: OneTimePasswordContext,
): Promise<
  | { readonly outcome: 'accepted'; readonly request: OneTimePasswordRequest }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }
> {
  const { publicKey, authRedirect, applicationName } = parameters
  if (!publicKey || !authRedirect || !applicationName) return refused(incomplete(parameters, context.baseUrl))
  const key = parsePublicKey(publicKey)
  if (key.outcome === 'refused') return key
  const padding = checkPadding(parameters.padding)
  if (padding.outcome === 'refused') return padding
  const client = await context.findClient(key.publicKey)
  const allowed = context.settings.allowed_user_api_auth_redirects
  const redirectProblem = checkAuthRedirect(authRedirect, allowed, client)
  if (redirectProblem) return refused(redirectProblem)
  return {
    outcome: 'accepted',
    request: { publicKey: key.publicKey, authRedirect, applicationName, padding: padding.value },
  }
}

function incomplete(parameters: OneTimePasswordParameters, baseUrl: string): Refusal {
  const { publicKey, authRedirect, applicationName } = parameters
  const required = { public_key: publicKey, auth_redirect: authRedirect, application_name: applicationName }
  const missing = Object.entries(required).flatMap(([name, value]) => (value ? [] : [name]))
  const example = serializeOneTimePasswordParameters({
    publicKey: 'PUBLIC_KEY_IN_PEM',
    authRedirect: 'AUTH_REDIRECT',
    applicationName: 'APPLICATION_NAME',
  })
  return refusal('parameters_missing', {
    missing: missing.join(', '),
    first: missing[0] ?? '',
    example: `${baseUrl}/user-api-key/otp?${example}`,
  })
}

function refused(why: Refusal): { readonly outcome: 'refused'; readonly refusal: Refusal } {
  return { outcome: 'refused', refusal: why }
}
