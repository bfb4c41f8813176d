/** A clock and timers that stand still until a test moves them. */
import type { Clock, Timers } from '../src/domain/ports.ts'
import { onPostgres } from './test-database.ts'

export interface ManualTime {
  readonly clock: Clock
  readonly timers: Timers
  /** Lets time pass: every timer whose time comes is called at that time, and what it starts goes as far as it can. */
  advance(ms: number): Promise<void>
  /** Moves the clock alone, as when the process stands still. */
  freeze(ms: number): void
  /** How many timers wait. */
  pending(): number
}

export function manualTime(start: number = Date.UTC(2026, 0, 15, 12)): ManualTime {
  let now = start
  const waiting = new Set<{ readonly at: number; readonly callback: () => void }>()
  return {
    clock: { now: () => now },
    timers: {
      after(delayMs, callback) {
        const timer = { at: now + delayMs, callback }
        waiting.add(timer)
        return () => waiting.delete(timer)
      },
    },
    async advance(ms) {
      const end = now + ms
      for (;;) {
        await settled()
        const [next] = [...waiting].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
        if (!next) break
        waiting.delete(next)
        now = Math.max(now, next.at)
        next.callback()
      }
      now = Math.max(now, end)
    },
    freeze(ms) {
      now += ms
    },
    pending: () => waiting.size,
  }
}

/** Lets everything that waits for no timer and no outside event go on to where it must wait. */
async function settled(): Promise<void> {
  if (onPostgres) return (await import('./postgres-idle.ts')).postgresIdle()
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
