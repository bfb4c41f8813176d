/**
 * Limits shared through Redis. What each node lets in goes into one stream; every node reads the whole stream and
 * counts what is the others'. Two connections: one waits for the stream's next entry, one does all else.
 */
import { randomBytes } from 'node:crypto'
import type {
  LimitBatch,
  LimitExchange,
  LimitNode,
  RecalledPart,
  RecallQuestion,
} from '../domain/limit-exchange.ts'
import { readLetIn, writeLetIn } from './limit-entry.ts'
import { RedisLink, waitMs } from './redis-link.ts'
import { entriesOf } from './redis-stream.ts'

export interface RedisLimitsOptions {
  /** Such as `redis://127.0.0.1:6379`, or `rediss://user:password@redis.example.com:6380/0` with TLS. */
  readonly url: string
  /** What the names of all keys begin with: another one for each site on one Redis. Default `hallpass:limits`. */
  readonly prefix?: string
}

/** How far back a node that is new reads, in milliseconds: the windows of a minute are whole at once. */
const heardMs = 70_000
/** At most so many entries are kept, whatever their age; twenty a second of each node that lets anybody in. */
const mostEntries = 20_000
/** How many entries one answer holds. */
const entriesAtOnce = 200
/** How long after a failure a connection is tried again, in milliseconds; doubled with each failure up to the second. */
const firstRetryMs = 100
const lastRetryMs = 2000
/** How often the stream is shortened and the clocks are compared, in milliseconds. */
const houseworkMs = 5000
/** Of how many nodes that were ever heard it is remembered how far they were heard. */
const mostOrigins = 1000

/**
 * Shares limits through Redis 6.2 or later, or Valkey: for the option `sharedLimits` of `createHallpass`.
 *
 * @throws TypeError for a URL that is none
 */
export function redisLimits({ url, prefix = 'hallpass:limits' }: RedisLimitsOptions): LimitExchange {
  if (!isRedisUrl(url)) throw new TypeError('the url of redisLimits must be like redis://127.0.0.1:6379')
  return new RedisExchange(url, prefix)
}

/** Whether a text is an address of Redis. What may follow the host is the number of a database. */
export function isRedisUrl(text: string): boolean {
  return URL.canParse(text) && /^rediss?:\/\/[^/?#]+(?:\/\d*)?$/.test(text)
}

class RedisExchange implements LimitExchange {
  readonly name = 'redis'
  readonly heardMs = heardMs
  readonly #url: string
  readonly #prefix: string
  readonly #stream: string
  /** Tells this start of this node from every other. */
  readonly #origin: string = randomBytes(9).toString('base64url')
  readonly #numbers: WeakMap<LimitBatch, number> = new WeakMap()
  readonly #heard: Map<string, number> = new Map()
  #number = 0
  /** The last entry that was read. */
  #last: { readonly ms: number; readonly rest: string } | undefined
  #link: RedisLink | undefined
  #stopped = false
  #wake: () => void = () => {}

  constructor(url: string, prefix: string) {
    this.#url = url
    this.#prefix = prefix
    this.#stream = `${prefix}:stream`
  }

  start(node: LimitNode): void {
    void this.#run(node)
  }

  async publish(batch: LimitBatch): Promise<void> {
    const link = this.#link
    if (!link) throw new Error('not connected')
    let number = this.#numbers.get(batch)
    if (number === undefined) {
      number = ++this.#number
      this.#numbers.set(batch, number)
    }
    const ageMs = Math.max(0, link.node.now() - batch.at)
    await link.ask(this.#entry(number, ageMs, writeLetIn(batch.letIn)))
    link.past.add(batch, batch.at - link.aheadMs)
    // The stream has it. The past may take its time, and what became of it is the connection's matter, which the next batch
    // hears of.
    void link.past.write().catch(() => {})
  }

  async recall(questions: readonly RecallQuestion[]): Promise<readonly RecalledPart[]> {
    const link = this.#link
    if (!link) throw new Error('not connected')
    const parts = await link.past.read(questions, link.node.now() - link.aheadMs)
    return parts.map((part) => ({ ...part, from: part.from + link.aheadMs, to: part.to + link.aheadMs }))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#link?.past.write(true).catch(() => {})
    this.#link?.close()
    this.#wake()
  }

  /** Connects, and connects again whenever that ends. */
  async #run(node: LimitNode): Promise<void> {
    let retryMs = firstRetryMs
    while (!this.#stopped) {
      try {
        await this.#connected(node, () => {
          retryMs = firstRetryMs
        })
      } catch (error) {
        if (this.#stopped) return
        node.lost(error)
      } finally {
        this.#link?.close()
        this.#link = undefined
      }
      await this.#pause(retryMs * (0.5 + Math.random() / 2))
      retryMs = Math.min(lastRetryMs, retryMs * 2)
    }
  }

  /** One life of the connections; ends by throwing why they ended. */
  async #connected(node: LimitNode, onSuccess: () => void): Promise<never> {
    const link = await RedisLink.open(this.#url, this.#prefix, node)
    this.#link = link
    if (this.#stopped) throw new Error('stopped')
    await link.compareClocks()
    // A Redis that cannot be written to, such as a replica or one without memory, is as good as none.
    await link.ask(this.#entry(0, 0, '[]'))
    const now = node.now() - link.aheadMs
    const from = Math.min(this.#last?.ms ?? Number.POSITIVE_INFINITY, now - (this.#last ? 0 : heardMs))
    this.#last = { ms: Math.floor(from), rest: this.#last?.ms === from ? this.#last.rest : '0' }
    while ((await this.#read(link, undefined)) === entriesAtOnce);
    node.connected()
    onSuccess()
    const stopHousework = this.#keepHouse(link)
    try {
      for (;;) await this.#read(link, waitMs)
    } finally {
      stopHousework()
    }
  }

  /** Reads what comes next, and counts it; answers with how many entries that was. */
  async #read(link: RedisLink, blockMs: number | undefined): Promise<number> {
    const { ms, rest } = this.#last ?? { ms: 0, rest: '0' }
    const block = blockMs === undefined ? [] : ['BLOCK', String(blockMs)]
    const count = ['COUNT', String(entriesAtOnce)]
    const answer = await link.read([
      'XREAD',
      ...count,
      ...block,
      'STREAMS',
      this.#stream,
      `${Math.max(0, ms)}-${rest}`,
    ])
    const entries = entriesOf(answer)
    for (const { ms: at, rest: order, fields } of entries) {
      this.#last = { ms: at, rest: order }
      this.#hear(link, at, fields)
    }
    return entries.length
  }

  #hear({ node, aheadMs }: RedisLink, redisMs: number, fields: ReadonlyMap<string, string>): void {
    const origin = fields.get('o') ?? ''
    const number = Number(fields.get('n'))
    const ageMs = Number(fields.get('a'))
    if (origin === this.#origin || origin === '' || !Number.isSafeInteger(number) || !(ageMs >= 0)) return
    // An entry that Redis took and could not answer for comes twice.
    if (number <= (this.#heard.get(origin) ?? 0)) return
    this.#heard.delete(origin)
    this.#heard.set(origin, number)
    const [oldest] = this.#heard.keys()
    if (this.#heard.size > mostOrigins && oldest !== undefined) this.#heard.delete(oldest)
    node.heard({ at: redisMs + aheadMs - ageMs, letIn: readLetIn(fields.get('b') ?? '') })
  }

  /** `n` counts the batches of one node, `a` is the age of this one in milliseconds, `b` what was let in. */
  #entry(number: number, ageMs: number, letIn: string): string[] {
    const entry = ['o', this.#origin, 'n', String(number), 'a', String(Math.round(ageMs)), 'b', letIn]
    return ['XADD', this.#stream, 'MAXLEN', '~', String(mostEntries), '*', ...entry]
  }

  #keepHouse(link: RedisLink): () => void {
    const timer = setInterval(() => {
      link
        .compareClocks()
        .then(() => {
          const oldest = Math.floor(link.node.now() - link.aheadMs - heardMs)
          return link.ask(['XTRIM', this.#stream, 'MINID', '~', `${oldest}-0`])
        })
        .catch((error: unknown) => link.fail(error))
    }, houseworkMs)
    timer.unref()
    return () => clearInterval(timer)
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      timer.unref()
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
      if (this.#stopped) this.#wake()
    })
  }
}
