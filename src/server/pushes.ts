import type { Domain, Outbound, Timers } from '../domain/ports.ts'
import { type PushNotification, pushNotification } from '../domain/push.ts'
import { PushDeliverer } from '../domain/push-deliverer.ts'
import { createOutbound } from './outbound.ts'
import { systemTimers } from './system.ts'

export interface PushOptions {
  /**
   * Whether pushes may go to addresses that are none of the public internet’s: private networks, this host. Default
   * false.
   */
  readonly allowPrivatePush?: boolean
  /** Sends pushes. Default: Node’s own HTTP client, to public addresses alone unless `allowPrivatePush`. */
  readonly outbound?: Outbound
  /**
   * Whether this process does by itself what comes round: runs jobs when they are due, and sends the pushes of the
   * outbox. Default true. Where it is false, another process on the same database should.
   */
  readonly background?: boolean
  /** When jobs and the outbox of pushes are looked after. Default: the system’s timers. */
  readonly timers?: Timers
  /** Hears of pushes that fail, one line each, without a secret. Default: the error stream. */
  readonly onWarning?: (message: string) => void
}

/** Pushing in this process: what queues, and what delivers. */
export interface Pushes {
  /** As `Hallpass.pushNotification`. */
  push(userId: string, notification: PushNotification): Promise<number>
  /** Has the outbox looked through at once. */
  wake(): void
  /** Lets what is being queued be queued, and what is being sent end, for at most five seconds. */
  stop(): Promise<void>
}

/** Begins to deliver what is in the outbox, what an earlier process left there included. */
export function startPushes(
  domain: Domain,
  options: PushOptions & { readonly baseUrl: string | undefined; readonly onError: (error: unknown) => void },
): Pushes {
  const deliverer = new PushDeliverer(domain, {
    outbound: options.outbound ?? createOutbound(options.allowPrivatePush ? { mayReach: () => true } : {}),
    timers: options.timers ?? systemTimers,
    onWarning: options.onWarning ?? ((message) => console.warn(message)),
    onError: options.onError,
  })
  const queueing = new Set<Promise<unknown>>()
  const wake = (): void => {
    if (options.background ?? true) deliverer.wake()
  }
  wake()
  return {
    async push(userId, notification) {
      const work = pushNotification(domain, userId, notification, options.baseUrl)
      queueing.add(work)
      try {
        const queued = await work
        if (queued > 0) wake()
        return queued
      } finally {
        queueing.delete(work)
      }
    },
    wake,
    async stop() {
      await Promise.allSettled(queueing)
      await deliverer.stop()
    },
  }
}
