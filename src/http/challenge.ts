/**
 * What an answer to a bad, missing or too narrow key says in `WWW-Authenticate`, for clients of OAuth (RFC 6750 §3, RFC
 * 9728 §5.1), and when its status is 401: see docs/decisions/0010-401-for-bearer-tokens.md.
 */
import { discoveryPaths } from '../protocol/discovery.ts'
import type { Reason, Refusal } from '../protocol/errors.ts'
import { describable } from '../protocol/oauth-error.ts'
import type { Settings } from '../protocol/settings.ts'

/** What of a site a challenge names. */
export interface ChallengingSite {
  /** Without a slash at its end. */
  readonly baseUrl: string
  readonly settings: Settings
}

/**
 * A refusal's answer with the challenge that belongs to it. Whoever sent `Authorization: Bearer`, and no key in a header
 * of the protocol's, gets 401 for a token that does not count; everybody else keeps the protocol's status. Answers that
 * are worded in another way, such as a 404 that stands for «sign in», stay as they are.
 */
export function challenged(
  request: Request,
  response: Response,
  why: Refusal,
  site: ChallengingSite,
): Response {
  if (response.status !== 401 && response.status !== 403) return response
  const sentBearer = bringsBearer(request.headers)
  const parameters = challengeOf(why, sentBearer, site.settings)
  if (!parameters) return response
  if (site.settings.enable_oauth_metadata) {
    parameters.push(['resource_metadata', site.baseUrl + discoveryPaths.protectedResource])
  }
  // A scheme needs a parameter (RFC 6750 §3).
  if (parameters.length === 0) parameters.push(['realm', site.baseUrl])
  const challenge = `Bearer ${parameters.map(([name, value]) => `${name}="${describable(value)}"`).join(', ')}`
  const isToken = sentBearer && parameters.some(([name, value]) => name === 'error' && value === invalidToken)
  const headers = new Headers(response.headers)
  headers.set('www-authenticate', challenge)
  return new Response(response.body, { status: isToken ? 401 : response.status, headers })
}

type Parameter = [name: string, value: string]

/** Undefined for a refusal that no other user API key would mend. */
function challengeOf(why: Refusal, sentBearer: boolean, settings: Settings): Parameter[] | undefined {
  if (why.reason === 'scope_insufficient') {
    // A list of scopes would mean all of them, and one is enough: the narrowest that the site gives out.
    const scope = why.scopes?.needed.find((name) => settings.allow_user_api_key_scopes.includes(name))
    return [
      ...errorOf('insufficient_scope', why),
      ...(scope === undefined ? [] : [['scope', scope] as Parameter]),
    ]
  }
  if (badKeys.has(why.reason)) return errorOf(invalidToken, why)
  // No key at all gets no error code (RFC 6750 §3.1). A token that has not the form of a key got this far unread.
  if (why.reason === 'not_signed_in' || why.reason === 'credentials_missing')
    return sentBearer ? errorOf(invalidToken, why) : []
  return undefined
}

function errorOf(code: string, { message }: Refusal): Parameter[] {
  return [
    ['error', code],
    ['error_description', message.slice(0, longestDescription)],
  ]
}

const invalidToken = 'invalid_token'

/** In characters. A message may quote a long path, and proxies bound what headers they pass on. */
const longestDescription = 300

/** An owner who is suspended is not among them: another key would serve no better. */
const badKeys: ReadonlySet<Reason> = new Set<Reason>([
  'user_api_key_invalid',
  'user_api_key_is_payload',
  'user_api_key_malformed',
  'user_api_key_revoked',
  'user_api_key_expired',
  'api_key_sent_as_user_api_key',
])

/** A key in a header of the protocol's own wins over a token, so it is what the refusal is about. */
function bringsBearer(headers: Headers): boolean {
  const own = ['user-api-key', 'api-key'].some((name) => headers.get(name)?.trim())
  return !own && /^bearer +\S/i.test(headers.get('authorization')?.trim() ?? '')
}
