/** Serving a web-standard handler from `node:http`. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import type { Connection } from '../domain/ports.ts'
import { closeServer } from './close-server.ts'
import { type AnsweringHallpass, answerAtOnce, connectionOf } from './node-fast-lane.ts'

/** A web-standard handler that is also told how the request came. */
export type WebHandler = (request: Request, connection: Connection) => Promise<Response>

export interface ListenOptions {
  readonly port: number
  readonly host: string
  /** How long a request may take to arrive whole, in milliseconds; 0 for as long as it likes. Default 60 000. */
  readonly requestTimeoutMs?: number
  /**
   * A Hallpass whose answers need not pass through the handler: proxies' questions and `/session/current.json` are then
   * answered in a fraction of the time, and the handler does not hear of them. Default: all goes to the handler.
   */
  readonly hallpass?: AnsweringHallpass
  /** Whether other processes that say so too listen on the same port, each getting its share. Default false. */
  readonly reusePort?: boolean
}

/** A server that answers. */
export interface ListeningServer {
  /** The port in use: the one asked for, or, for port 0, the one that was free. */
  readonly port: number
  /**
   * Lets running requests end, for at most `graceMs`, then closes. Default 5000. Before, connections that are open are
   * answered for `drainMs` more, once each. Default 100, so that what just connected is still served.
   */
  close(graceMs?: number, drainMs?: number): Promise<void>
}

/** What answers on a server of `node:http`. */
export interface NodeListeners {
  /** Also hears of requests whose caller waits for `100 Continue`, and answers that. */
  request(incoming: IncomingMessage, outgoing: ServerResponse): void
  upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Whether a request that asks for an upgrade is for `upgrade`; otherwise it is one like any other. */
  shouldUpgrade(incoming: IncomingMessage): boolean
  /** Ends the connections that the server does not know of. Called when the time for running requests is over. */
  breakOff(): void
}

// An authorization request carries a PEM in its address; with a 4096-bit key and long names it passes 8 KiB.
const maxHeaderSize = 32 * 1024

/** How long a connection that was just made may take to bring its first request while the server closes, in milliseconds. */
const firstRequestMs = 100

/**
 * Listens, and hands every request to `handler`.
 *
 * @throws the system's error (`EADDRINUSE`, `EACCES`) when the address cannot be had
 */
export function listen(handler: WebHandler, options: ListenOptions): Promise<ListeningServer> {
  return listenWith(webListeners(handler, options.hallpass), options)
}

/**
 * Listens, and hands every request to `listeners`.
 *
 * @throws as `listen`
 */
export async function listenWith(listeners: NodeListeners, options: ListenOptions): Promise<ListeningServer> {
  const server = createServer({
    maxHeaderSize,
    headersTimeout: 60_000,
    requestTimeout: options.requestTimeoutMs ?? 60_000,
    // Of a request without a body, its end need not be told by events that nobody waits for.
    optimizeEmptyRequests: true,
    shouldUpgradeCallback: (incoming) => listeners.shouldUpgrade(incoming),
  })
  server.on('request', (incoming, outgoing) => listeners.request(incoming, outgoing))
  server.on('checkContinue', (incoming, outgoing) => listeners.request(incoming, outgoing))
  server.on('upgrade', (incoming, socket, head) => listeners.upgrade(incoming, socket, head))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    const { port, host, reusePort = false } = options
    server.listen({ port, host, ...(reusePort && { reusePort }) }, resolve)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close: (graceMs = 5000, drainMs = Math.min(graceMs, firstRequestMs)) =>
      closeServer(server, {
        graceMs,
        drainMs,
        isShared: options.reusePort ?? false,
        breakOff: () => listeners.breakOff(),
      }),
  }
}

/** `handler` for `listenWith`; it upgrades nothing. What `hallpass` answers at once does not come to it. */
export function webListeners(handler: WebHandler, hallpass?: AnsweringHallpass): NodeListeners {
  const listener = nodeListener(handler)
  return {
    request(incoming, outgoing) {
      if (hallpass && answerAtOnce(hallpass, incoming, outgoing)) return
      if (incoming.headers.expect !== undefined) outgoing.writeContinue()
      void listener(incoming, outgoing)
    },
    upgrade: (_incoming, socket) => socket.destroy(),
    shouldUpgrade: () => false,
    breakOff: () => {},
  }
}

/** `handler` as a listener of `node:http`. */
export function nodeListener(handler: WebHandler): ReturnType<typeof getRequestListener> {
  return getRequestListener(
    async (request, env) => handler(request, connectionOf((env as HttpBindings).incoming)),
    {
      overrideGlobalObjects: false,
    },
  )
}
