/**
 * Narrowed scopes: an app asks for a scope only for some values of its parameters, `scope_parameters` (§19, A-36). An
 * addition to the protocol; a request without it is as it always was.
 */
import { type Refusal, refusal } from './errors.ts'
import type { AllowedValues, NarrowedScope } from './narrowed-scope.ts'
import type { Checked } from './request-checks.ts'
import type { GrantedScope, ScopeCatalogue } from './scopes.ts'

/** The values that are asked for, by scope and by parameter. */
export type ScopeParameters = Readonly<Record<string, AllowedValues>>

/** What a request may narrow at the most. All of it has to be read by a person, and travels in an address. */
export const scopeParameterLimits = {
  /** Of the whole parameter, in bytes of UTF-8. */
  bytes: 2000,
  /** Of one value, in bytes of UTF-8. */
  valueBytes: 200,
  /** Values of one parameter. */
  values: 50,
} as const

/** What narrowing is measured by. */
export interface NarrowingContext {
  /** The scopes that are asked for; all of them are in the catalogue. */
  readonly scopes: readonly string[]
  readonly catalogue: ScopeCatalogue
}

/**
 * Reads `scope_parameters`: a JSON object of scopes, each an object of parameters, each a list of texts. Undefined when
 * it is missing or narrows nothing. Every value of the answer may be stored as it is: repetitions are dropped, the order
 * is kept. Reasons: `scope_parameters_malformed`, `scope_parameters_scope_unknown`,
 * `scope_parameters_scope_not_requested`, `scope_parameter_not_restrictable`, `scope_parameters_not_together`,
 * `scope_parameter_empty`.
 */
export function checkScopeParameters(
  text: string | undefined,
  context: NarrowingContext,
): Checked<ScopeParameters | undefined> {
  if (text === undefined) return { outcome: 'accepted', value: undefined }
  const value = parseJson(text)
  if (!isPlainObject(value)) return malformed('it is not a JSON object', context)
  const narrowed: [string, AllowedValues][] = []
  for (const [scope, parameters] of Object.entries(value)) {
    const checked = checkScope(scope, parameters, context)
    if (checked.outcome === 'refused') return checked
    narrowed.push([scope, checked.value])
  }
  return {
    outcome: 'accepted',
    value: narrowed.length === 0 ? undefined : Object.fromEntries(narrowed),
  }
}

/** The text of `scope_parameters`. */
export function serializeScopeParameters(parameters: ScopeParameters): string {
  return JSON.stringify(parameters)
}

/** The scopes of a request as they are stored on its key. */
export function grantsOf(
  scopes: readonly string[],
  parameters: ScopeParameters | undefined,
): readonly GrantedScope[] {
  return scopes.map((name) => ({ name, allowedParameters: valuesFor(parameters, name) ?? null }))
}

/** The parameters that a scope can be narrowed by, each once; empty for a scope that the catalogue does not hold. */
export function restrictableParameters(catalogue: ScopeCatalogue, scope: string): readonly string[] {
  const routes = catalogue.routesOf(scope).map(({ matcher }) => matcher)
  return [...new Set(routes.flatMap(({ params = [], pathParams = [] }) => [...params, ...pathParams]))]
}

/** The parameters that a grant is narrowed by. An empty list of values narrows nothing. */
export function narrowingOf(
  allowed: AllowedValues | null | undefined,
): readonly (readonly [string, readonly string[]])[] {
  return Object.entries(allowed ?? {}).filter(([, values]) => values.length > 0)
}

/** Those of `granted` that are narrowed, for JSON. */
export function narrowedScopes(granted: readonly GrantedScope[]): readonly NarrowedScope[] {
  return granted.flatMap(({ name, allowedParameters }) => {
    const narrowing = narrowingOf(allowedParameters)
    return narrowing.length === 0 ? [] : [{ name, allowed_parameters: Object.fromEntries(narrowing) }]
  })
}

/** The JSON field `narrowed_scopes`; no field at all where nothing is narrowed, so that nothing is new to old readers. */
export function narrowedScopesField(granted: readonly GrantedScope[]): {
  readonly narrowed_scopes?: readonly NarrowedScope[]
} {
  const narrowed = narrowedScopes(granted)
  return narrowed.length === 0 ? {} : { narrowed_scopes: narrowed }
}

function checkScope(scope: string, parameters: unknown, context: NarrowingContext): Checked<AllowedValues> {
  const { catalogue, scopes } = context
  const narrowable = describeNarrowable(context)
  const name = quoted(scope)
  if (!catalogue.find(scope))
    return refused(refusal('scope_parameters_scope_unknown', { scope: name, narrowable }))
  if (!scopes.includes(scope)) {
    return refused(refusal('scope_parameters_scope_not_requested', { scope: name, narrowable }))
  }
  if (!isPlainObject(parameters)) return malformed(`${name} is not a JSON object of parameters`, context)
  const restrictable = restrictableParameters(catalogue, scope)
  const allowed: [string, readonly string[]][] = []
  for (const [parameter, values] of Object.entries(parameters)) {
    if (!restrictable.includes(parameter)) {
      const details = { scope: name, parameter: quoted(parameter), narrowable }
      return refused(refusal('scope_parameter_not_restrictable', details))
    }
    const checked = checkValues(scope, parameter, values, context)
    if (checked.outcome === 'refused') return checked
    allowed.push([parameter, checked.value])
  }
  if (allowed.length === 0) {
    return refused(refusal('scope_parameter_empty', { what: name, expected: 'parameter', narrowable }))
  }
  const names = allowed.map(([parameter]) => parameter)
  // A key of this kind would permit nothing: a route that lacks one of the parameters is closed to it.
  if (!catalogue.routesOf(scope).some(({ matcher }) => isNarrowedBy(matcher, names))) {
    const details = { scope: name, parameters: names.join(' and '), narrowable }
    return refused(refusal('scope_parameters_not_together', details))
  }
  return { outcome: 'accepted', value: Object.fromEntries(allowed) }
}

function checkValues(
  scope: string,
  parameter: string,
  values: unknown,
  context: NarrowingContext,
): Checked<readonly string[]> {
  const what = `\`${parameter}\` of \`${scope}\``
  if (!Array.isArray(values)) return malformed(`${what} is not a list of texts`, context)
  if (values.length === 0) {
    const narrowable = describeNarrowable(context)
    return refused(refusal('scope_parameter_empty', { what, expected: 'value', narrowable }))
  }
  if (values.length > scopeParameterLimits.values) {
    return malformed(
      `${what} has ${values.length} values, of ${scopeParameterLimits.values} at most`,
      context,
    )
  }
  const problem = values.map(valueProblem).find((one) => one !== undefined)
  return problem === undefined
    ? { outcome: 'accepted', value: [...new Set(values as readonly string[])] }
    : malformed(`a value of ${what} ${problem}`, context)
}

/** What speaks against a value; undefined when nothing does. */
function valueProblem(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'is not a text: put numbers in quotation marks as well'
  if (value.trim() === '') return 'is blank'
  if (new TextEncoder().encode(value).length > scopeParameterLimits.valueBytes) {
    return `is longer than ${scopeParameterLimits.valueBytes} bytes`
  }
  // Databases refuse some of these, and none can be shown to the person who is to decide.
  return /[\p{Cc}\p{Cs}\u2028\u2029]/u.test(value) ? 'holds a control character' : undefined
}

/** Whether a route names every one of the parameters, so that a grant that is narrowed by them is narrowed on it. */
export function isNarrowedBy(
  {
    params = [],
    pathParams = [],
  }: { readonly params?: readonly string[]; readonly pathParams?: readonly string[] },
  parameters: readonly string[],
): boolean {
  return parameters.every((name) => params.includes(name) || pathParams.includes(name))
}

function describeNarrowable({ scopes, catalogue }: NarrowingContext): string {
  const able = scopes.flatMap((scope) => {
    const parameters = restrictableParameters(catalogue, scope)
    return parameters.length === 0 ? [] : [`${scope} by ${parameters.join(', ')}`]
  })
  return able.join('; ') || 'none of the scopes that are asked for'
}

function valuesFor(parameters: ScopeParameters | undefined, scope: string): AllowedValues | undefined {
  return parameters && Object.hasOwn(parameters, scope) ? parameters[scope] : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const example = '{"invoices":{"customer_id":["12","13"]}}'

/** A name from a stranger, at a length that a message can bear. */
function quoted(name: string): string {
  const text = name.length > 100 ? `${name.slice(0, 100)}…` : name
  return `\`${text.toWellFormed()}\``
}

function malformed(
  problem: string,
  context: NarrowingContext,
): { readonly outcome: 'refused'; readonly refusal: Refusal } {
  return refused(
    refusal('scope_parameters_malformed', { problem, example, narrowable: describeNarrowable(context) }),
  )
}

function refused(why: Refusal): { readonly outcome: 'refused'; readonly refusal: Refusal } {
  return { outcome: 'refused', refusal: why }
}
