/** Words for the refusals of a site that speaks only the protocol's own (§12): a status, a type, a localised text. */
import { fill, type Reason, type Refusal, type RefusedScopes, refusalCatalogue } from '../protocol/errors.ts'
import { normalizeRoute } from '../protocol/route.ts'
import { compileScopes, createScopeCatalogue } from '../protocol/scopes.ts'
import { type ClientReason, clientErrorCatalogue } from './client-errors.ts'

/** What was asked for when a site refused; names the call in the error's texts. */
export interface RefusedCall {
  readonly site: string
  /** In capital letters. */
  readonly method: string
  /** The path and query as they were asked for. */
  readonly path: string
  /** The scopes of the key; undefined when they are not known. */
  readonly scopes?: readonly string[] | undefined
}

/** What such a site says. */
export interface PlainRefusal {
  readonly status: number
  readonly errorType: string | undefined
  readonly errors: readonly string[]
  readonly waitSeconds: number | undefined
}

/** A reason with its texts. */
export interface Explanation {
  readonly reason: Reason | ClientReason
  readonly message: string
  readonly remedy: string
  /** Of a refusal for scope alone. */
  readonly scopes?: RefusedScopes
}

/**
 * The likeliest cause of a refusal that names none. The texts of the wire are localised, so only the status, the type
 * and what the client knows of its own key decide; the texts are passed on.
 */
export function explainPlainRefusal(refused: PlainRefusal, call: RefusedCall): Explanation {
  const { status, errorType } = refused
  if (status === 429) return rateLimited(refused)
  if (errorType === 'not_logged_in') return ofSite('not_signed_in', {})
  if (errorType === 'read_only') return ofSite('read_only', {})
  if (errorType === 'not_found' || status === 404) {
    return ofSite('not_found', { what: `${call.path} on ${call.site}, or this key’s owner may not see it` })
  }
  if (status === 403) {
    return missingScope(call) ?? ofClient('access_refused', { ...call })
  }
  if (status >= 500) return ofClient('call_failed', { ...call, status })
  const problem = refused.errors.join('; ') || 'it gives no cause'
  return ofClient('call_refused', { ...call, status, problem })
}

function rateLimited({ errors, waitSeconds }: PlainRefusal): Explanation {
  const wait = waitSeconds === undefined ? 'a minute' : `${waitSeconds} seconds`
  return {
    reason: 'rate_limited',
    message: ['too many requests', ...errors].join(': '),
    remedy: `wait ${wait}, then try again`,
  }
}

/** Such a site answers alike for a dead key and for a missing scope; whether it can be the scope is known here. */
function missingScope({ method, path, scopes }: RefusedCall): Refusal | undefined {
  if (!scopes) return undefined
  const [pathname = '/', query = ''] = path.split('?', 2)
  const normalized = normalizeRoute(method, pathname)
  // A key of any scope may revoke itself, and a site's own scopes permit routes that only the site knows.
  if (/^\/user-api-key\/revoke(\.json)?$/.test(pathname)) return undefined
  if (normalized.outcome !== 'route' || scopes.some((scope) => !catalogue.find(scope))) return undefined
  const granted = scopes.map((name) => ({ name, allowedParameters: null }))
  const decision = compileScopes(
    catalogue,
    granted,
  )({ ...normalized.route, query: new URLSearchParams(query) })
  return decision.outcome === 'refused' ? decision.refusal : undefined
}

const catalogue = createScopeCatalogue()

function ofSite(reason: Reason, details: Record<string, string | number>): Explanation {
  const { message, remedy } = refusalCatalogue[reason]
  return { reason, message: fill(message, details), remedy: fill(remedy, details) }
}

function ofClient(reason: ClientReason, details: Record<string, unknown>): Explanation {
  const { message, remedy } = clientErrorCatalogue[reason]
  const texts = Object.fromEntries(Object.entries(details).map(([name, value]) => [name, String(value)]))
  return { reason, message: fill(message, texts), remedy: fill(remedy, texts) }
}
