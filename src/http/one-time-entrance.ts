import { oneTimePasswordScope } from '../domain/seal-one-time-password.ts'
import { matchAuthRedirect } from '../protocol/auth-redirect.ts'
import type { Refusal } from '../protocol/errors.ts'
import { parsePublicKey } from '../protocol/public-key.ts'
import { mayName } from '../protocol/query.ts'
import { appendPayload } from '../protocol/redirect-address.ts'
import { readCredentials } from '../verify/credentials.ts'
import { hasQueryCredentials } from '../verify/query-credentials.ts'
import { giveBackAddress, limitAddress } from '../verify/request-limits.ts'
import { plainText, redirect, refused } from './answer.ts'
import type { Service } from './service.ts'
import type { Visit } from './visit.ts'

/**
 * Answers a visit to any page of the site with which an app asks, in `user_api_public_key` and `auth_redirect`, whether
 * one-time passwords are to be had here (protocol §6.4): yes sends the browser back with `otp=true`. Undefined for every
 * other request: of somebody signed in, with a key, to the routes of the flows themselves, and when the site offers no
 * one-time passwords.
 */
export async function answerOneTimeEntrance(service: Service, visit: Visit): Promise<Response | undefined> {
  const { method, path } = visit.route
  const { query } = visit
  if (!mayName(query, 'user_api_public_key')) return undefined
  const publicKey = query.parameters.get('user_api_public_key')
  const authRedirect = query.parameters.get('auth_redirect')
  if (publicKey === null || authRedirect === null || (method !== 'GET' && method !== 'HEAD')) return undefined
  if (/^\/(?:user-api-key|session|hallpass\/assets)(?:[/-]|$)/.test(path)) return undefined
  const inQuery = hasQueryCredentials(query) && service.verifier.takesKeyInQuery(visit.route)
  const { userApiKey, apiKey } = readCredentials(visit.request.headers, query, inQuery)
  if (userApiKey !== undefined || apiKey !== undefined) return undefined
  if (await service.verifier.signIn.currentUser(visit.request)) return undefined

  const { domain } = service
  const settings = domain.settings.current()
  const { remoteAddress } = visit.connection
  const limited = limitAddress(domain, remoteAddress)
  if (limited) return refused(visit, limited, settings.title)
  const key = parsePublicKey(publicKey)
  if (key.outcome === 'refused') return explain(key.refusal, 'user_api_public_key')
  const match = matchAuthRedirect(authRedirect, settings.allowed_user_api_auth_redirects)
  if (match.outcome === 'refused') return explain(match.refusal)
  if (settings.allow_user_api_key_scopes.includes(oneTimePasswordScope))
    return redirect(appendPayload(authRedirect, { otp: 'true' }))
  // Whoever answers the visit counts it.
  giveBackAddress(domain, remoteAddress)
  return undefined
}

/** Plain text with status 200, as the protocol has it. The key goes by another name here than in the catalogue. */
function explain({ reason, message, remedy }: Refusal, parameter?: string): Response {
  const named = parameter === undefined ? message : message.replaceAll('`public_key`', `\`${parameter}\``)
  const response = plainText(`${named}\n${remedy}\n`)
  response.headers.set('hallpass-reason', reason)
  return response
}
