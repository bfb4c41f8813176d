/** Nodes that do nothing but count together, for tests of exchanges. */
import type { TestContext } from 'node:test'
import { createClient } from '@redis/client'
import type { LimitExchange } from '../../src/domain/limit-exchange.ts'
import type { LogEvent } from '../../src/domain/ports.ts'
import { type RateLimit, RateLimiter } from '../../src/domain/rate-limit.ts'
import { SiteSettings } from '../../src/domain/settings.ts'
import type { Store } from '../../src/domain/store.ts'
import { createScopeCatalogue } from '../../src/protocol/scopes.ts'
import { type SharedLimits, shareLimits } from '../../src/server/shared-limits.ts'
import { openSqliteStore } from '../../src/storage/open-store.ts'

export const aMinute: RateLimit = { name: 'twenty_a_minute', max: 20, windowMs: 60_000 }
export const aDay: RateLimit = { name: 'fifty_a_day', max: 50, windowMs: 86_400_000 }

export interface LimitTestNode {
  readonly limiter: RateLimiter
  readonly shared: SharedLimits
  readonly log: readonly LogEvent[]
  /** How many events the node counts against a limit, its own and the others'. */
  counts(limit: RateLimit): number
}

export interface NodeOptions {
  /** How far the node's clock is from the machine's, in milliseconds. */
  readonly clockOff?: number
  /** The one store of all nodes. */
  readonly store?: Store
  readonly settings?: Readonly<Record<string, string>>
}

export async function limitNode(
  t: Pick<TestContext, 'after'>,
  exchange: LimitExchange,
  { clockOff = 0, store, settings: pinned = {} }: NodeOptions = {},
): Promise<LimitTestNode> {
  const clock = { now: () => Date.now() + clockOff }
  const limiter = new RateLimiter(clock)
  const log: LogEvent[] = []
  const opened = store ?? (await testStore(t))
  const settings = new SiteSettings(opened, createScopeCatalogue(), pinned)
  await settings.load()
  const random = { bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)) }
  const events = { origin: 'test', publish: () => {} }
  const shared = await shareLimits(
    { limiter, settings, store: opened, clock, random, events, log: (event) => log.push(event) },
    exchange,
    (error) => {
      throw error
    },
  )
  t.after(() => shared.stop())
  return {
    limiter,
    shared,
    log,
    counts: (limit) =>
      limiter
        .snapshot()
        .flatMap(({ letIn }) => letIn)
        .filter((one) => one.limit === limit.name)
        .flatMap(({ callers }) => callers)
        .reduce((total, [, count]) => total + count, 0),
  }
}

export async function testStore(t: Pick<TestContext, 'after'>): Promise<Store> {
  const store = await openSqliteStore({ path: ':memory:' })
  t.after(() => store.close())
  return store
}

/** Asks until the limit is reached; answers with how many were let in. */
export function letIn({ limiter }: LimitTestNode, limit: RateLimit, caller: string, atMost = 1000): number {
  let count = 0
  while (count < atMost && limiter.take(limit, caller).outcome === 'allowed') count += 1
  return count
}

/** Everything that stands in a Redis, as one text. */
export async function allOfRedis(url: string): Promise<string> {
  const client = await createClient({ url }).connect()
  try {
    const parts = []
    for (const key of await client.keys('*')) {
      const isStream = (await client.type(key)) === 'stream'
      const value = isStream ? await client.xRange(key, '-', '+') : await client.hGetAll(key)
      parts.push(key, JSON.stringify(value))
    }
    return parts.join('\n')
  } finally {
    client.destroy()
  }
}
