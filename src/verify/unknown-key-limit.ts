import { addressBucket } from '../domain/address.ts'
import { limitRefusal, type RateLimit } from '../domain/rate-limit.ts'
import type { Refusal } from '../protocol/errors.ts'
import type { Counted } from './request-limits.ts'

/** What was taken for one look-up, until it is known whether there is such a key. */
export interface LookUp {
  /** The look-up is over, and there is such a key or not. */
  over(found: boolean): void
  /** Nothing could be told. Neither can it to those who wait, rather than that each of them asks in vain. */
  failed(error: unknown): void
}

/** Look-ups of one address that are under way, and requests that wait for one of them to be given back. */
interface Address {
  underWay: number
  readonly waiting: PromiseWithResolvers<void>[]
}

/**
 * How many keys that are not in memory an address may have looked up, be there such keys or not: whoever has guessed too
 * often is refused without a look, and learns nothing by it. Each look-up is counted before it begins, so that asking at
 * once gains nothing; good keys are given back, and those that come together wait for it rather than hinder one another.
 */
export class UnknownKeyLimit {
  readonly #addresses: Map<string, Address> = new Map()

  /**
   * Takes one look-up; or answers with the refusal, reason `rate_limited`; or with a promise, after which is to be seen
   * anew what is known of the key, and that rejects as the look-up does that it waits for. Undefined for requests whose address is not known, which are not limited.
   */
  take(counted: Counted, address: string | null): LookUp | Refusal | Promise<void> | undefined {
    if (counted.settings.current().disable_rate_limits || address === null) return undefined
    const limit = limitOf(counted.settings)
    const bucket = addressBucket(address)
    const state = this.#addresses.get(bucket) ?? { underWay: 0, waiting: [] }
    const decision = counted.limiter.take(limit, bucket)
    if (decision.outcome === 'limited') {
      if (state.underWay === 0) return limitRefusal(decision)
      const turn = Promise.withResolvers<void>()
      state.waiting.push(turn)
      return turn.promise
    }
    state.underWay += 1
    this.#addresses.set(bucket, state)
    const end = (isGivenBack: boolean): void => {
      if (isGivenBack) counted.limiter.giveBack(limit, bucket)
      state.underWay -= 1
      if (state.underWay === 0) this.#addresses.delete(bucket)
    }
    return {
      over(found) {
        end(found)
        // The last one wakes all: nothing more is given back to those who wait.
        const woken = state.waiting.splice(0, state.underWay === 0 ? state.waiting.length : 1)
        for (const turn of woken) turn.resolve()
      },
      failed(error) {
        end(true)
        for (const turn of state.waiting.splice(0)) turn.reject(error)
      },
    }
  }
}

function limitOf(settings: Counted['settings']): RateLimit {
  const name = 'max_unknown_keys_per_ip_per_minute'
  return { name, max: settings.current()[name], windowMs: 60_000 }
}
