import type { HeaderReader } from '../domain/header-reader.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { mayName, type Query } from '../protocol/query.ts'

/**
 * Refuses a request that asks the application to take it for one of another method: by a header that many frameworks
 * obey, or by `_method` in the address. A key's scopes are held against the method that was sent. Reason:
 * `method_override`. A `_method` in a body is not seen.
 */
export function checkMethodOverride(
  method: string,
  headers: HeaderReader,
  query: Query,
): Refusal | undefined {
  for (const { name, field } of overridingHeaders) {
    const value = headers.get(name)
    if (value !== null && value.toUpperCase() !== method) return refusal('method_override', { field, method })
  }
  if (!mayName(query, '_method')) return undefined
  const isOther = query.parameters.getAll('_method').some((value) => value.toUpperCase() !== method)
  return isOther ? refusal('method_override', { field: '_method', method }) : undefined
}

const overridingHeaders = [
  { name: 'x-http-method-override', field: 'X-HTTP-Method-Override' },
  { name: 'x-http-method', field: 'X-HTTP-Method' },
  { name: 'x-method-override', field: 'X-Method-Override' },
] as const
