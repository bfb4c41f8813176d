/**
 * Answers at once to what is asked most: a proxy's question, who a key belongs to, and whether a request may go on to the
 * application. It is the short way for requests with a key that is in memory; see docs/architecture.md, «The fast lane».
 */
import type { createClientAddress } from '../domain/client-address.ts'
import type { Identity } from '../domain/identity.ts'
import type { PlainAnswer, PlainQuestion } from '../domain/plain-answer.ts'
import type { Connection } from '../domain/ports.ts'
import { traceOf } from '../domain/trace.ts'
import {
  decideForwardAuthNow,
  type ForwardAuthParts,
  forwardAuthHeaders,
  isForwardAuthTarget,
} from '../edge/forward-auth.ts'
import { answerCurrentUserNow, currentUserRouteName, isCurrentUserTarget } from '../http/current-user.ts'
import type { Service } from '../http/service.ts'
import type { Refusal } from '../protocol/errors.ts'
import { noQuery, type Query, readQuery } from '../protocol/query.ts'
import { normalizeRoute, type Route } from '../protocol/route.ts'
import { requestedRoute } from '../protocol/route-matcher.ts'
import { decideNow, warmUserApiKey } from '../verify/authenticate-user-api-key.ts'
import { readCredentials } from '../verify/credentials.ts'
import { checkKeyedRequest } from '../verify/keyed-request.ts'
import { hasQueryCredentials } from '../verify/query-credentials.ts'

export interface ImmediateAnswers {
  /**
   * The answer to a request that is allowed and needs nothing looked up. Undefined for every other: it has to take the
   * ordinary way, where {@link ImmediateAnswers.decided} tells of it if it was counted here, and refused.
   */
  answer(question: PlainQuestion): PlainAnswer | undefined
  /**
   * Who sent a request to the application, or why it is refused. Undefined for one that is none of the application's,
   * and where anything has to be looked up; nothing is counted then.
   */
  admit(question: PlainQuestion): Identity | Refusal | undefined
  /** Why a request that came by this connection is refused, where that was decided here. Told once. */
  decided(connection: Connection | undefined): Refusal | undefined
}

export interface ImmediateParts {
  readonly service: Service
  readonly forwardAuth: ForwardAuthParts
  readonly clientAddress: ReturnType<typeof createClientAddress>
  /** Whether a route of Hallpass's own could answer; when in doubt it could. */
  readonly mayBeOwn: (route: Route, query: Query) => boolean
}

export function createImmediateAnswers({
  service,
  forwardAuth,
  clientAddress,
  mayBeOwn,
}: ImmediateParts): ImmediateAnswers {
  const { verifier } = service
  const refusals = new WeakMap<Connection, Refusal>()
  const { observer } = service.domain

  function tell(question: PlainQuestion, startedAt: number): void {
    const { target, headers, connection } = question
    observer.answered({
      method: 'GET',
      route: isCurrentUserTarget(target) ? currentUserRouteName : 'forward-auth',
      status: 200,
      durationMs: performance.now() - startedAt,
      trace: traceOf(question),
      address: clientAddress(connection.remoteAddress, headers),
    })
  }

  function decide(question: PlainQuestion): PlainAnswer | Refusal | undefined {
    const { target, headers, connection } = question
    if (isCurrentUserTarget(target)) {
      return answerCurrentUserNow(service, question, clientAddress(connection.remoteAddress, headers))
    }
    if (!isForwardAuthTarget(target)) return undefined
    const decision = decideForwardAuthNow(forwardAuth, question, connection)
    return decision && 'via' in decision ? allowance(decision) : decision
  }

  return {
    admit(question) {
      const { method, target, headers, connection } = question
      if (target.includes('#') || isForwardAuthTarget(target)) return undefined
      const mark = target.indexOf('?')
      const normalized = normalizeRoute(method, mark === -1 ? target : target.slice(0, mark))
      if (normalized.outcome === 'ambiguous') return undefined
      const { route } = normalized
      const query = mark === -1 ? noQuery : readQuery(target.slice(mark + 1))
      if (mayBeOwn(route, query)) return undefined
      const inQuery = hasQueryCredentials(query) && verifier.takesKeyInQuery(route)
      const credentials = readCredentials(headers, query, inQuery)
      const known = warmUserApiKey(verifier, credentials)
      if (!known) return undefined
      const address = clientAddress(connection.remoteAddress, headers)
      // For whoever hears of the request, if only because it is refused.
      traceOf(question).address = address
      const unfit = checkKeyedRequest(service.domain, { method: route.method, headers, query, address })
      if (unfit) return unfit
      const decision = decideNow(verifier, known, {
        route: requestedRoute(route, query, undefined),
        credentials,
        revocationId: undefined,
        address,
        request: question,
      })
      if (decision.outcome === 'anonymous') return undefined
      return decision.outcome === 'refused' ? decision.refusal : decision.identity
    },

    answer(question) {
      if (question.method !== 'GET') return undefined
      const startedAt = observer.isOn ? performance.now() : 0
      const answer = decide(question)
      if (answer && !('reason' in answer) && observer.isOn) tell(question, startedAt)
      if (!answer || !('reason' in answer)) return answer
      refusals.set(question.connection, answer)
      return undefined
    },

    decided(connection) {
      const why = connection && refusals.get(connection)
      if (why) refusals.delete(connection)
      return why
    },
  }
}

/** For as long as an identity is in memory, and no longer: who changes is another. */
const allowances = new WeakMap<Identity, PlainAnswer>()

function allowance(identity: Identity): PlainAnswer {
  let answer = allowances.get(identity)
  if (!answer) {
    answer = { headers: Object.entries(forwardAuthHeaders(identity)).sort().flat(), body: '' }
    allowances.set(identity, answer)
  }
  return answer
}
