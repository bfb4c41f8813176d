import { auditEntry } from './audit.ts'
import { changesOf } from './changes.ts'
import type { Actor, DomainEvent } from './events.ts'
import type { Domain } from './ports.ts'
import type { StoreSession } from './store.ts'

/** What a transition came to: its result, and what happened. */
export interface Transition<T> {
  readonly result: T
  readonly events: readonly DomainEvent[]
}

/**
 * Carries a transition out: one transaction holds the change, its lines in the audit log and what other processes have to
 * forget, and once it is committed whoever keeps something in memory hears of it. When `work` throws nothing has happened.
 */
export async function commit<T>(
  domain: Pick<Domain, 'store' | 'clock' | 'events'>,
  actor: Actor,
  work: (session: StoreSession) => Promise<Transition<T>>,
): Promise<T> {
  const { result, events } = await domain.store.transaction(async (session) => {
    const transition = await work(session)
    let last = transition.events.length > 0 ? await session.audit.last() : undefined
    for (const event of transition.events) {
      last = auditEntry(last, actor, event, domain.clock.now())
      await session.audit.append(last)
      const { sequence, at } = last
      const changes = changesOf(event)
      if (changes.length > 0) {
        await session.changes.append({ sequence, at, origin: domain.events.origin, changes })
      }
    }
    return transition
  })
  if (events.length > 0) domain.events.publish(events)
  return result
}
