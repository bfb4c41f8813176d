/** Requests that wait on the server while their user signs in (protocol §3.2, §6.1), and the way to where one does. */
import { addressBucket } from '../domain/address.ts'
import { countAgainst, perMinute } from '../domain/limits.ts'
import { findParkedRequest, parkRequest } from '../domain/park-request.ts'
import { goAndSignInPath } from '../pages/paths.ts'
import { signInAtApplicationPage } from '../pages/sign-in-at-application.ts'
import { refusal } from '../protocol/errors.ts'
import { page, redirect, refused } from './answer.ts'
import { localPath } from './local-path.ts'
import { type Call, type Router, routesOf, type Service } from './service.ts'
import type { Visit } from './visit.ts'

/** Where a parked request goes on, by what it asks for; its id follows. */
export const parkedPaths = { authorization: '/hallpass/authorize', oneTimePassword: '/hallpass/otp' } as const

/** Adds the one path that leads to the sign-in, wherever users do so. */
export function addGoAndSignInRoute(router: Router, service: Service): void {
  const route = routesOf(router, service)
  route('GET', goAndSignInPath, { who: 'anyone' }, async ({ visit, identity }) => {
    const path = localPath(visit.url.searchParams.get('redirect') ?? undefined) ?? '/'
    return identity ? redirect(path) : sendToSignIn(service, visit, path)
  })
}

/**
 * Parks the request with these parameters and sends the visitor to sign in; afterwards they come to `path`. How many
 * may wait is limited for each address.
 */
export async function signInFirst(
  service: Service,
  { visit }: Call,
  parameters: URLSearchParams,
  path: (typeof parkedPaths)[keyof typeof parkedPaths],
): Promise<Response> {
  const { domain } = service
  const address = addressBucket(visit.connection.remoteAddress)
  const limited = countAgainst(domain, [[perMinute('max_authorization_requests_per_minute'), address]])
  if (limited) return refused(visit, limited, domain.settings.current().title)
  const id = await parkRequest(domain, parameters)
  return sendToSignIn(service, visit, `${path}/${id}`)
}

/**
 * Sends a visitor who is not signed in to where they do so, and from there to `path`. Where the application has no such
 * address, a page asks them to go there by themselves.
 */
export async function sendToSignIn(service: Service, visit: Visit, path: string): Promise<Response> {
  const { title } = service.domain.settings.current()
  // Whoever is signed in to no avail would be sent round in a circle.
  const shutOut = await service.visitors.shutOut(visit.request)
  if (shutOut) return refused(visit, shutOut, title)
  const address = service.signInAddress(visit, path)
  if (address !== undefined) return redirect(address)
  if (!visit.asksForPage) return refused(visit, refusal('not_signed_in'), title)
  const applicationName = await waitingApplication(service, path)
  const html = signInAtApplicationPage({
    siteTitle: title,
    goOn: `${goAndSignInPath}?redirect=${encodeURIComponent(path)}`,
    refusal: refusal('not_signed_in'),
    ...(applicationName === undefined ? {} : { applicationName }),
  })
  return page(html, { status: 403 })
}

/** The name of the app whose request waits behind the sign-in, if that is where the visitor goes next. */
export async function waitingApplication({ domain }: Service, target: string): Promise<string | undefined> {
  const id = Object.values(parkedPaths)
    .filter((path) => target.startsWith(`${path}/`))
    .map((path) => target.slice(path.length + 1))[0]
  const parked = id === undefined ? undefined : await findParkedRequest(domain, id)
  return parked?.outcome === 'found' ? (parked.parameters.get('application_name') ?? undefined) : undefined
}

/**
 * The form action that signs out and comes back to `path` by way of the sign-in; nothing where signing out is the
 * application's own.
 */
export function switchUserAction(
  { signOutPath }: Service,
  path: string,
): { readonly switchUserAction?: string } {
  if (signOutPath === undefined) return {}
  const signIn = `${goAndSignInPath}?redirect=${encodeURIComponent(path)}`
  return { switchUserAction: `${signOutPath}?redirect=${encodeURIComponent(signIn)}` }
}
