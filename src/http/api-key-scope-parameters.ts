import type { GrantedApiKeyScope } from '../domain/store.ts'
import type { ApiKeyScope, ApiKeyScopeCatalogue } from '../protocol/api-key-scopes.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'

/** What a list of scopes came to. */
export interface ReadScopes {
  readonly scopes: readonly GrantedApiKeyScope[]
  /** Parameters that their scope does not declare, and that were left out. */
  readonly dropped: readonly string[]
}

/** How many scopes a key can have. */
const maximumScopes = 100

/**
 * Reads the scopes of a new key: `[{"scope_id":"topics:write","topic_id":"55,33"}]` (protocol §11.3). A parameter's
 * values are a list, or a text with commas; blank ones are dropped, and so are parameters that the scope does not
 * declare. Reasons: `parameter_invalid`, `parameters_missing`, `api_key_scope_unknown`.
 */
export function readScopes(catalogue: ApiKeyScopeCatalogue, value: unknown): ReadScopes | Refusal {
  if (value === undefined || value === null || value === '') return { scopes: [], dropped: [] }
  if (!Array.isArray(value)) return invalid('scopes', 'it is no list')
  if (value.length > maximumScopes) return invalid('scopes', `it holds more than ${maximumScopes} scopes`)
  const scopes: GrantedApiKeyScope[] = []
  const dropped: string[] = []
  for (const item of value as readonly unknown[]) {
    const read = readScope(catalogue, item)
    if ('reason' in read) return read
    scopes.push(read.scope)
    dropped.push(...read.dropped)
  }
  return { scopes, dropped }
}

function readScope(
  catalogue: ApiKeyScopeCatalogue,
  item: unknown,
): { readonly scope: GrantedApiKeyScope; readonly dropped: readonly string[] } | Refusal {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    return invalid('scopes', 'one of its items is no object')
  }
  const fields = new Map<string, unknown>(Object.entries(item))
  const id = fields.get('scope_id')
  if (id === undefined || id === null || id === '') {
    const example = '{"key":{"scopes":[{"scope_id":"topics:read"}]}}'
    return refusal('parameters_missing', { missing: 'scope_id', first: 'scope_id', example })
  }
  if (typeof id !== 'string') return invalid('scope_id', 'it is no text')
  const scope = catalogue.find(id)
  if (!scope) return refusal('api_key_scope_unknown', { scope: id.slice(0, 100) })
  const allowed = readAllowed(scope, fields)
  if ('reason' in allowed) return allowed
  const { resource, action, parameters } = scope
  const allowedParameters = allowed.length === 0 ? null : Object.fromEntries(allowed)
  const unknown = [...fields.keys()].filter((name) => name !== 'scope_id' && !parameters.includes(name))
  return { scope: { resource, action, allowedParameters }, dropped: unknown.map((name) => `${id} ${name}`) }
}

function readAllowed(
  { parameters }: ApiKeyScope,
  fields: ReadonlyMap<string, unknown>,
): readonly (readonly [string, readonly string[]])[] | Refusal {
  const allowed: [string, readonly string[]][] = []
  for (const name of parameters) {
    const values = readValues(fields.get(name))
    if (values === undefined) return invalid(name, 'its values are no texts')
    if (values.length > 0) allowed.push([name, values])
  }
  return allowed
}

function readValues(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return []
  const items: readonly unknown[] = Array.isArray(value) ? value : String(value).split(',')
  const isPlain = (one: unknown) => typeof one === 'string' || typeof one === 'number'
  if (!(isPlain(value) || Array.isArray(value)) || !items.every(isPlain)) return undefined
  return [...new Set(items.map((item) => String(item).trim()).filter((item) => item !== ''))]
}

function invalid(field: string, problem: string): Refusal {
  const expected =
    field === 'scopes'
      ? 'a list such as [{"scope_id":"topics:write","topic_id":"55,33"}]'
      : 'a text, its items separated by commas'
  return refusal('parameter_invalid', { field, problem, expected })
}
