/** The system's own time and chance. */
import { randomBytes } from 'node:crypto'
import type { Clock, Random, Timers } from '../domain/ports.ts'

export const systemClock: Clock = { now: () => Date.now() }

export const systemRandom: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) }

/**
 * Calls `work` again and again, and answers with what stops it; keeps no process alive. `everyMs` 0: never.
 */
export function repeatedly(everyMs: number, work: () => void): () => void {
  if (everyMs === 0) return () => {}
  const timer = setInterval(work, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}

export const systemTimers: Timers = {
  after: (delayMs, work) => {
    const timer = setTimeout(work, delayMs)
    timer.unref()
    return () => clearTimeout(timer)
  },
}
