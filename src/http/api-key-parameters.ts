/** Reads what an administrator's script says of an API key: the object `key` (protocol §11.3, §11.4). */
import { addressMatcher } from '../domain/address.ts'
import type { ApiKeyScopeMode, GrantedApiKeyScope } from '../domain/store.ts'
import type { ApiKeyScopeCatalogue } from '../protocol/api-key-scopes.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { type ParameterSources, readParameters } from '../protocol/parameters.ts'
import { readScopes } from './api-key-scope-parameters.ts'
import { readFormObject } from './form-object.ts'

/** What a new key shall be. */
export interface NewKeyParameters {
  readonly description: string
  /** Absent for a key that acts for all users. */
  readonly username: string | undefined
  readonly scopeMode: ApiKeyScopeMode
  readonly scopes: readonly GrantedApiKeyScope[]
  readonly allowedIps: readonly string[]
  /** Parameters that no scope declares, and that were left out. */
  readonly dropped: readonly string[]
}

/** What shall change about a key. */
export interface KeyChangeParameters {
  readonly description?: string
  readonly allowedIps?: readonly string[]
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads a request for a new key. Reasons: `parameters_missing`, `parameter_invalid`, `parameter_duplicated`,
 * `parameter_too_long`, `api_key_scope_unknown`, and `record_invalid` for what the protocol answers with 422.
 */
export function readNewKey(
  sources: ParameterSources,
  catalogue: ApiKeyScopeCatalogue,
): NewKeyParameters | Refusal {
  const example = '{"key":{"description":"backup script","username":"sam"}}'
  const key = readKeyObject(sources, example)
  if (key.outcome === 'refused') return key.refusal
  const { fields } = key
  const description = readDescription(fields)
  if (typeof description === 'object') return description
  const texts = readParameters(
    { query: new URLSearchParams(), body: fields },
    { username: { limit: 300 }, scope_mode: { limit: 20 } },
  )
  if (texts.outcome === 'refused') return texts.refusal
  const scopes = readScopes(catalogue, fields.scopes)
  if ('reason' in scopes) return scopes
  const scopeMode = readScopeMode(texts.values.scope_mode, scopes.scopes)
  if (typeof scopeMode === 'object') return scopeMode
  const allowedIps = readAllowedIps(fields)
  if (allowedIps !== undefined && 'reason' in allowedIps) return allowedIps
  return {
    description: description ?? '',
    username: texts.values.username,
    scopeMode,
    ...scopes,
    allowedIps: allowedIps ?? [],
  }
}

/** Reads a change; what else it holds is of no effect. Reasons as for a new key. */
export function readKeyChange(sources: ParameterSources): KeyChangeParameters | Refusal {
  const key = readKeyObject(sources, '{"key":{"description":"backup script"}}')
  if (key.outcome === 'refused') return key.refusal
  const { fields } = key
  const description = readDescription(fields)
  if (typeof description === 'object') return description
  const allowedIps = readAllowedIps(fields)
  if (allowedIps !== undefined && 'reason' in allowedIps) return allowedIps
  return {
    ...(description === undefined ? {} : { description }),
    ...(allowedIps === undefined ? {} : { allowedIps }),
  }
}

function readKeyObject(
  { body }: ParameterSources,
  example: string,
):
  | { readonly outcome: 'read'; readonly fields: Fields }
  | { readonly outcome: 'refused'; readonly refusal: Refusal } {
  const inForm = body instanceof URLSearchParams ? readFormObject(body, 'key') : undefined
  if (inForm?.outcome === 'refused') return inForm
  const inJson =
    body && !(body instanceof URLSearchParams) && Object.hasOwn(body, 'key') ? body.key : undefined
  const fields = inForm ? inForm.object : inJson
  if (isObject(fields)) return { outcome: 'read', fields }
  return {
    outcome: 'refused',
    refusal: refusal('parameters_missing', { missing: 'key', first: 'key', example }),
  }
}

/** An empty one is one, here: it takes a description away. */
function readDescription(fields: Fields): string | Refusal | undefined {
  const body = { description: fields.description }
  const read = readParameters({ query: new URLSearchParams(), body }, { description: { limit: 60_000 } })
  if (read.outcome === 'refused') return read.refusal
  if (read.values.description === undefined) return typeof fields.description === 'string' ? '' : undefined
  if ([...read.values.description].length <= 255) return read.values.description
  const problem = 'Description is too long (maximum is 255 characters)'
  return refusal('record_invalid', { field: 'description', problem })
}

/** Without a mode the scopes say it: older scripts send them alone. A mode that they contradict is a mistake. */
function readScopeMode(
  named: string | undefined,
  scopes: readonly GrantedApiKeyScope[],
): ApiKeyScopeMode | Refusal {
  const mode = named ?? (scopes.length > 0 ? 'granular' : 'global')
  if (mode !== 'global' && mode !== 'read_only' && mode !== 'granular') {
    const problem = 'there is no such scope mode'
    return refusal('parameter_invalid', {
      field: 'scope_mode',
      problem,
      expected: '`global`, `read_only` or `granular`',
    })
  }
  if (mode === 'granular' && scopes.length === 0) {
    return refusal('record_invalid', {
      field: 'scopes',
      problem: 'Scopes must be selected for a granular key',
    })
  }
  const isReadOnly = scopes.every(({ resource, action }) => resource === 'global' && action === 'read')
  if ((mode === 'global' && scopes.length > 0) || (mode === 'read_only' && !isReadOnly)) {
    const problem = `the key would have the scope mode \`${mode}\`, which they would not limit`
    return refusal('parameter_invalid', {
      field: 'scopes',
      problem,
      expected: 'none, or leave `scope_mode` out for a key that has these scopes alone',
    })
  }
  return mode
}

/** A list, or a text in which commas or white space part the items. None at all lifts the restriction. */
function readAllowedIps(fields: Fields): readonly string[] | Refusal | undefined {
  const value = fields.allowed_ips
  if (value === undefined) return undefined
  const items: unknown = value === null ? [] : typeof value === 'string' ? value.split(/[\s,]+/) : value
  const isList = Array.isArray(items) && items.every((item) => typeof item === 'string')
  const texts = isList ? items.map((item: string) => item.trim()).filter((item) => item !== '') : []
  const problem = !isList
    ? 'it is no list of texts'
    : texts.length > 100
      ? 'it names more than 100 addresses'
      : texts.map(addressProblem).find((one) => one !== undefined)
  if (problem === undefined) return [...new Set(texts)]
  const expected = 'a list of IP addresses or ranges, such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32'
  return refusal('parameter_invalid', { field: 'allowed_ips', problem, expected })
}

function addressProblem(text: string): string | undefined {
  try {
    // A prefix is decimal digits: `Number` takes more than that.
    if (!/^[0-9a-f:.]+(?:\/[0-9]{1,3})?$/i.test(text)) throw new TypeError()
    addressMatcher([text])
    return undefined
  } catch {
    return `${text.slice(0, 60)} is no IP address or range`
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
