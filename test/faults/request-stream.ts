/** Requests through all nodes all the time, each answer of which is recorded and judged. */
import { randomBytes } from 'node:crypto'
import { Agent, request as httpRequest } from 'node:http'

export interface StreamedNode {
  readonly name: string
  readonly port: number
  /** Whether one process answers there, which then knows at once what it revoked itself. */
  readonly isOneProcess: boolean
}

type Kind = 'good' | 'revoked' | 'unknown'

/** One request and what became of it. Times are milliseconds of this process. */
export interface Seen {
  readonly node: string
  readonly kind: Kind
  readonly path: string
  readonly startedAt: number
  readonly endedAt: number
  /** 0 where there was no answer. */
  readonly status: number
  readonly reason: string | undefined
  readonly retryAfter: string | undefined
  readonly error: string | undefined
}

interface Revocation {
  readonly key: string
  readonly node: string
  readonly at: number
}

/** Longest that an answer may take, in milliseconds: what waits for the database twice, and a machine that is busy. */
const longestMs = 8000
/** How long a request waits before it counts as one that hangs, in milliseconds. */
const patienceMs = 15_000
/** Between two requests of a caller, in milliseconds. */
const pauseMs = 12
const callersPerNode = 4

export class RequestStream {
  readonly seen: Seen[] = []
  readonly #nodes: readonly StreamedNode[]
  readonly #boundMs: number
  readonly #good: string[] = []
  readonly #revoked: Revocation[] = []
  readonly #excused: { readonly node: string; readonly from: number; until: number }[] = []
  readonly #agent = new Agent({ keepAlive: true })
  readonly #faults: string[] = []
  #running: Promise<unknown> = Promise.resolve()
  #isStopped = false

  constructor(nodes: readonly StreamedNode[], boundMs: number) {
    this.#nodes = nodes
    this.#boundMs = boundMs
  }

  /** The key is good, and has to be let in from now on. */
  add(key: string): void {
    this.#good.push(key)
  }

  /** The key goes from the good ones just before `revoke`, which revokes it at `node`, and to the revoked ones after. */
  async revoke(key: string, node: string, revoke: () => Promise<unknown>): Promise<void> {
    this.#good.splice(this.#good.indexOf(key), 1)
    await revoke()
    this.#revoked.push({ key, node, at: performance.now() })
  }

  start(): void {
    const callers = this.#nodes.flatMap((node) => Array.from({ length: callersPerNode }, (_, nth) => [node, nth] as const))
    this.#running = Promise.all(callers.map(([node, nth]) => this.#call(node, nth)))
  }

  /** From now on until the answer is called, the node need not answer. */
  excuse(node: string): () => void {
    const excuse = { node, from: performance.now(), until: Number.POSITIVE_INFINITY }
    this.#excused.push(excuse)
    return () => {
      excuse.until = performance.now()
    }
  }

  /** What came of requests that began at `from` or later. */
  since(from: number, node?: string): readonly Seen[] {
    return this.seen.filter((one) => one.startedAt >= from && (node === undefined || one.node === node))
  }

  /** Ends it. Answers with what was wrong with any answer. */
  async stop(): Promise<readonly string[]> {
    this.#isStopped = true
    await this.#running
    this.#agent.destroy()
    return this.#faults
  }

  async #call(node: StreamedNode, first: number): Promise<void> {
    for (let nth = first; !this.#isStopped; nth += 1) {
      const kind = (['good', 'revoked', 'good', 'unknown'] as const)[nth % 4] ?? 'good'
      const revocation = kind === 'revoked' ? this.#revoked[nth % this.#revoked.length] : undefined
      const key = kind === 'good' ? this.#good[nth % this.#good.length] : revocation?.key
      const path = nth % 3 === 0 ? '/hallpass/forward-auth' : '/session/current.json'
      const asked = kind === 'revoked' && !revocation ? 'unknown' : kind
      const seen = await this.#ask(node, asked, path, key ?? randomBytes(16).toString('hex'))
      this.seen.push(seen)
      const why = this.#faultOf(seen, node, key, revocation)
      if (why) this.#faults.push(`${why}: ${JSON.stringify(seen)}`)
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }

  #faultOf(
    { kind, status, error, startedAt, endedAt, retryAfter }: Seen,
    { name, isOneProcess }: StreamedNode,
    key: string | undefined,
    revocation: Revocation | undefined,
  ): string | undefined {
    const isExcused = this.#excused.some(
      ({ node, from, until }) => node === name && startedAt <= until && endedAt >= from,
    )
    if (status === 0) return isExcused ? undefined : `no answer (${error})`
    if (endedAt - startedAt > longestMs && !isExcused) return 'took too long'
    if (status === 503) return retryAfter === undefined ? '503 without Retry-After' : undefined
    if (kind === 'good') {
      // It may have been revoked while the answer was under way.
      const isStillGood = key !== undefined && this.#good.includes(key)
      return status === 200 || !isStillGood ? undefined : 'a good key was refused'
    }
    if (status === 403) return undefined
    if (status !== 200) return 'no such answer is stated'
    if (!revocation) return 'an unknown key was let in'
    const since = startedAt - revocation.at
    if (since > this.#boundMs) return 'a revoked key was let in after the bound'
    return isOneProcess && revocation.node === name ? 'a revoked key was let in where it was revoked' : undefined
  }

  #ask(node: StreamedNode, kind: Kind, path: string, key: string): Promise<Seen> {
    const startedAt = performance.now()
    const headers = { 'user-api-key': key, ...(path.endsWith('auth') ? question : {}) }
    return new Promise((resolve) => {
      const end = (answer: Pick<Seen, 'status' | 'reason' | 'retryAfter' | 'error'>): void =>
        resolve({ node: node.name, kind, path, startedAt, endedAt: performance.now(), ...answer })
      const none = { status: 0, reason: undefined, retryAfter: undefined }
      const send = (isAgain: boolean): void => {
        const sent = httpRequest({ host: '127.0.0.1', port: node.port, path, headers, agent: this.#agent })
        const fail = (error: Error): void => {
          // As every client does: a connection that was idle may be closed just as it is used.
          if (sent.reusedSocket && !isAgain && !error.message.includes('patience')) return send(true)
          end({ ...none, error: error.message })
        }
        sent.setTimeout(patienceMs, () => sent.destroy(new Error('patience is over')))
        sent.once('error', fail)
        sent.once('response', (response) => {
          let body = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => {
            body += chunk
          })
          response.once('error', fail)
          response.once('end', () => {
            const reason = /"reason":"(\w+)"/.exec(body)?.[1]
            const retryAfter = response.headers['retry-after']
            end({ status: response.statusCode ?? 0, reason, retryAfter, error: undefined })
          })
        })
        sent.end()
      }
      send(false)
    })
  }
}

/** What a proxy asks about. */
const question = {
  'x-forwarded-method': 'GET',
  'x-forwarded-uri': '/orders',
  'x-forwarded-host': 'hallpass.test',
  'x-forwarded-proto': 'http',
  'x-forwarded-for': '127.0.0.1',
}
