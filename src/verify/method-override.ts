import { type Refusal, refusal } from '../protocol/errors.ts'
import { couldBeReadAs, namesInForm, plainHeaderName } from '../protocol/lenient-names.ts'

/**
 * Refuses a request that asks the application to take it for one of another method: by a header that many frameworks
 * obey, in whatever spelling CGI takes for it, or by `_method` in the address, or a name that a parser may take for that.
 * A key's scopes are held against the method that was sent. Reason: `method_override`. A `_method` in a body is not seen.
 */
export function checkMethodOverride(
  method: string,
  headers: Pick<Headers, 'get' | 'keys'>,
  query: URLSearchParams,
): Refusal | undefined {
  for (const name of headers.keys()) {
    if (!name.includes('method')) continue
    const field = overridingHeaders.get(plainHeaderName(name))
    if (field !== undefined && headers.get(name)?.toUpperCase() !== method)
      return refusal('method_override', { field, method })
  }
  if (query.size === 0) return undefined
  const isOther =
    query.getAll('_method').some((value) => value.toUpperCase() !== method) ||
    namesInForm(query).some((name) => couldBeReadAs(name, '_method'))
  return isOther ? refusal('method_override', { field: '_method', method }) : undefined
}

/** Whether some framework takes a header of this name for the method, whatever the spelling. */
export function isOverridingHeader(name: string): boolean {
  return overridingHeaders.has(plainHeaderName(name))
}

const overridingHeaders: ReadonlyMap<string, string> = new Map(
  ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', 'X-Method'].map((name) => [
    plainHeaderName(name),
    name,
  ]),
)
