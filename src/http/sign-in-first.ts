/** Requests that wait on the server while their user signs in (protocol §3.2, §6.1). */
import { addressBucket } from '../domain/address.ts'
import { countAgainst, perMinute } from '../domain/limits.ts'
import { findParkedRequest, parkRequest } from '../domain/park-request.ts'
import { signInPath } from '../pages/paths.ts'
import { redirect, refused } from './answer.ts'
import type { Call, Service } from './service.ts'
import type { Visit } from './visit.ts'

/** Where a parked request goes on, by what it asks for; its id follows. */
export const parkedPaths = { authorization: '/hallpass/authorize', oneTimePassword: '/hallpass/otp' } as const

/**
 * Parks the request with these parameters and sends the visitor to sign in; afterwards they come to `path`. How many
 * may wait is limited for each address.
 */
export async function signInFirst(
  { domain }: Service,
  { visit }: Call,
  parameters: URLSearchParams,
  path: (typeof parkedPaths)[keyof typeof parkedPaths],
): Promise<Response> {
  const address = addressBucket(visit.connection.remoteAddress)
  const limited = countAgainst(domain, [[perMinute('max_authorization_requests_per_minute'), address]])
  if (limited) return refused(visit, limited, domain.settings.current().title)
  const id = await parkRequest(domain, parameters)
  return redirect(`${signInPath}?redirect=${encodeURIComponent(`${path}/${id}`)}`)
}

/** The name of the app whose request waits behind the sign-in, if that is where the visitor goes next. */
export async function waitingApplication({ domain }: Service, target: string): Promise<string | undefined> {
  const id = Object.values(parkedPaths)
    .filter((path) => target.startsWith(`${path}/`))
    .map((path) => target.slice(path.length + 1))[0]
  const parked = id === undefined ? undefined : await findParkedRequest(domain, id)
  return parked?.outcome === 'found' ? (parked.parameters.get('application_name') ?? undefined) : undefined
}

/** Signs out, and comes back to this very page by way of the sign-in page. */
export function switchUserAction({ url }: Visit): string {
  const signIn = `${signInPath}?redirect=${encodeURIComponent(url.pathname + url.search)}`
  return `/hallpass/sign-out?redirect=${encodeURIComponent(signIn)}`
}
