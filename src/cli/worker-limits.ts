/** Limits that the workers of one machine share through their first process, which relays and remembers. */
import type { Worker } from 'node:cluster'
import type { LimitExchange } from '../domain/limit-exchange.ts'
import { RateLimiter } from '../domain/rate-limit.ts'
import { readLetIn, writeLetIn } from '../server/limit-entry.ts'
import { fromPrimary, type LimitsMessage, type PrimaryMessage, tellPrimary } from './worker-messages.ts'

/** The worker's end. */
export function workerLimits(): LimitExchange {
  let stopHearing = (): void => {}
  return {
    name: 'workers',
    // The first process tells a new worker everything.
    heardMs: Number.POSITIVE_INFINITY,
    start(node) {
      stopHearing = fromPrimary((message) => {
        if (message.type === 'limits_told') node.connected()
        if (message.type !== 'limits') return
        node.heard({ at: node.now() - message.ageMs, letIn: readLetIn(message.letIn) })
      })
      tellPrimary({ type: 'limits_wanted' }).catch((error: unknown) => node.lost(error))
    },
    publish: ({ letIn }) => tellPrimary({ type: 'limits', ageMs: 0, letIn: writeLetIn(letIn) }),
    async stop() {
      stopHearing()
    },
  }
}

/** The first process's end: counts what each worker lets in, and tells the others. */
export class LimitRelay {
  readonly #limiter = new RateLimiter({ now: () => Date.now() })
  readonly #workers = new Set<Worker>()

  constructor() {
    this.#limiter.share({ idOf: (id) => id, heardMs: Number.POSITIVE_INFINITY })
  }

  /** What a worker lets in, from the one that said so. */
  heard(from: Worker, { letIn }: LimitsMessage): void {
    this.#limiter.countElsewhere({ at: this.#limiter.now(), letIn: readLetIn(letIn) })
    for (const worker of this.#workers) {
      if (worker !== from) tell(worker, { type: 'limits', ageMs: 0, letIn })
    }
  }

  /** Tells a worker all that was let in, and from now on what the others let in. */
  join(worker: Worker): void {
    const now = this.#limiter.now()
    for (const { at, letIn } of this.#limiter.snapshot()) {
      tell(worker, { type: 'limits', ageMs: now - at, letIn: writeLetIn(letIn) })
    }
    tell(worker, { type: 'limits_told' })
    this.#workers.add(worker)
  }

  leave(worker: Worker): void {
    this.#workers.delete(worker)
  }
}

function tell(worker: Worker, message: PrimaryMessage): void {
  // One that is ending hears nothing more; its end is heard of elsewhere.
  if (worker.isConnected()) worker.send(message, () => {})
}
