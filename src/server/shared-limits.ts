/** Counting together with other nodes: what the limiter let in goes to an exchange, and comes from it. */
import { createHmac } from 'node:crypto'
import { commit } from '../domain/commit.ts'
import { systemActor } from '../domain/events.ts'
import type { LimitExchange, RecallQuestion } from '../domain/limit-exchange.ts'
import type { Domain } from '../domain/ports.ts'
import type { SharedLimitsStatus } from '../http/service.ts'
import { LimitBacklog } from './limit-backlog.ts'
import { repeatedly } from './system.ts'

/** How often what was let in is told, in milliseconds: what the others do not know of yet is at most that old. */
const tellEveryMs = 50
/** Of how many callers, of all limits together, one batch tells: a flood of new ones makes it no longer. */
const mostCallers = 1000
/** How long a start waits for the first word of the others, in milliseconds. */
const firstWordMs = 1000

export interface SharedLimits {
  status(): SharedLimitsStatus
  /** Tells what is left to tell, and ends. */
  stop(): Promise<void>
}

type SharingDomain = Pick<Domain, 'limiter' | 'settings' | 'store' | 'clock' | 'random' | 'events' | 'log'>

/**
 * Has `domain`'s limiter count together with those of other nodes. Resolves once it has heard what it missed, or that
 * the others cannot be heard at the moment; waits a second for that at the most.
 */
export async function shareLimits(
  domain: SharingDomain,
  exchange: LimitExchange,
  onError: (error: unknown) => void,
): Promise<SharedLimits> {
  const { limiter, settings, clock, log } = domain
  const key = await sharedKey(domain)
  limiter.share({
    idOf: (caller) => callerId(key, caller),
    heardMs: exchange.recall ? exchange.heardMs : Infinity,
  })
  const backlog = new LimitBacklog()
  const firstWord = Promise.withResolvers<void>()
  let state: 'starting' | 'shared' | 'alone' = 'starting'
  let since = clock.now()
  let sending = false
  let questions: readonly RecallQuestion[] = []

  function become(next: 'shared' | 'alone', cause?: unknown): void {
    if (state === next) return
    const now = clock.now()
    const through = exchange.name
    // Both are for whoever runs the site; a start that goes well needs no word.
    if (next === 'alone') {
      const until_then = settings.current().limits_without_redis
      log({ event: 'limits_not_shared', through, cause: messageOf(cause), until_then })
    } else if (state === 'alone') {
      log({ event: 'limits_shared_again', through, after_seconds: Math.round((now - since) / 1000) })
    }
    state = next
    since = now
    closeOrOpen()
    firstWord.resolve()
  }

  function closeOrOpen(): void {
    limiter.isClosed = state !== 'shared' && settings.current().limits_without_redis === 'refuse'
  }

  function tick(): void {
    // The setting may have changed.
    closeOrOpen()
    const letIn = limiter.untold(mostCallers)
    if (letIn.length > 0) backlog.add({ at: limiter.now(), letIn }, state === 'shared')
    if (state !== 'shared' || sending) return
    sending = true
    tell()
      .catch(onError)
      .finally(() => {
        sending = false
      })
  }

  async function tell(): Promise<void> {
    for (let batch = backlog.first(); batch !== undefined; batch = backlog.first()) {
      try {
        await exchange.publish(batch)
      } catch (error) {
        // It stays the first.
        return become('alone', error)
      }
      backlog.dropFirst()
    }
    await recall()
  }

  /** Asks about callers who are new here. What is not answered is asked again; what others let in meanwhile is heard. */
  async function recall(): Promise<void> {
    if (!exchange.recall) return
    if (questions.length === 0) questions = limiter.newcomers()
    if (questions.length === 0) return
    try {
      for (const part of await exchange.recall(questions)) limiter.countRecalled(part)
      questions = []
    } catch (error) {
      become('alone', error)
    }
  }

  exchange.start({
    now: () => limiter.now(),
    heard: (batch) => limiter.countElsewhere(batch),
    connected: () => become('shared'),
    lost: (cause) => become('alone', cause),
  })
  const stopTicking = repeatedly(() => tellEveryMs, tick)
  const tooLate = setTimeout(() => firstWord.resolve(), firstWordMs)
  await firstWord.promise
  clearTimeout(tooLate)
  closeOrOpen()

  return {
    status: () => ({ through: exchange.name, shared: state === 'shared', since }),
    async stop() {
      stopTicking()
      tick()
      const deadline = clock.now() + 1000
      while (sending && clock.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5))
      await exchange.stop()
    },
  }
}

/**
 * What others know a caller by: a hash of 96 bits, so that neither an address nor anything of a key is told. Its key is
 * in the store, so that whoever sees the ids cannot try addresses.
 */
function callerId(key: string, caller: string): string {
  return createHmac('sha256', key).update(caller).digest('base64url').slice(0, 16)
}

/** The key of the ids, the same for all nodes of one store; made by the first that needs it. */
async function sharedKey(domain: SharingDomain): Promise<string> {
  const name = 'shared_limits_key'
  const known = domain.settings.current()[name]
  if (known !== '') return known
  const made = Buffer.from(domain.random.bytes(24)).toString('base64url')
  return commit(domain, systemActor, async (session) => {
    const stored = (await session.settings.all()).find((setting) => setting.name === name)?.value
    if (stored) return { result: stored, events: [] }
    await session.settings.put({ name, value: made, updatedAt: domain.clock.now() })
    return { result: made, events: [{ type: 'setting_changed', name, from: '', to: made }] }
  })
}

function messageOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  // What connects to several addresses fails with an error for each, and says nothing itself.
  if (cause.message === '' && cause instanceof AggregateError) return messageOf(cause.errors[0])
  return cause.message
}
