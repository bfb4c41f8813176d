import type { LimitBatch } from '../domain/limit-exchange.ts'

/** While the others cannot be told, what was let in is laid together for so long, in milliseconds. */
const laidTogetherMs = 1000
/** How many callers' events are kept for then; past that the oldest are not told. Some 5 MB. */
const mostCallers = 50_000

/** Batches that the others have not been told of, the oldest first. */
export class LimitBacklog {
  #batches: LimitBatch[] = []
  #callers = 0
  /** The time of what came first into the last batch. */
  #lastBegan = 0

  /** `atOnce`: whether the others are told at the moment. */
  add(batch: LimitBatch, atOnce: boolean): void {
    const last = this.#batches.at(-1)
    // The first may be on its way, and is not changed.
    const joins =
      !atOnce && this.#batches.length > 1 && last !== undefined && batch.at - this.#lastBegan < laidTogetherMs
    if (joins) {
      // All counts as of the latest, so that nothing leaves a window too early.
      this.#batches[this.#batches.length - 1] = { at: batch.at, letIn: [...last.letIn, ...batch.letIn] }
    } else {
      this.#batches.push(batch)
      this.#lastBegan = batch.at
    }
    this.#callers += callersOf(batch)
    while (this.#callers > mostCallers && this.#batches.length > 1) this.dropFirst()
  }

  first(): LimitBatch | undefined {
    return this.#batches[0]
  }

  dropFirst(): void {
    const dropped = this.#batches.shift()
    if (dropped) this.#callers -= callersOf(dropped)
  }
}

function callersOf({ letIn }: LimitBatch): number {
  return letIn.reduce((total, { callers }) => total + callers.length, 0)
}
