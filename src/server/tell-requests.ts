/** Tells the observer of requests: what was answered, and what was refused. */
import type { Observer } from '../domain/observation.ts'
import type { Connection } from '../domain/ports.ts'
import { traceOf } from '../domain/trace.ts'
import type { Refusal } from '../protocol/errors.ts'

/** The route of an answer that no route gave: a preflight, a page that is not there. */
const noRoute = 'none'

export interface RequestTeller {
  /** A request of Hallpass's own routes was answered; `startedAt` is by `performance.now()`. */
  answered(request: Request, response: Response, startedAt: number, connection?: Connection): void
  /** A request was refused. A second call for the same request tells nothing. */
  refused(request: Request, refusal: Refusal, connection?: Connection): void
}

export function createRequestTeller(
  observer: Observer,
  senderOf: (peer: string | null, headers: Headers) => string | null,
): RequestTeller {
  const addressOf = (request: Request, connection: Connection | undefined): string | null =>
    connection ? senderOf(connection.remoteAddress, request.headers) : traceOf(request).address
  return {
    answered(request, response, startedAt, connection) {
      const trace = traceOf(request)
      observer.answered({
        method: request.method,
        route: trace.route ?? noRoute,
        status: response.status,
        durationMs: performance.now() - startedAt,
        trace,
        address: addressOf(request, connection),
      })
    },
    refused(request, refusal, connection) {
      const trace = traceOf(request)
      if (trace.isTold) return
      trace.isTold = true
      observer.refused({ refusal, method: request.method, trace, address: addressOf(request, connection) })
    },
  }
}
