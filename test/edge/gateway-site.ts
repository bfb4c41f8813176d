/** The gateway on real sockets, in front of a real application, for tests. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { connect, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net'
import type { TestContext } from 'node:test'
import { type GatewayOptions, nodeGateway } from '../../src/edge/gateway.ts'
import { type ListeningServer, listenWith } from '../../src/edge/node-server.ts'
import type { HallpassOptions } from '../../src/server/options.ts'
import { createTestSite, type TestSite } from '../test-site.ts'

/** Longest that anything may take here, in milliseconds; the machine may be busy. */
const patienceMs = 15_000

export interface GatewaySite {
  readonly site: TestSite
  readonly server: ListeningServer
  /** Such as `http://127.0.0.1:40001`. */
  readonly url: string
  readonly port: number
  /** Why the application did not answer, each time that it did not. */
  readonly problems: readonly unknown[]
  /** Signs the user in; answers with the Cookie header of their browser, and its CSRF token. */
  signIn(): Promise<{ readonly cookie: string; readonly csrf: string }>
}

/** Starts the gateway in front of `upstream`, and stops it when the test is over. */
export async function startGateway(
  t: TestContext,
  upstream: string,
  options: Partial<GatewayOptions> = {},
  siteOptions: Partial<HallpassOptions> = {},
): Promise<GatewaySite> {
  const site = await createTestSite({ ...siteOptions, clock: { now: () => Date.now() } })
  t.after(() => site.close())
  const problems: unknown[] = []
  const gateway = nodeGateway(site.hallpass, {
    upstream,
    onError: (error) => problems.push(error),
    ...options,
  })
  const server = await listenWith(gateway, { port: 0, host: '127.0.0.1' })
  t.after(() => server.close(0))
  const url = `http://127.0.0.1:${server.port}`
  return { site, server, url, port: server.port, problems, signIn: () => signIn(url) }
}

/** Starts an application on `node:http`, and stops it when the test is over. */
export async function startApplication(
  t: TestContext,
  listener: RequestListener,
): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer({ requireHostHeader: false }, listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${portOf(server)}`, server }
}

/** Starts an application that answers bytes: `onRequest` is called with each connection once a head has
 * arrived, with what came behind it at once. */
export async function startRawApplication(
  t: TestContext,
  onRequest: (socket: Socket, head: string, rest: string) => void,
): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = text.slice(0, end)
      const rest = text.slice(end + 4)
      text = ''
      onRequest(socket, head, rest)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${portOf(server)}`
}

/** What an application was asked, as it tells it in JSON. */
export interface Echo {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** An application that answers with what it was asked. */
export const echo: RequestListener = async (incoming, outgoing) => {
  const body = await readAll(incoming)
  const { method, url, headers } = incoming
  outgoing.setHeader('content-type', 'application/json')
  outgoing.end(JSON.stringify({ method, url, headers, body: body.toString() }))
}

export async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** Sends bytes over a connection of their own, and resolves to all that comes back until the other side ends it. */
export async function sendRaw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1')
  })
  socket.on('error', () => {})
  socket.write(text, 'latin1')
  const timer = setTimeout(() => socket.destroy(), patienceMs)
  await once(socket, 'close')
  clearTimeout(timer)
  return answer
}

/** Resolves once `isSo`, and rejects when it is not in time. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + patienceMs
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function portOf(server: Server | TcpServer): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('the server does not listen')
  return address.port
}

async function signIn(url: string): Promise<{ cookie: string; csrf: string }> {
  const got = await fetch(`${url}/session/csrf.json`)
  const { csrf } = (await got.json()) as { csrf: string }
  const secret = got.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const answer = await fetch(`${url}/session.json`, {
    method: 'POST',
    headers: { cookie: secret, 'x-csrf-token': csrf },
    body: new URLSearchParams({ login: 'sam', password: 'correct horse battery' }),
  })
  if (answer.status !== 200) throw new Error(`signing in failed: ${await answer.text()}`)
  const session = answer.headers
    .getSetCookie()
    .find((cookie) => cookie.startsWith('_t='))
    ?.split(';')[0]
  return { cookie: `${secret}; ${session}`, csrf }
}
