/** WebSockets: a connection that stops being HTTP once both sides have agreed (RFC 9110 §7.8, RFC 6455 §4). */
import { type IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Exchange, type Reply, watchIdle } from './gateway-exchange.ts'
import { answerHeaders } from './gateway-headers.ts'

/** The upgraded connections that are open: a server does not count them among its own. */
export class UpgradedConnections {
  readonly #open = new Set<Duplex>()

  add(socket: Duplex): void {
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
  }

  destroyAll(): void {
    for (const socket of this.#open) socket.destroy()
  }
}

/** A response on the connection of a request to upgrade, for as long as it is not upgraded; it is the last on it. */
export function responseOn(incoming: IncomingMessage, socket: Duplex): ServerResponse | undefined {
  socket.on('error', () => socket.destroy())
  if (!(socket instanceof Socket)) {
    socket.destroy()
    return undefined
  }
  const outgoing = new ServerResponse(incoming)
  outgoing.shouldKeepAlive = false
  outgoing.assignSocket(socket)
  outgoing.once('finish', () => socket.destroySoon())
  return outgoing
}

/** Tells the caller that the application agreed, and joins the two connections until either ends. */
export function connectUpgraded(
  { incoming, outgoing }: Exchange,
  reply: Extract<Reply, { kind: 'upgraded' }>,
  caller: { readonly socket: Duplex; readonly head: Buffer },
  upgraded: UpgradedConnections,
  idleTimeoutMs: number,
): void {
  const { answer, socket: upstream } = reply
  upstream.on('error', () => upstream.destroy())
  if (answer.headers.upgrade?.toLowerCase() !== 'websocket') {
    upstream.destroy()
    throw new TypeError(
      `the upgrade was asked to be of a WebSocket, and was answered with ${answer.headers.upgrade}`,
    )
  }
  if (incoming.socket.destroyed) {
    upstream.destroy()
    return
  }
  outgoing.detachSocket(incoming.socket)
  const headers = [...answerHeaders(answer, new Headers()), 'Connection', 'Upgrade', 'Upgrade', 'websocket']
  let text = 'HTTP/1.1 101 Switching Protocols\r\n'
  for (let index = 0; index < headers.length; index += 2)
    text += `${headers[index]}: ${headers[index + 1]}\r\n`
  caller.socket.write(`${text}\r\n`, 'latin1')
  if (reply.head.length > 0) caller.socket.write(reply.head)
  if (caller.head.length > 0) upstream.write(caller.head)

  const idle = watchIdle(
    idleTimeoutMs,
    incoming.socket,
    () => upstream,
    () => caller.socket.destroy(),
  )
  upgraded.add(caller.socket)
  caller.socket.pipe(upstream).pipe(caller.socket)
  caller.socket.once('close', () => {
    idle.stop()
    endSoon(upstream)
  })
  upstream.once('close', () => endSoon(caller.socket))
}

/** Closes once what was written is sent: the last words of one side are on their way when it closes. */
function endSoon(socket: Duplex): void {
  if (socket instanceof Socket) socket.destroySoon()
  else socket.destroy()
}
