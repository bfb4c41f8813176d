/** `hallpass serve --workers`, with processes of its own. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { startApplication } from '../edge/gateway-site.ts'
import { eventually } from '../eventually.ts'
import { startCommand } from '../running-command.ts'
import {
  freePort,
  hallpassCommand,
  type RunningServer,
  type ServerOptions,
  startServer,
} from '../running-server.ts'
import { temporaryFolder } from '../storage/temporary-folder.ts'
import { authorizationParameters, openSealed } from '../test-site.ts'

/** Children of a process are read out of /proc. */
const skip = process.platform === 'linux' ? false : 'needs Linux, for its /proc'

async function startWorkers(t: TestContext, options: ServerOptions = {}): Promise<RunningServer> {
  const server = await startServer({ ...options, flags: ['--workers', '2', ...(options.flags ?? [])] })
  t.after(() => server.stop())
  return server
}

function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return text === '' ? [] : text.split(' ').map(Number)
}

/** Connections that stay: so many that no worker has all of them, but once in a thousand runs. */
function connections(t: TestContext): readonly Agent[] {
  const agents = Array.from({ length: 10 }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
  t.after(() => {
    for (const agent of agents) agent.destroy()
  })
  return agents
}

interface Answer {
  readonly status: number | undefined
  readonly body: string
}

/** Without an agent on a connection of its own. */
async function get(url: string, headers: Record<string, string> = {}, agent?: Agent): Promise<Answer> {
  const request = httpRequest(url, { headers, agent: agent ?? false, timeout: 10_000 }).end()
  request.on('timeout', () => request.destroy(new Error(`${url} is not answered`)))
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  let body = ''
  for await (const chunk of response) body += String(chunk)
  return { status: response.statusCode, body }
}

async function getKey({ baseUrl, adminApiKey }: RunningServer): Promise<string> {
  const issued = await fetch(`${baseUrl}/user-api-key.json`, {
    method: 'POST',
    headers: { 'api-key': adminApiKey, 'api-username': 'admin', 'content-type': 'application/json' },
    body: JSON.stringify(authorizationParameters({ scopes: 'read' })),
  })
  const { payload } = (await issued.json()) as { payload: string }
  return String(openSealed(payload).key)
}

async function setSetting(
  { baseUrl, adminApiKey }: RunningServer,
  name: string,
  value: string,
): Promise<void> {
  const headers = { 'api-key': adminApiKey, 'api-username': 'admin' }
  const body = new URLSearchParams({ [name]: value })
  const answer = await fetch(`${baseUrl}/admin/site_settings/${name}.json`, { method: 'PUT', headers, body })
  assert.equal(answer.status, 200)
}

describe('hallpass serve --workers', { skip }, () => {
  // What an attacker would gain: a key that its owner saw revoked, and that every second request gets through with.
  test('two workers answer on one port, and what one revokes the other refuses', async (t) => {
    const server = await startWorkers(t)
    assert.equal(childrenOf(server.pid).length, 2)
    assert.match(server.output(), /workers {8}2/)
    const headers = { 'user-api-key': await getKey(server) }
    const all = connections(t)
    const ask = (agent: Agent): Promise<Answer> =>
      get(`${server.baseUrl}/session/current.json`, headers, agent)
    for (const agent of all) assert.equal((await ask(agent)).status, 200)
    const revoked = await fetch(`${server.baseUrl}/user-api-key/revoke`, { method: 'POST', headers })
    assert.equal(revoked.status, 200)
    for (const agent of all) {
      const refused = await eventually(
        () => ask(agent),
        ({ status }) => status !== 200,
        5000,
      )
      assert.equal((JSON.parse(refused.body) as { reason: string }).reason, 'user_api_key_revoked')
    }
  })

  test('a key’s limit is one for all workers', async (t) => {
    const server = await startWorkers(t)
    const headers = { 'user-api-key': await getKey(server) }
    const all = connections(t)
    const ask = (agent: Agent): Promise<Answer> =>
      get(`${server.baseUrl}/session/current.json`, headers, agent)
    await setSetting(server, 'max_user_api_reqs_per_minute', '20')
    // Both have heard of the setting once both refuse: each on its own would let in twenty.
    let letIn = 0
    for (const agent of all) {
      for (let attempt = 0; attempt < 60; attempt += 1) {
        const { status } = await ask(agent)
        if (status === 429) break
        letIn += 1
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    // Sequential, with pauses: in one exchange at most a few are let in that the other has not heard of.
    assert.ok(letIn >= 20 && letIn < 30, `${letIn} were let in`)
  })

  test('while a worker is killed and comes back, requests go on', async (t) => {
    const server = await startWorkers(t)
    const before = childrenOf(server.pid)
    const [victim = 0] = before
    process.kill(victim, 'SIGKILL')
    const url = `${server.baseUrl}/site/basic-info.json`
    for (let nth = 0; nth < 20; nth += 1) {
      // A connection that the victim had just been given goes with it.
      const { status } = await get(url).catch(() => get(url))
      assert.equal(status, 200)
    }
    await eventually(() => {
      const children = childrenOf(server.pid)
      return children.length === 2 && !children.includes(victim)
    })
    assert.match(
      server.output(),
      new RegExp(`"level":"warn".*"event":"worker_ended","worker_pid":${victim},"with":"SIGKILL"`),
    )
  })

  test('SIGTERM lets requests that run end well', async (t) => {
    const arrived = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const application = await startApplication(t, async (_incoming, outgoing) => {
      arrived.resolve()
      await release.promise
      outgoing.end('done')
    })
    const server = await startServer({
      flags: ['--workers', '2'],
      env: { HALLPASS_UPSTREAM: application.url },
    })
    const answer = get(`${server.baseUrl}/slow`)
    await arrived.promise
    const stopped = server.stop()
    await eventually(() => server.output().includes('stopping'))
    release.resolve()
    assert.deepEqual(await answer, { status: 200, body: 'done' })
    await stopped
  })

  test('SIGHUP replaces every worker while requests go on', async (t) => {
    const server = await startWorkers(t)
    const before = childrenOf(server.pid)
    process.kill(server.pid, 'SIGHUP')
    const url = `${server.baseUrl}/site/basic-info.json`
    await eventually(async () => {
      assert.equal((await get(url)).status, 200)
      const now = childrenOf(server.pid)
      return now.length === 2 && !now.some((pid) => before.includes(pid))
    })
    assert.doesNotMatch(server.output(), /worker_ended/)
  })

  test('a WebSocket goes through to the application', async (t) => {
    const application = await startApplication(t, (_incoming, outgoing) => outgoing.end())
    const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(sockets, 'listening')
    t.after(() => sockets.close())
    sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`echo ${String(data)}`)))
    assert.ok(application.url)
    const { port } = sockets.address() as { readonly port: number }
    const server = await startWorkers(t, { env: { HALLPASS_UPSTREAM: `http://127.0.0.1:${port}` } })
    const headers = { 'user-api-key': await getKey(server) }
    const socket = new WebSocket(server.baseUrl.replace('http', 'ws'), { headers })
    await once(socket, 'open')
    socket.send('hello')
    const [data] = (await once(socket, 'message')) as [Buffer]
    assert.equal(String(data), 'echo hello')
    socket.close()
  })

  test('the first start prints the password, once, and the next does not', async (t) => {
    const dataDir = temporaryFolder(t)
    const env = { HALLPASS_ADMIN_PASSWORD: '', HALLPASS_ADMIN_USERNAME: '' }
    const first = await startServer({ dataDir, env, flags: ['--workers', '2'] })
    await first.stop()
    assert.equal(first.output().match(/shown this once/g)?.length, 1)
    const again = await startServer({ dataDir, env, flags: ['--workers', '2'] })
    await again.stop()
    assert.doesNotMatch(again.output(), /shown this once/)
  })

  test('workers that end at once again and again end the server, which says so', async (t) => {
    const folder = temporaryFolder(t)
    const config = join(folder, 'hallpass.config.mjs')
    await writeFile(
      config,
      "import cluster from 'node:cluster'\nif (cluster.isWorker) process.exit(7)\nexport default {}\n",
    )
    const port = await freePort()
    const flags = ['serve', '--workers', '2', '--config', config, '--port', String(port), '--data', folder]
    const command = startCommand(process.execPath, [hallpassCommand, ...flags], {
      ...process.env,
      NO_COLOR: '1',
    })
    const { status, stdout, stderr } = await command.ended
    assert.equal(status, 1)
    assert.match(stderr, /6 workers in a row ended soon after their start, the last with exit code 7/)
    assert.match(stderr, /reason: workers_fail/)
    assert.match(stdout, /password of admin is \S+ {3}\(shown this once\)/)
  })
})
