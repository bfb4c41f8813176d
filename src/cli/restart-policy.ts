/** Whether a worker that ended is started again, and when. */

/** A worker that answered for so long, in milliseconds, did not end at once. */
export const settledMs = 5000
const firstDelayMs = 100
const longestDelayMs = 10_000

export interface WorkerEnds {
  /** How many workers in a row ended before they had answered for `settledMs`, this one included if it did. */
  readonly inARow: number
  /** How many workers there are to be. */
  readonly workers: number
  /** Whether another has answered for longer than that. */
  readonly othersAnswer: boolean
}

export type Restart =
  | { readonly outcome: 'again'; readonly afterMs: number }
  | { readonly outcome: 'give_up' }

/**
 * The more of them end at once, the later the next is started: what ends a worker ends the next as well. While others
 * answer it is never given up.
 */
export function decideRestart({ inARow, workers, othersAnswer }: WorkerEnds): Restart {
  if (!othersAnswer && inARow >= Math.max(5, 3 * workers)) return { outcome: 'give_up' }
  if (inARow === 0) return { outcome: 'again', afterMs: 0 }
  return { outcome: 'again', afterMs: Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(inARow - 1, 20)) }
}
