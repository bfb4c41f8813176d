/** What becomes of the outbox of pushes, besides its being emptied. */
import { type Refusal, refusal } from '../protocol/errors.ts'
import { commit } from './commit.ts'
import type { Actor } from './events.ts'
import type { Domain } from './ports.ts'

const dayMs = 86_400_000

/**
 * Has a dead push tried again, from its first attempt on, before all that wait for the same address. Reasons:
 * `not_found`, `push_delivery_not_dead`.
 */
export async function retryPushDelivery(
  domain: Domain,
  actor: Actor,
  id: number,
): Promise<{ readonly outcome: 'changed' } | { readonly outcome: 'refused'; readonly refusal: Refusal }> {
  return commit(domain, actor, async (session) => {
    const push = await session.pushDeliveries.find(id)
    if (!push) return { result: refused(refusal('not_found', { what: `push ${id}` })), events: [] }
    if (!(await session.pushDeliveries.revive(id, domain.clock.now()))) {
      return { result: refused(refusal('push_delivery_not_dead', { id, state: push.state })), events: [] }
    }
    const { targetUrl } = push
    return {
      result: { outcome: 'changed' } as const,
      events: [{ type: 'push_delivery_retried', deliveryId: id, targetUrl }],
    }
  })
}

/** Deletes the pushes that were delivered, or given up, longer ago than the settings keep them. */
export async function deleteOldPushDeliveries(domain: Domain): Promise<void> {
  const { push_delivered_kept_days: delivered, push_dead_kept_days: dead } = domain.settings.current()
  const now = domain.clock.now()
  await domain.store.pushDeliveries.deleteFinished({
    delivered: now - delivered * dayMs,
    dead: now - dead * dayMs,
  })
}

function refused(why: Refusal): { readonly outcome: 'refused'; readonly refusal: Refusal } {
  return { outcome: 'refused', refusal: why }
}
