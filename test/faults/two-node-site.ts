/** A site of two nodes on a PostgreSQL and a Redis, all of them processes that can be killed, for tests. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type Agent, request as httpRequest } from 'node:http'
import { eventually } from '../eventually.ts'
import { databaseUrl, onServer } from '../postgres-template.ts'
import { type PushReceiver, type Answer as ReceiverAnswer, startReceiver } from '../push-receiver.ts'
import { type RunningRedis, redisServer, startRedis } from '../redis-server.ts'
import { type RunningPostgres, startPostgres } from '../running-postgres.ts'
import { type RunningServer, startServer } from '../running-server.ts'
import { authorizationParameters, openSealed } from '../test-site.ts'
import { RequestStream, type Seen } from './request-stream.ts'

/** Why these tests are skipped; false where all that they need is there. */
export const skip: string | false =
  process.platform === 'linux' ? redisServer.skip : 'needs Linux, for its /proc'

/** What the nodes are set to: the default. In milliseconds. */
export const boundMs = 2000

export type NodeName = 'A' | 'B'

export interface TwoNodeSite {
  readonly nodes: Record<NodeName, RunningServer>
  /** An administrator's API key, of both nodes, however often they are started. */
  readonly adminApiKey: string
  readonly postgres: RunningPostgres
  readonly databaseUrl: string
  readonly redis: RunningRedis
  readonly receiver: PushReceiver
  /** What the receiver answers next; 200 when there is nothing left. */
  readonly answers: ReceiverAnswer[]
  readonly stream: RequestStream
  /**
   * Asks as the administrator, and expects 200. A 503 that says that the database is slow is asked again where `isPatient`
   * (the default): the machine may be busy.
   */
  call(
    node: NodeName,
    method: string,
    path: string,
    json?: unknown,
    as?: string,
    isPatient?: boolean,
    // biome-ignore lint/suspicious/noExplicitAny: answers are read the way a client in any language reads them.
  ): Promise<any>
  set(name: string, value: string): Promise<void>
  newKey(node: NodeName, isPatient?: boolean): Promise<string>
  /** Revokes a key by itself, at a node, for the stream to look at. */
  revoke(node: NodeName, key: string): Promise<void>
  /** Ends a node with SIGKILL. Starts it again when the answer is called. */
  kill(node: NodeName): Promise<() => Promise<void>>
  /** Stops a node from running. It goes on when the answer is called. */
  freeze(node: NodeName): () => void
  stop(): Promise<void>
}

export interface TwoNodeOptions {
  readonly flagsOfB?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export async function startTwoNodes({ flagsOfB = [], env = {} }: TwoNodeOptions = {}): Promise<TwoNodeSite> {
  const answers: ReceiverAnswer[] = []
  const ending: (() => unknown)[] = []
  const [postgres, redis, receiver] = await Promise.all([
    // What it acknowledged has to survive.
    startPostgres({ durable: true }),
    startRedis({ after: (end) => void ending.push(end as () => unknown) }),
    startReceiver(answers),
  ])
  await onServer(postgres.url, 'create database two_nodes template template0')
  const url = databaseUrl(postgres.url, 'two_nodes')
  const environment = {
    DATABASE_URL: url,
    REDIS_URL: redis.url,
    HALLPASS_ALLOW_PRIVATE_PUSH: '1',
    HALLPASS_TRUSTED_PROXIES: '127.0.0.1',
    ...env,
  }
  const flags = { A: [], B: flagsOfB }
  const start = (name: NodeName, port?: number): Promise<RunningServer> =>
    startServer({ flags: flags[name], env: environment, ...(port !== undefined && { port }) })
  const started = await Promise.allSettled([start('A')])
  const second = started[0].status === 'fulfilled' ? await Promise.allSettled([start('B')]) : []
  const [a, b] = [...started, ...second].map((one) => (one.status === 'fulfilled' ? one.value : undefined))
  if (!a || !b) {
    await a?.stop()
    await receiver[Symbol.asyncDispose]()
    for (const end of ending) await end()
    await postgres.stop()
    throw new Error(`a node did not start: ${JSON.stringify([...started, ...second].map(String))}`)
  }
  const nodes = { A: a, B: b }
  const { adminApiKey } = a

  const stream = new RequestStream(
    [
      { name: 'A', port: nodes.A.port, isOneProcess: true },
      { name: 'B', port: nodes.B.port, isOneProcess: flagsOfB.length === 0 },
    ],
    boundMs,
  )

  const call: TwoNodeSite['call'] = async (node, method, path, json, as = 'admin', isPatient = true) => {
    const send = () =>
      fetch(`http://127.0.0.1:${nodes[node].port}${path}`, {
        method,
        headers: { 'api-key': adminApiKey, 'api-username': as, 'content-type': 'application/json' },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      })
    const response = isPatient ? await eventually(send, ({ status }) => status !== 503) : await send()
    const text = await response.text()
    assert.equal(response.status, 200, `${method} ${path}: ${text}`)
    return JSON.parse(text)
  }
  const site: TwoNodeSite = {
    nodes,
    adminApiKey,
    postgres,
    databaseUrl: url,
    redis,
    receiver,
    answers,
    stream,
    call,
    set: (name, value) => call('A', 'PUT', `/admin/site_settings/${name}.json`, { [name]: value }),
    async newKey(node, isPatient = true) {
      const parameters = authorizationParameters({ client_id: `client-${Math.random()}` })
      const { payload } = await call(node, 'POST', '/user-api-key.json', parameters, 'admin', isPatient)
      return String(openSealed(payload).key)
    },
    revoke: (node, key) =>
      stream.revoke(key, node, async () => {
        const send = () =>
          ask(nodes[node], '/user-api-key/revoke', { 'user-api-key': key }, { method: 'POST' })
        const { status } = await eventually(send, (answer) => answer.status !== 503)
        assert.equal(status, 200)
      }),
    async kill(node) {
      const excused = stream.excuse(node)
      await nodes[node].kill9()
      return async () => {
        nodes[node] = await start(node, nodes[node].port)
        excused()
      }
    },
    freeze(node) {
      const excused = stream.excuse(node)
      process.kill(nodes[node].pid, 'SIGSTOP')
      return () => {
        resume(nodes[node].pid)
        excused()
      }
    },
    async stop() {
      await stream.stop()
      for (const { pid } of Object.values(nodes)) resume(pid)
      // Each of them, whatever becomes of the others: one that is left keeps the tests from ending.
      const nodesEnd = Promise.allSettled([nodes.A.stop(), nodes.B.stop()])
      const othersEnd = [() => receiver[Symbol.asyncDispose](), ...ending, () => postgres.stop()]
      await nodesEnd
      const ends = await Promise.allSettled(othersEnd.map(async (end) => end()))
      for (const end of ends) if (end.status === 'rejected') throw end.reason
    },
  }
  try {
    await fill(site)
  } catch (error) {
    await site.stop()
    throw error
  }
  return site
}

/** Keys of each kind, and requests with them. */
async function fill(site: TwoNodeSite): Promise<void> {
  const { stream } = site
  await site.set('max_unknown_keys_per_ip_per_minute', '1000000')
  for (let nth = 0; nth < 6; nth += 1) stream.add(await site.newKey(nth % 2 === 0 ? 'A' : 'B'))
  stream.start()
  const revoked = await site.newKey('A')
  await site.revoke('A', revoked)
}

function resume(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT')
  } catch {
    // It was killed.
  }
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
  readonly reason: string | undefined
}

/** Asks a node, on a connection of its own where no agent is given. */
export function ask(
  { port }: Pick<RunningServer, 'port'>,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  { method = 'GET', agent }: { readonly method?: string; readonly agent?: Agent } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: agent ?? false })
    sent.setTimeout(20_000, () => sent.destroy(new Error(`${path} is not answered`)))
    sent.once('error', reject)
    sent.once('response', (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.once('error', reject)
      response.once('end', () => {
        const reason = /"reason":"(\w+)"/.exec(body)?.[1]
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, reason })
      })
    })
    sent.end()
  })
}

/** How much memory a process has, in MB. */
export function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

export function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return text === '' ? [] : text.split(' ').map(Number)
}

/** How many lines of a node's output match. */
export function linesOf(node: RunningServer, pattern: RegExp): readonly string[] {
  return node
    .output()
    .split('\n')
    .filter((line) => pattern.test(line))
}

/** Fails unless nearly all were let in or turned away: on a machine that is busy, the database may be slow at times. */
export function assertMostlyAnswered(seen: readonly Seen[]): void {
  const unsure = seen.filter(({ status }) => status !== 200 && status !== 403 && status !== 429)
  const told = JSON.stringify(unsure.slice(0, 3))
  assert.ok(
    seen.length > 0 && unsure.length <= seen.length / 10,
    `${unsure.length} of ${seen.length}: ${told}`,
  )
}
