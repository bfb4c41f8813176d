import type { Identity } from '../domain/identity.ts'

/**
 * Says on an answer for whom the request acted, and which route answered it (protocol §10.2): `X-Discourse-Username`
 * and `X-Discourse-Route`. Changes nothing for a request of nobody.
 */
export function withCaller(response: Response, identity: Identity | undefined, route: string): Response {
  if (!identity) return response
  for (const [name, value] of Object.entries(callerHeaders(identity, route)))
    response.headers.set(name, value)
  return response
}

/** The headers that say so. */
export function callerHeaders(identity: Identity, route: string): Readonly<Record<string, string>> {
  // A header holds bytes, and a name may hold any letter.
  return {
    'x-discourse-username': encodeURIComponent(identity.user.username),
    'x-discourse-route': route,
  }
}
