/** The system's own time and chance. */
import { randomBytes } from 'node:crypto'
import type { Clock, Random, Timers } from '../domain/ports.ts'

export const systemClock: Clock = { now: () => Date.now() }

export const systemRandom: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) }

export const systemTimers: Timers = {
  after: (delayMs, work) => {
    const timer = setTimeout(work, delayMs)
    timer.unref()
    return () => clearTimeout(timer)
  },
}
