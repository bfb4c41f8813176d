/** The system's own time and chance. */
import { randomBytes } from 'node:crypto'
import type { Clock, Random, Timers } from '../domain/ports.ts'

export const systemClock: Clock = { now: () => Date.now() }

export const systemRandom: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) }

/**
 * Calls `work` again and again, and answers with what stops it; keeps no process alive. `everyMs` is asked anew each time;
 * 0 at the first: never.
 */
export function repeatedly(everyMs: () => number, work: () => void): () => void {
  const firstMs = everyMs()
  if (firstMs === 0) return () => {}
  let timer: NodeJS.Timeout
  function arm(ms: number): void {
    timer = setTimeout(() => {
      arm(everyMs())
      work()
    }, ms)
    timer.unref()
  }
  arm(firstMs)
  return () => clearTimeout(timer)
}

export const systemTimers: Timers = {
  after: (delayMs, work) => {
    const timer = setTimeout(work, delayMs)
    timer.unref()
    return () => clearTimeout(timer)
  },
}
