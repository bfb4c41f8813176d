/** The parameters by which an app asks for something, whichever the flow: one list of their names (protocol §2, §5.1). */
import type { Refusal } from './errors.ts'
import { type ParameterSources, type ParameterSpec, readParameters } from './parameters.ts'

/** A request's parameters, as text; undefined where missing or blank. */
export interface RequestParameters {
  readonly nonce?: string | undefined
  readonly scopes?: string | undefined
  /** JSON; what `scopes` are narrowed to (§19, A-36). */
  readonly scopeParameters?: string | undefined
  readonly clientId?: string | undefined
  readonly publicKey?: string | undefined
  readonly applicationName?: string | undefined
  readonly authRedirect?: string | undefined
  readonly pushUrl?: string | undefined
  readonly padding?: string | undefined
  readonly expiresInSeconds?: string | undefined
}

/** The parameters' names on the wire. */
export type RequestParameterName =
  | 'nonce'
  | 'scopes'
  | 'scope_parameters'
  | 'client_id'
  | 'public_key'
  | 'application_name'
  | 'auth_redirect'
  | 'push_url'
  | 'padding'
  | 'expires_in_seconds'

/** The parameters that a flow knows, in the wire's order. */
export type RequestParameterSpecs = { readonly [Name in RequestParameterName]?: ParameterSpec }

/**
 * Reads the parameters that `specs` names, none of which need be there.
 * Reasons: `parameter_duplicated`, `parameter_invalid`, `parameter_too_long`.
 */
export function readRequestParameters(
  sources: ParameterSources,
  specs: RequestParameterSpecs,
):
  | { readonly outcome: 'read'; readonly parameters: RequestParameters }
  | { readonly outcome: 'refused'; readonly refusal: Refusal } {
  const read = readParameters(sources, specs as Readonly<Record<RequestParameterName, ParameterSpec>>)
  if (read.outcome === 'refused') return read
  const parameters = insideNames.map((name) => [name, read.values[wireNames[name]]] as const)
  return { outcome: 'read', parameters: Object.fromEntries(parameters) }
}

/** The parameters that are present and that `specs` names, by their wire names, in the order of `specs`. */
export function wireEntries<Name extends RequestParameterName>(
  parameters: RequestParameters,
  specs: Readonly<Record<Name, ParameterSpec>>,
): [name: Name, value: string][] {
  const values = new Map<RequestParameterName, string | undefined>(
    insideNames.map((name) => [wireNames[name], parameters[name]]),
  )
  return (Object.keys(specs) as Name[]).flatMap((name): [Name, string][] => {
    const value = values.get(name)
    return value === undefined ? [] : [[name, value]]
  })
}

const wireNames: Readonly<Record<keyof RequestParameters, RequestParameterName>> = {
  nonce: 'nonce',
  scopes: 'scopes',
  scopeParameters: 'scope_parameters',
  clientId: 'client_id',
  publicKey: 'public_key',
  applicationName: 'application_name',
  authRedirect: 'auth_redirect',
  pushUrl: 'push_url',
  padding: 'padding',
  expiresInSeconds: 'expires_in_seconds',
}

const insideNames = Object.keys(wireNames) as (keyof RequestParameters)[]
