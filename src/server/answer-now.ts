/**
 * Answers at once to what is asked most: a proxy's question, and who a key belongs to. It is the short way of the
 * routes of the same names, for requests with a key that is in memory; see docs/architecture.md, «The fast lane».
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

export interface ImmediateAnswers {
  /**
   * The answer to a request that is allowed and needs nothing looked up. Undefined for every other: it has to take the
   * ordinary way, where {@link ImmediateAnswers.decided} tells of it if it was counted here, and refused.
   */
  answer(question: PlainQuestion): PlainAnswer | undefined
  /** Why a request that came by this connection is refused, where that was decided here. Told once. */
  decided(connection: Connection | undefined): Refusal | undefined
}

export function createImmediateAnswers(
  service: Service,
  forwardAuth: ForwardAuthParts,
  clientAddress: ReturnType<typeof createClientAddress>,
): ImmediateAnswers {
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
    answer(question) {
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
