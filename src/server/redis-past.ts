import type { LimitBatch, RecalledPart, RecallQuestion } from '../domain/limit-exchange.ts'

/** Into how many parts a window is laid. */
const partsOfWindow = 48
/** Windows up to this long, in milliseconds, are whole by what the stream holds. */
const inStreamMs = 60_000
/** How often counts are written, in milliseconds. */
const writeEveryMs = 1000
/** How many counts wait to be written at the most; past that those of further callers are left out. */
const mostWaiting = 20_000
/** How many commands are sent before their answers are waited for. */
const commandsAtOnce = 500

/**
 * What all nodes let in during hours and days: for each caller a hash in Redis, which holds a count for each part of the
 * window (a 48th: half an hour of a day) and goes by itself. So a node that was started again knows a caller's day, each
 * event as one of the end of its half hour.
 */
export class RedisPast {
  readonly #prefix: string
  readonly #ask: (command: string[]) => Promise<unknown>
  #waiting: Map<string, Waiting> = new Map()
  #writtenAt = 0
  #isWriting = false
  #underWay: Promise<unknown> = Promise.resolve()

  /** `ask` sends a command to Redis. */
  constructor(prefix: string, ask: (command: string[]) => Promise<unknown>) {
    this.#prefix = prefix
    this.#ask = ask
  }

  /** Adds what was let in at a time by the clock of Redis, in milliseconds since the Unix epoch. */
  add({ letIn }: LimitBatch, at: number): void {
    for (const { limit, windowMs, callers } of letIn) {
      if (windowMs <= inStreamMs) continue
      const part = Math.floor(at / partMs(windowMs))
      for (const [id, count] of callers) {
        const key = this.#key(limit, id)
        const name = `${key} ${part}`
        const known = this.#waiting.get(name)
        if (known) known.count += count
        else if (this.#waiting.size < mostWaiting) this.#waiting.set(name, { key, part, windowMs, count })
      }
    }
  }

  /** Writes what was added, not more often than every second unless `now`. What fails is lost. */
  async write(now = false): Promise<void> {
    if (now) await this.#underWay.catch(() => {})
    const isDue = now || (!this.#isWriting && performance.now() - this.#writtenAt >= writeEveryMs)
    if (!isDue || this.#waiting.size === 0) return
    this.#writtenAt = performance.now()
    this.#isWriting = true
    this.#underWay = this.#writeWaiting().finally(() => {
      this.#isWriting = false
    })
    await this.#underWay
  }

  async #writeWaiting(): Promise<void> {
    const waiting = [...this.#waiting.values()]
    this.#waiting = new Map()
    const commands = waiting.flatMap(({ key, part, windowMs, count }) => [
      ['HINCRBY', key, String(part), String(count)],
      ['PEXPIRE', key, String(windowMs + partMs(windowMs))],
    ])
    for (let at = 0; at < commands.length; at += commandsAtOnce) {
      // All of them or none: a hash that never expires would be there for ever. They are sent without a break.
      await this.#askTogether([['MULTI'], ...commands.slice(at, at + commandsAtOnce), ['EXEC']])
    }
  }

  /** What was let in within the windows that end at `now`, by the clock of Redis. */
  async read(questions: readonly RecallQuestion[], now: number): Promise<readonly RecalledPart[]> {
    const callers = questions.flatMap(({ ids, ...question }) => ids.map((id) => ({ ...question, id })))
    const answers = await this.#askAll(callers.map(({ limit, id }) => ['HGETALL', this.#key(limit, id)]))
    return callers.flatMap(({ limit, windowMs, id }, at) =>
      pairsOf(answers[at]).flatMap(([part, count]) => {
        const from = part * partMs(windowMs)
        const to = from + partMs(windowMs)
        const isCurrent = to > now - windowMs && from <= now
        return isCurrent && count > 0 ? [{ limit, windowMs, id, from, to, count }] : []
      }),
    )
  }

  async #askAll(commands: readonly string[][]): Promise<readonly unknown[]> {
    const answers: unknown[] = []
    for (let at = 0; at < commands.length; at += commandsAtOnce) {
      const some = commands.slice(at, at + commandsAtOnce)
      answers.push(...(await this.#askTogether(some)))
    }
    return answers
  }

  #askTogether(commands: readonly string[][]): Promise<readonly unknown[]> {
    return Promise.all(commands.map((command) => this.#ask(command)))
  }

  #key(limit: string, id: string): string {
    return `${this.#prefix}:past:${limit}:${id}`
  }
}

interface Waiting {
  readonly key: string
  readonly part: number
  readonly windowMs: number
  count: number
}

function partMs(windowMs: number): number {
  return Math.ceil(windowMs / partsOfWindow)
}

/** The answer to HGETALL, in either form of RESP. */
function pairsOf(answer: unknown): readonly (readonly [part: number, count: number])[] {
  const flat =
    answer instanceof Map
      ? [...answer].flat()
      : Array.isArray(answer)
        ? answer
        : Object.entries(answer ?? {}).flat()
  return Array.from({ length: Math.floor(flat.length / 2) }, (_, nth) => {
    return [Number(flat[nth * 2]), Number(flat[nth * 2 + 1])] as const
  }).filter(([part, count]) => Number.isSafeInteger(part) && Number.isSafeInteger(count))
}
