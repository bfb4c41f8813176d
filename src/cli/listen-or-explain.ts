import { type ListeningServer, listenWith, type NodeListeners } from '../edge/node-server.ts'
import { HallpassError } from '../protocol/errors.ts'
import type { ServeOptions } from './serve-options.ts'

/**
 * Listens as the options say.
 *
 * @throws HallpassError `cannot_listen` that says what to do about it
 */
export async function listenOrExplain(
  listeners: NodeListeners,
  { port, host, upstream }: Pick<ServeOptions, 'port' | 'host' | 'upstream'>,
): Promise<ListeningServer> {
  try {
    // An upload to the application takes as long as it takes; the gateway ends one that stands still.
    const timeout = upstream === undefined ? {} : { requestTimeoutMs: 0 }
    return await listenWith(listeners, { port, host, ...timeout })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const remedies: Readonly<Record<string, string>> = {
      EADDRINUSE: `stop the program that listens there, or choose another port: hallpass serve --port ${port + 1}`,
      EACCES: 'choose a port above 1023: hallpass serve --port 4000',
      EADDRNOTAVAIL: 'choose an address of this machine: hallpass serve --host 127.0.0.1',
    }
    const remedy = remedies[String(code)]
    if (remedy === undefined) throw error
    throw new HallpassError('cannot_listen', `cannot listen on ${host} port ${port} (${code})`, remedy, {
      cause: error,
    })
  }
}

/** The address that people reach the site by. */
export function siteAddress({ baseUrl, host }: ServeOptions, port: number): string {
  return baseUrl ?? `http://${shownHost(host)}:${port}`
}

/** The wildcard addresses are no addresses to visit. */
export function shownHost(host: string): string {
  if (['127.0.0.1', '0.0.0.0', '::', '::1'].includes(host)) return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}
