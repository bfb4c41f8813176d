import type { Identity } from '../domain/identity.ts'

/**
 * Says on an answer for whom the request acted, and which route answered it (protocol §10.2): `X-Discourse-Username`
 * and `X-Discourse-Route`. Changes nothing for a request of nobody.
 */
export function withCaller(response: Response, identity: Identity | undefined, route: string): Response {
  if (!identity) return response
  // A header holds bytes, and a name may hold any letter.
  response.headers.set('x-discourse-username', encodeURIComponent(identity.user.username))
  response.headers.set('x-discourse-route', route)
  return response
}
