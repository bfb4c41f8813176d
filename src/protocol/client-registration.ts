/** A client's registration of itself: its parameters, and what makes them acceptable (protocol §7.2). */
import { type Refusal, refusal } from './errors.ts'
import { type ParameterSources, type ParameterSpec, readParameters } from './parameters.ts'
import { parsePublicKey, type RsaPublicKey } from './public-key.ts'
import { readScopes } from './request-checks.ts'
import type { ScopeCatalogue } from './scopes.ts'
import type { Settings } from './settings.ts'

/** A registration that can be carried out as it stands, unless its client id is taken. */
export interface ClientRegistration {
  readonly clientId: string
  readonly applicationName: string
  readonly publicKey: RsaPublicKey
  /** The same key as it came, in PEM. */
  readonly publicKeyPem: string
  /** As it came: it is held against the site's list when it is used (protocol §7.2). */
  readonly authRedirect: string
  /** At least one, without repetitions. */
  readonly scopes: readonly string[]
}

/** What a registration is measured by. */
export interface RegistrationContext {
  readonly settings: Pick<Settings, 'allow_user_api_key_client_scopes'>
  readonly scopes: ScopeCatalogue
}

/** The parameters in the order in which the protocol asks for them; limits in bytes, as in the browser flow. */
const registrationParameterSpecs = {
  client_id: { limit: 1000 },
  application_name: { limit: 500 },
  public_key: { limit: 16_384 },
  auth_redirect: { limit: 4096 },
  scopes: { limit: 2000, list: true },
} as const satisfies Record<string, ParameterSpec>

/**
 * Reads a registration and decides whether it can be carried out, in the order of §7.2. Touches nothing.
 * Reasons: `parameter_duplicated`, `parameter_invalid`, `parameter_too_long`, `parameters_missing`, `scope_unknown`,
 * `client_scope_not_allowed`, those of `parsePublicKey`.
 */
export function checkClientRegistration(
  sources: ParameterSources,
  { settings, scopes: catalogue }: RegistrationContext,
):
  | { readonly outcome: 'accepted'; readonly registration: ClientRegistration }
  | { readonly outcome: 'refused'; readonly refusal: Refusal } {
  const read = readParameters(sources, registrationParameterSpecs)
  if (read.outcome === 'refused') return read
  const { values } = read
  const { client_id: clientId, application_name: applicationName, public_key: publicKeyPem } = values
  const { auth_redirect: authRedirect, scopes: scopeText } = values
  if (!clientId || !applicationName || !publicKeyPem || !authRedirect || !scopeText) {
    return refused(incomplete(names.filter((name) => !values[name])))
  }
  const scopes = readScopes(scopeText, catalogue)
  if (scopes.outcome === 'refused') return scopes
  const allowed = settings.allow_user_api_key_client_scopes
  const forbidden = scopes.value.find((scope) => !allowed.includes(scope))
  if (forbidden !== undefined) {
    const offered = allowed.join(', ') || 'none'
    return refused(refusal('client_scope_not_allowed', { scope: forbidden, allowed: offered }))
  }
  const key = parsePublicKey(publicKeyPem)
  if (key.outcome === 'refused') return key
  return {
    outcome: 'accepted',
    registration: {
      clientId,
      applicationName,
      publicKey: key.publicKey,
      publicKeyPem,
      authRedirect,
      scopes: scopes.value,
    },
  }
}

const names = Object.keys(registrationParameterSpecs) as (keyof typeof registrationParameterSpecs)[]

function incomplete(missing: readonly string[]): Refusal {
  return refusal('parameters_missing', {
    missing: missing.join(', '),
    first: missing[0] ?? '',
    example: 'client_id=ID&application_name=NAME&public_key=PEM&auth_redirect=ADDRESS&scopes=read',
  })
}

function refused(why: Refusal): { readonly outcome: 'refused'; readonly refusal: Refusal } {
  return { outcome: 'refused', refusal: why }
}
