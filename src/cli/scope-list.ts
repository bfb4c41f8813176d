/** The scopes of a command line, and what they are narrowed to: `read,invoices(customer_id=12|13;state=open)`. */
import { InvalidArgumentError } from 'commander'
import type { Credential } from '../client/authorization.ts'
import type { AllowedValues } from '../protocol/narrowed-scope.ts'
import { describeNarrowing } from '../protocol/narrowing-text.ts'
import type { ScopeParameters } from '../protocol/scope-parameters.ts'

/** Scopes as somebody typed them. */
export interface ScopeList {
  readonly scopes: readonly string[]
  /** Empty where nothing is narrowed. */
  readonly scopeParameters: ScopeParameters
}

/**
 * Reads a list of scopes, parted by commas or spaces. In brackets behind a name stand the parameters that it is narrowed by,
 * parted by `;`, each with its values, parted by `|`. A value that needs one of `|;()` is written in `--scope-parameters`.
 */
export function parseScopeList(text: string): ScopeList {
  const narrowed: Record<string, AllowedValues> = {}
  const scopes: string[] = []
  const item = /[\s,]*([^\s,()]+)(?:\(([^()]*)\))?[\s,]*/y
  while (item.lastIndex < text.length) {
    const [found, name = '', inside] = item.exec(text) ?? []
    if (found === undefined) {
      if (scopes.length === 0 && /^[\s,]*$/.test(text)) break
      throw new InvalidArgumentError("write it as read or as 'invoices(customer_id=12|13)'.")
    }
    scopes.push(name)
    if (inside !== undefined) narrowed[name] = parseParameters(name, inside)
  }
  if (scopes.length === 0) throw new InvalidArgumentError('name one scope at least, such as read.')
  return { scopes, scopeParameters: narrowed }
}

/** Reads the JSON of `--scope-parameters`; what the site makes of its values is the site's to say. */
export function parseScopeParameters(text: string): ScopeParameters {
  const expected = 'write it as JSON: {"invoices":{"customer_id":["12","13"]}}.'
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new InvalidArgumentError(expected)
  }
  if (!isObject(value) || !Object.values(value).every((one) => isObject(one) && areLists(one))) {
    throw new InvalidArgumentError(expected)
  }
  return value as ScopeParameters
}

/** What the key may do, for people: `read, invoices (only customer_id 12 or 13)`. */
export function describeScopes({
  scopes,
  scopeParameters,
}: Pick<Credential, 'scopes' | 'scopeParameters'>): string {
  return scopes
    .map((name) => {
      const narrowing = describeNarrowing(valuesOf(scopeParameters, name))
      return narrowing === undefined ? name : `${name} (${narrowing})`
    })
    .join(', ')
}

/**
 * The arguments that ask for these scopes once more, safe to paste into a shell: `--scopes read`, and
 * `--scope-parameters '…'` for what is narrowed.
 */
export function scopeArguments({
  scopes,
  scopeParameters,
}: Pick<Credential, 'scopes' | 'scopeParameters'>): string {
  const list = `--scopes ${scopes.join(',')}`
  if (Object.keys(scopeParameters ?? {}).length === 0) return list
  return `${list} --scope-parameters '${JSON.stringify(scopeParameters).replaceAll("'", "'\\''")}'`
}

function parseParameters(scope: string, inside: string): AllowedValues {
  const entries = inside.split(';').map((one) => {
    const [, name = '', values = ''] = /^\s*([^=\s]+)\s*=(.*)$/s.exec(one) ?? []
    const list = values.split('|').map((value) => value.trim())
    if (name === '' || list.includes('')) {
      throw new InvalidArgumentError(`write what ${scope} is narrowed to as '${scope}(customer_id=12|13)'.`)
    }
    return [name, list] as const
  })
  return Object.fromEntries(entries)
}

function valuesOf(parameters: ScopeParameters | undefined, scope: string): AllowedValues | undefined {
  return parameters && Object.hasOwn(parameters, scope) ? parameters[scope] : undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function areLists(parameters: Readonly<Record<string, unknown>>): boolean {
  return Object.values(parameters).every(
    (values) => Array.isArray(values) && values.every((value) => typeof value === 'string'),
  )
}
