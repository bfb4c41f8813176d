/**
 * What every adapter does, whatever its framework: Hallpass's own routes first, then the question who sent the request
 * and whether they may. An adapter translates its framework's requests and answers, and never imports another adapter.
 */
import type { Authentication, Identity } from '../domain/identity.ts'
import type { Connection } from '../domain/ports.ts'
import type { Refusal } from '../protocol/errors.ts'

/** What an adapter needs of a Hallpass; what `createHallpass` returns is one. */
export interface GuardingHallpass {
  handle(request: Request, connection?: Connection): Promise<Response | undefined>
  authenticate(request: Request, options: AdmittanceQuestion): Promise<Authentication>
  refuse(request: Request, refusal: Refusal): Response
  withCors(request: Request, response: Response): Response
  withCaller(response: Response, identity: Identity | undefined, route: string): Response
}

export interface GuardOptions {
  /**
   * Which requests count against the address they came from: `all`, or `keys`, those alone that bring a key. Default
   * `all`; `keys` where the guard also stands in front of pictures and other files.
   */
  readonly limitAddresses?: 'all' | 'keys'
}

/** Who sent a request that the guard let through. */
export interface Visitor {
  /** Undefined for somebody who is not signed in and sent no key. */
  readonly identity: Identity | undefined
}

/** The parameters of a body, each by its name; `unread` for a body that nobody has read. */
export type BodyParameters = Readonly<Record<string, unknown>> | 'unread'

/** A request as its framework received it. */
export interface Arrival {
  /** Its body is looked at by nobody but Hallpass's own routes. */
  readonly request: Request
  readonly connection: Connection
  /** The path as it was received, where `request` may tell it otherwise. Default: the path of `request.url`. */
  readonly rawPath?: string
  /** Undefined when there is no body. */
  readonly body: BodyParameters | undefined
}

/** What becomes of a request: the application's turn, or an answer of Hallpass's. */
export type Admission =
  | { readonly outcome: 'admitted'; readonly identity: Identity | undefined }
  | { readonly outcome: 'answered'; readonly response: Response }

/** Hands a request to Hallpass's own routes, and if it is for none of them, asks whether the application may have it. */
export async function receive(
  hallpass: GuardingHallpass,
  arrival: Arrival,
  options: GuardOptions,
): Promise<Admission> {
  const response = await hallpass.handle(arrival.request, arrival.connection)
  return response ? { outcome: 'answered', response } : admit(hallpass, arrival, options)
}

/** Asks whether the application may have a request that is for none of Hallpass's own routes. */
export async function admit(
  hallpass: GuardingHallpass,
  { request, connection, rawPath, body }: Arrival,
  { limitAddresses = 'all' }: GuardOptions,
): Promise<Admission> {
  const csrfToken = typeof body === 'object' ? body.authenticity_token : undefined
  const authentication = await hallpass.authenticate(request, {
    connection,
    limitAddresses,
    sameOrigin: isFromSameOrigin(request),
    ...(rawPath === undefined ? {} : { rawPath }),
    ...(body === undefined ? {} : { body }),
    ...(typeof csrfToken === 'string' ? { csrfToken } : {}),
  })
  if (authentication.outcome === 'refused') {
    return { outcome: 'answered', response: hallpass.refuse(request, authentication.refusal) }
  }
  const identity = authentication.outcome === 'authenticated' ? authentication.identity : undefined
  return { outcome: 'admitted', identity }
}

/**
 * What Hallpass adds to an answer of the application: for whom the request acted, by which route, and CORS. `route` is
 * undefined where the framework does not tell; the caller is named even so.
 */
export function answerHeaders(
  hallpass: GuardingHallpass,
  request: Request,
  identity: Identity | undefined,
  route: string | undefined,
): Headers {
  const response = new Response(null)
  const { headers } = hallpass.withCors(request, hallpass.withCaller(response, identity, route ?? ''))
  if (route === undefined) headers.delete('x-discourse-route')
  return headers
}

interface AdmittanceQuestion {
  readonly connection: Connection
  readonly limitAddresses: 'all' | 'keys'
  readonly sameOrigin: boolean
  readonly rawPath?: string
  readonly body?: BodyParameters
  readonly csrfToken?: string
}

/**
 * Whether a browser says that a page of this very site sent the request, in headers that no page can write: then a
 * request known by its cookie needs no CSRF token, and the application's own forms go on working. `Sec-Fetch-Site` is
 * sent to https and localhost; elsewhere `Origin` tells (https://www.w3.org/TR/fetch-metadata/).
 */
function isFromSameOrigin({ headers, url }: Request): boolean {
  const site = headers.get('sec-fetch-site')
  if (site !== null) return site === 'same-origin'
  const origin = headers.get('origin')
  return origin !== null && origin === new URL(url).origin
}
