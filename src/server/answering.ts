/** The ordinary way of a request: a web-standard `Request`, and an answer of Hallpass's own or a decision about it. */
import type { Authentication } from '../domain/identity.ts'
import type { Connection } from '../domain/ports.ts'
import { traceOf } from '../domain/trace.ts'
import {
  answerForwardAuth,
  type ForwardAuthParts,
  isForwardAuth,
  refuseForwardAuth,
} from '../edge/forward-auth.ts'
import { refused } from '../http/answer.ts'
import { challenged } from '../http/challenge.ts'
import { answerPreflight, withCors } from '../http/cors.ts'
import { answerDiscoveryPreflight } from '../http/discovery-documents.ts'
import { isPublished } from '../http/published.ts'
import type { Routes } from '../http/routes.ts'
import type { Environment, Service } from '../http/service.ts'
import type { Visit } from '../http/visit.ts'
import type { Refusal } from '../protocol/errors.ts'
import { mayName } from '../protocol/query.ts'
import { requestedRoute } from '../protocol/route-matcher.ts'
import { authenticate } from '../verify/authenticate.ts'
import { readCredentials } from '../verify/credentials.ts'
import { checkKeyedRequest } from '../verify/keyed-request.ts'
import { hasQueryCredentials } from '../verify/query-credentials.ts'
import { limitAddress } from '../verify/request-limits.ts'
import type { ImmediateAnswers } from './answer-now.ts'
import type { AuthenticateOptions } from './hallpass.ts'
import type { RequestReader } from './requests.ts'

export interface AnsweringParts {
  readonly service: Service
  readonly requests: RequestReader
  readonly routes: Routes
  readonly forwardAuth: ForwardAuthParts
  readonly immediate: ImmediateAnswers
  /** Whether one-time passwords are to be had at all. */
  readonly hasOneTimePasswords: boolean
  /** What a request is told that met a fault. */
  readonly refusalOf: (error: unknown, request: Request) => Refusal
}

export interface Answering {
  /** The answer of Hallpass's own to a request; undefined where that is none of its paths, or can be read in two ways. */
  respond(request: Request, connection?: Connection): Promise<Response | undefined>
  /** Who sent a request to the application, as `authenticate` of a Hallpass; at once, where nothing has to be looked up. */
  decide(request: Request, options: AuthenticateOptions): Authentication | Promise<Authentication>
}

export function createAnswering(parts: AnsweringParts): Answering {
  const { service, requests, routes, forwardAuth, immediate, hasOneTimePasswords, refusalOf } = parts
  const { domain, verifier } = service
  const { settings, observer, tracing } = domain

  /** Undefined for a path that is none of Hallpass's, or that can be read in two ways. */
  async function answer(visit: Visit): Promise<Response | undefined> {
    const environment: Environment = { visit }
    try {
      // What answers them is loaded for the first of those requests, which are rare.
      const entrance =
        hasOneTimePasswords && mayName(visit.query, 'user_api_public_key')
          ? await (await import('../http/one-time-entrance.ts')).answerOneTimeEntrance(service, visit)
          : undefined
      if (entrance) return entrance
      const response = await routes.fetch(visit.request, environment)
      if (observer.isOn || tracing) traceOf(visit.request).route = environment.route
      return environment.unhandled ? undefined : response
    } catch (error) {
      return refused(visit, refusalOf(error, visit.request), settings.current().title)
    }
  }

  async function answerProxy(request: Request, connection = unknownConnection): Promise<Response> {
    try {
      const decided = immediate.decided(connection)
      const response = await answerForwardAuth(forwardAuth, request, connection, decided)
      // A browser's script may read a refusal; what is allowed, the application answers.
      return response.status === 200 ? response : withCors(request, response, settings.current())
    } catch (error) {
      const why = refusalOf(error, request)
      return withCors(request, refuseForwardAuth(forwardAuth, request, why), settings.current())
    }
  }

  async function respond(request: Request, connection?: Connection): Promise<Response | undefined> {
    if (isForwardAuth(request, connection?.requestTarget)) {
      if (observer.isOn) traceOf(request).route = 'forward-auth'
      return answerProxy(request, connection)
    }
    const current = settings.current()
    const preflight = answerDiscoveryPreflight(request, current) ?? answerPreflight(request, current)
    if (preflight) return preflight
    const arrival = requests.arrival(request, connection)
    const decided = immediate.decided(connection)
    const response = arrival.ambiguous ? undefined : await answer(requests.visit(request, arrival, decided))
    if (!response || isPublished(response)) return response
    return withCors(request, response, settings.current())
  }

  /** At once, where nothing has to be looked up or read: every promise on the way costs as much as the decision. */
  function decide(request: Request, options: AuthenticateOptions): Authentication | Promise<Authentication> {
    const { rawPath, sameOrigin = false, limitAddresses = 'all' } = options
    const arrival = requests.arrival(request, options.connection, rawPath)
    const { query, route, ambiguous, connection } = arrival
    const address = connection.remoteAddress
    if (observer.isOn) traceOf(request).address = address
    const inQuery = !ambiguous && hasQueryCredentials(query) && verifier.takesKeyInQuery(route)
    const credentials = readCredentials(request.headers, query, inQuery)
    const bringsKey = credentials.userApiKey !== undefined || credentials.apiKey !== undefined
    const keyed = { method: route.method, headers: request.headers, query, address }
    const unfit = bringsKey
      ? checkKeyedRequest(domain, keyed)
      : limitAddresses === 'all' && limitAddress(domain, address)
    if (unfit) return { outcome: 'refused', refusal: unfit }
    // A key's scopes cannot be held against a path of two readings; a browser's visitor may have any.
    if (ambiguous && bringsKey) return { outcome: 'refused', refusal: ambiguous }
    const decideBy = ({ csrfToken, body }: Pick<AuthenticateOptions, 'csrfToken' | 'body'>) =>
      authenticate(verifier, {
        request,
        route: requestedRoute(route, query, body ?? (hasBody(request) ? 'unread' : undefined)),
        credentials,
        csrfToken: csrfToken ?? request.headers.get('x-csrf-token') ?? undefined,
        sameOrigin,
        revocationId: undefined,
        address,
      })
    return options.readBody ? options.readBody().then(decideBy) : decideBy(options)
  }

  return { respond, decide }
}

/** A refusal in words, with the challenge that belongs to it. */
export function putIntoWords({ domain, baseUrl }: Service, visit: Visit, why: Refusal): Response {
  const settings = domain.settings.current()
  const response = refused(visit, why, settings.title)
  return challenged(visit.request, response, why, { baseUrl: baseUrl(visit), settings })
}

/** Asks for the body of no request that can have none: some servers make a whole `Request` only then. */
function hasBody(request: Request): boolean {
  return request.method !== 'GET' && request.method !== 'HEAD' && request.body !== null
}

const unknownConnection: Connection = { remoteAddress: null }
