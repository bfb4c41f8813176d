import type { HeaderReader } from '../domain/header-reader.ts'
import type { Refusal } from '../protocol/errors.ts'
import type { Query } from '../protocol/query.ts'
import { checkMethodOverride } from './method-override.ts'
import { type Counted, limitAddress } from './request-limits.ts'

/** A request that brings a key, as far as it is looked at before the key is. */
export interface KeyedRequest {
  /** In capital letters. */
  readonly method: string
  readonly headers: HeaderReader
  readonly query: Query
  /** Where it came from; null when that is not known. */
  readonly address: string | null
}

/**
 * Counts a request with a key against its address, and refuses one that asks to be taken for another method. Before the
 * key is looked at: it is keys that must not be guessed. Reasons: `rate_limited`, `limits_unavailable`, `method_override`.
 */
export function checkKeyedRequest(
  counted: Counted,
  { method, headers, query, address }: KeyedRequest,
): Refusal | undefined {
  return limitAddress(counted, address) ?? checkMethodOverride(method, headers, query)
}
