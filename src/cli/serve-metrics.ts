/** A listener of its own for whoever reads the metrics: it asks for no credential, so it is for addresses that may see them. */
import { createServer, type Server } from 'node:http'
import type { Exposition } from '../domain/observation.ts'
import { HallpassError } from '../protocol/errors.ts'

export interface MetricsServer {
  /** The port in use. */
  readonly port: number
  close(): Promise<void>
}

/**
 * Answers GET /metrics, and nothing else.
 *
 * @throws HallpassError `cannot_listen` when the address cannot be had
 */
export async function serveMetrics(
  expose: () => Promise<Exposition>,
  { host, port }: { readonly host: string; readonly port: number },
  onError: (error: unknown) => void,
): Promise<MetricsServer> {
  const server = createServer(async (request, response) => {
    const [path] = (request.url ?? '').split('?')
    if (path !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response
        .writeHead(404, { 'content-type': 'text/plain; charset=utf-8' })
        .end('metrics are at /metrics\n')
      return
    }
    try {
      const { contentType, text } = await expose()
      response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' }).end(text)
    } catch (error) {
      onError(error)
      response.writeHead(503).end()
    }
  })
  await listening(server, host, port)
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const remedy = 'choose another with --metrics-port and HALLPASS_METRICS_HOST'
      reject(
        new HallpassError(
          'cannot_listen',
          `cannot listen on ${host} port ${port} for metrics: ${cause.message}`,
          remedy,
          { cause },
        ),
      )
    })
    server.listen(port, host, resolve)
  })
}
