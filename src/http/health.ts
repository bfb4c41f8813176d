/** Whether the server runs, and whether requests may be sent to it. */
import { refusal } from '../protocol/errors.ts'
import { json, refused } from './answer.ts'
import type { Service } from './service.ts'
import type { Visit } from './visit.ts'

/** What is answered to GET, by its path. Requests count for no limit, and no key is looked at. */
export const healthAnswers: Readonly<Record<string, (service: Service, visit: Visit) => Promise<Response>>> =
  {
    '/healthz': async () => json({ status: 'ok' }),

    async '/readyz'(service, visit) {
      const { title } = service.domain.settings.current()
      try {
        await service.domain.store.ping()
        // Nobody is let in: whoever spreads requests over nodes is to choose another.
        if (service.domain.limiter.isClosed) {
          return refused(visit, refusal('limits_unavailable', { wait_seconds: 2 }), title)
        }
        return json({ status: 'ok', ...limitsOf(service) })
      } catch {
        return refused(visit, refusal('store_unavailable', { wait_seconds: 1 }), title)
      }
    },
  }

/** For whoever watches the node: whether its limits count together with the others', and since when that is so. */
function limitsOf({ limitsStatus }: Service): Record<string, unknown> {
  const status = limitsStatus()
  return status ? { limits: { ...status, since: new Date(status.since).toISOString() } } : {}
}
