/** Serving a web-standard handler from `node:http`. */
import { createServer, type Server } from 'node:http'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import type { Connection } from '../domain/ports.ts'

/** A web-standard handler that is also told how the request came. */
export type WebHandler = (request: Request, connection: Connection) => Promise<Response>

export interface ListenOptions {
  readonly port: number
  readonly host: string
}

/** A server that answers. */
export interface ListeningServer {
  /** The port in use: the one asked for, or, for port 0, the one that was free. */
  readonly port: number
  /** Lets running requests end, for at most `graceMs`, then closes. Default 5000. */
  close(graceMs?: number): Promise<void>
}

/**
 * Listens, and hands every request to `handler`.
 *
 * @throws the system's error (`EADDRINUSE`, `EACCES`) when the address cannot be had
 */
export async function listen(handler: WebHandler, options: ListenOptions): Promise<ListeningServer> {
  // An authorization request carries a PEM in its address; with a 4096-bit key and long names it passes 8 KiB.
  const server = createServer({ maxHeaderSize: 32 * 1024, requestTimeout: 60_000 }, nodeListener(handler))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close: (graceMs = 5000) => close(server, graceMs),
  }
}

/** `handler` as a listener of `node:http`. */
export function nodeListener(handler: WebHandler): ReturnType<typeof getRequestListener> {
  return getRequestListener(async (request, env) => handler(request, connectionOf(env as HttpBindings)), {
    overrideGlobalObjects: false,
  })
}

function connectionOf({ incoming }: HttpBindings): Connection {
  const remoteAddress = incoming.socket.remoteAddress ?? null
  return incoming.url === undefined ? { remoteAddress } : { remoteAddress, requestTarget: incoming.url }
}

async function close(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearTimeout(timer)
}
