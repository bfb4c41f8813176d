/** What a request is told that met a fault. */
import { StoreUnavailable } from '../domain/store.ts'
import { traceOf } from '../domain/trace.ts'
import { HostUsersError } from '../identity/host-users.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'

/** How often it is told that an outage goes on, in milliseconds: every request meets it. */
const outageToldEveryMs = 1000

/**
 * Makes what answers for a fault: of Hallpass's own, of the database, or of the application that was asked about its users.
 * `onError` hears of each with the id of the request that met it, and of an outage once a second.
 */
export function createFaultRefusals(
  onError: (error: unknown, requestId: string) => void,
): (error: unknown, request: Request) => Refusal {
  let toldOfOutageAt = Number.NEGATIVE_INFINITY
  return (error, request) => {
    const { reason = 'internal' } = error instanceof HostUsersError ? error : {}
    if (error instanceof StoreUnavailable) {
      const now = performance.now()
      if (now - toldOfOutageAt >= outageToldEveryMs) {
        toldOfOutageAt = now
        onError(error, 'store')
      }
      return refusal('store_unavailable', { wait_seconds: 1 })
    }
    if (reason === 'username_lookup_missing') return refusal(reason)
    const requestId = traceOf(request).id
    onError(error, requestId)
    return refusal(reason, { request_id: requestId })
  }
}
