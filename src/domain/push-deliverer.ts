import { encodeHex } from '../protocol/hex.ts'
import { commit } from './commit.ts'
import { systemActor } from './events.ts'
import type { Domain, Outbound, Timers } from './ports.ts'
import { bodyToSend } from './push.ts'
import { outcomeOfAttempt, pushHeaders } from './push-attempt.ts'
import type { PushDeliveryRecord, PushOutcome } from './store.ts'

/** How often to look for what another process left or queued, in milliseconds. */
const lookEveryMs = 10_000

/**
 * How much longer than its time-out a push may belong to whoever sends it, in milliseconds: for the database’s part. So
 * long those behind it wait when that process has ended; were it too short, a push would come twice.
 */
const leaseMarginMs = 5000

export interface PushDelivererOptions {
  readonly outbound: Outbound
  readonly timers: Timers
  /** Hears of failed tries, one line each. No secret is in it. */
  readonly onWarning: (message: string) => void
  /** Hears of faults of our own, such as a database that does not answer. */
  readonly onError: (error: unknown) => void
}

/**
 * Empties the outbox of pushes. For one address one push after the other, each only once the one before has arrived or
 * was given up; different addresses side by side. However many processes share the database, one of them sends to an
 * address at a time: whoever sends holds a lease on the push, which lapses should that process end.
 *
 * A push arrives at least once: it is sent again when the process ends after it was sent and before that was noted.
 */
export class PushDeliverer {
  readonly #domain: Domain
  readonly #options: PushDelivererOptions
  readonly #stopping: AbortController = new AbortController()
  /** What is being sent, by address. */
  readonly #running: Map<string, Promise<void>> = new Map()
  #looking: Promise<void> | undefined
  #lookAgain = false
  #stopped = false
  #cancelTimer: () => void = () => {}
  #saidUnsigned = false

  constructor(domain: Domain, options: PushDelivererOptions) {
    this.#domain = domain
    this.#options = options
  }

  /** Looks for what is due. Call it when something was queued. */
  wake(): void {
    if (this.#stopped) return
    if (this.#looking) {
      this.#lookAgain = true
      return
    }
    this.#looking = this.#look()
      .catch((error: unknown) => {
        this.#options.onError(error)
        this.#lookIn(lookEveryMs)
      })
      .finally(() => {
        this.#looking = undefined
        if (!this.#lookAgain) return
        this.#lookAgain = false
        this.wake()
      })
  }

  /** Resolves once nothing that is due is left: what is left waits for its time. */
  async idle(): Promise<void> {
    while (this.#looking || this.#running.size > 0) {
      await this.#looking
      await Promise.all(this.#running.values())
    }
  }

  /** Sends nothing more. What is being sent gets `graceMs` to end, and is then broken off and kept for later. */
  async stop(graceMs = 5000): Promise<void> {
    this.#stopped = true
    this.#cancelTimer()
    const cancel = this.#options.timers.after(graceMs, () => this.#stopping.abort())
    await this.idle()
    cancel()
  }

  async #look(): Promise<void> {
    const heads = await this.#domain.store.pushDeliveries.heads()
    if (this.#stopped) return
    const now = this.#domain.clock.now()
    const atOnce = this.#domain.settings.current().push_requests_at_once
    let nextAt = now + lookEveryMs
    for (const head of heads) {
      if (this.#running.has(head.targetUrl)) continue
      const dueAt = Math.max(head.nextAttemptAt, head.leasedUntil ?? 0)
      if (dueAt > now) nextAt = Math.min(nextAt, dueAt)
      else if (this.#running.size < atOnce) this.#start(head)
    }
    this.#lookIn(nextAt - now)
  }

  #lookIn(delayMs: number): void {
    this.#cancelTimer()
    if (!this.#stopped) this.#cancelTimer = this.#options.timers.after(delayMs, () => this.wake())
  }

  #start(head: PushDeliveryRecord): void {
    const sending = this.#deliver(head)
      // What went wrong on our side waits for the next look: at once it would go wrong again.
      .catch((error: unknown) => {
        this.#options.onError(error)
        return false
      })
      .then((wasOurs) => {
        this.#running.delete(head.targetUrl)
        if (wasOurs) this.wake()
      })
    this.#running.set(head.targetUrl, sending)
  }

  /** False when another process has it. */
  async #deliver({ id }: PushDeliveryRecord): Promise<boolean> {
    const { store, clock, random, settings } = this.#domain
    const token = encodeHex(random.bytes(16))
    const now = clock.now()
    const timeoutMs = settings.current().push_timeout_seconds * 1000
    const until = now + timeoutMs + leaseMarginMs
    const push = await store.pushDeliveries.claim(id, { token, now, until })
    if (!push) return false
    const startedAt = performance.now()
    const { tracing } = this.#domain
    const attempt = () => this.#attempt(push, timeoutMs)
    const outcome = await (tracing ? tracing.part('hallpass push', attempt) : attempt())
    const durationMs = performance.now() - startedAt
    const isOurs = await this.#settle(push, token, outcome)
    const result = outcome.state === 'pending' ? 'retry' : outcome.state
    this.#domain.observer.pushTried(isOurs ? result : 'lost', durationMs)
    return true
  }

  async #attempt(push: PushDeliveryRecord, timeoutMs: number): Promise<PushOutcome> {
    const { clock, random, settings } = this.#domain
    if (push.attempts > settings.current().push_attempts) {
      const error = 'the server ended, or failed, in each of the tries'
      return { state: 'dead', at: clock.now(), status: null, error }
    }
    const body = await bodyToSend(this.#domain, push)
    if (body === undefined) {
      const error = 'no app of the user may have it any more: keys, scopes or addresses were withdrawn'
      return { state: 'dead', at: clock.now(), status: null, error }
    }
    const secret = settings.current().push_api_secret_key
    if (secret === '') this.#sayUnsigned()
    const headers = pushHeaders(push, body, { secret, now: clock.now() })
    const { signal } = this.#stopping
    const answer = await this.#options.outbound.post(push.targetUrl, { headers, body, timeoutMs, signal })
    const chance = (random.bytes(1)[0] ?? 0) / 256
    return outcomeOfAttempt(push, answer, { settings: settings.current(), now: clock.now(), chance })
  }

  async #settle(push: PushDeliveryRecord, token: string, outcome: PushOutcome): Promise<boolean> {
    const { id, targetUrl } = push
    const problem = outcome.error ?? ''
    const settled = await commit(this.#domain, systemActor, async (session) => {
      const isOurs = await session.pushDeliveries.settle(id, token, outcome)
      const isDead = isOurs && outcome.state === 'dead'
      return {
        result: isOurs,
        events: isDead ? [{ type: 'push_delivery_dead', deliveryIds: [id], targetUrl, problem }] : [],
      }
    })
    if (settled && outcome.state !== 'delivered') this.#warn(push, outcome)
    return settled
  }

  #warn({ id, targetUrl, attempts }: PushDeliveryRecord, outcome: PushOutcome): void {
    const next =
      outcome.nextAttemptAt === undefined
        ? 'it is given up; see GET /hallpass/push.json?state=dead'
        : `next try in ${Math.ceil((outcome.nextAttemptAt - outcome.at) / 1000)} s`
    this.#options.onWarning(`push ${id} to ${targetUrl}, try ${attempts}: ${outcome.error}. ${next}`)
  }

  #sayUnsigned(): void {
    if (this.#saidUnsigned) return
    this.#saidUnsigned = true
    this.#options.onWarning(
      'pushes carry no signature, because the setting push_api_secret_key is empty: their receivers cannot tell who sent them',
    )
  }
}
