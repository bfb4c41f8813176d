/** The jobs that delete what is of no use any more. */
import type { DomainEvent } from './events.ts'
import { batchSize, counted, inBatches, type Job, turnedOff } from './job.ts'
import { keyFacts } from './store-key.ts'

const dayMs = 86_400_000

/**
 * Deletes registered clients, none of whose keys was used for `unused_registered_user_api_key_clients_days`, with their
 * keys (protocol §8.6). One that was registered within that time is spared: its first user may be on the way (§19a).
 * Clients that never registered stay.
 */
export const deleteUnusedClients: Job = {
  name: 'delete-unused-clients',
  description:
    'Deletes registered clients, with their keys, that were not used for unused_registered_user_api_key_clients_days.',
  everyMs: dayMs,
  async run(domain, run) {
    const days = domain.settings.current().unused_registered_user_api_key_clients_days
    if (days === 0) return turnedOff('unused_registered_user_api_key_clients_days')
    const before = domain.clock.now() - days * dayMs
    let clients = 0
    // A batch is a client, or as many of its keys as a batch may hold; what is deleted is not found again.
    const keys = await inBatches<'more'>(run, async (session) => {
      const [client] = await session.clients.listUnused({ before, limit: 1 })
      if (!client) return { result: { done: 0, next: undefined }, events: [] }
      const deleted = await session.userApiKeys.deleteByClient(client.id, batchSize)
      const events = deleted.map((key): DomainEvent => ({ type: 'user_api_key_deleted', ...keyFacts(key) }))
      if (deleted.length < batchSize) {
        const { clientId, applicationName } = client
        await session.clients.delete(client.id)
        events.push({ type: 'client_deleted', clientId, applicationName })
        clients += 1
      }
      return { result: { done: deleted.length, next: 'more' }, events }
    })
    const theirs = keys === 0 ? '' : `, with ${counted(keys, 'key', 'keys')}`
    return { summary: `${counted(clients, 'client', 'clients')} deleted${theirs}` }
  },
}

/** Deletes what is over by itself: sessions of browsers, and requests that nobody decided on. */
export const deleteExpired: Job = {
  name: 'delete-expired',
  description: 'Deletes browser sessions, one-time passwords and requests of apps whose time is over.',
  everyMs: 600_000,
  async run(domain, run) {
    const now = domain.clock.now()
    const done = await inBatches<'more'>(run, async (session) => {
      const { deleted, more } = await session.deleteExpired(now, batchSize)
      return { result: { done: deleted, next: more ? 'more' : undefined }, events: [] }
    })
    return { summary: `${counted(done, 'session or request', 'sessions and requests')} deleted` }
  },
}

/** Deletes pushes that were delivered, or given up, longer ago than the settings keep them. */
export const deleteOldPushes: Job = {
  name: 'delete-old-pushes',
  description:
    'Deletes pushes that were delivered or given up longer ago than push_delivered_kept_days and push_dead_kept_days.',
  everyMs: 600_000,
  async run(domain, run) {
    const { push_delivered_kept_days: delivered, push_dead_kept_days: dead } = domain.settings.current()
    const now = domain.clock.now()
    const until = { delivered: now - delivered * dayMs, dead: now - dead * dayMs }
    const done = await inBatches<'more'>(run, async (session) => {
      const { deleted, more } = await session.pushDeliveries.deleteFinished(until, batchSize)
      return { result: { done: deleted, next: more ? 'more' : undefined }, events: [] }
    })
    return { summary: `${counted(done, 'push', 'pushes')} deleted` }
  },
}
