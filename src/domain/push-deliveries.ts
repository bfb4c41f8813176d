/** What becomes of the outbox of pushes, besides its being emptied. */
import { type Refusal, refusal } from '../protocol/errors.ts'
import { commit, type Transition } from './commit.ts'
import type { Actor, DomainEvent } from './events.ts'
import type { Domain } from './ports.ts'
import type { Changed } from './user-api-keys.ts'

/**
 * Has a dead push tried again, from its first attempt on, before all that wait for the same address. Reasons:
 * `not_found`, `push_delivery_not_dead`.
 */
export function retryPushDelivery(domain: Domain, actor: Actor, id: number): Promise<Changed> {
  return commit<Changed>(domain, actor, async (session) => {
    const push = await session.pushDeliveries.find(id)
    if (!push) return refused(refusal('not_found', { what: `push ${id}` }))
    if (!(await session.pushDeliveries.revive(id, domain.clock.now()))) {
      return refused(refusal('push_delivery_not_dead', { id, state: push.state }))
    }
    const { targetUrl } = push
    const events: DomainEvent[] = [{ type: 'push_delivery_retried', deliveryId: id, targetUrl }]
    return { result: { outcome: 'changed' }, events }
  })
}

function refused(why: Refusal): Transition<Changed> {
  return { result: { outcome: 'refused', refusal: why }, events: [] }
}
