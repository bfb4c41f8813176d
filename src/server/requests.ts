/** A request as it reached the process, and as its sender knows it: behind a proxy these are two. */
import type { createClientAddress } from '../domain/client-address.ts'
import type { Connection } from '../domain/ports.ts'
import { type Visit, visitOf } from '../http/visit.ts'
import type { Refusal } from '../protocol/errors.ts'
import { normalizeRoute, type Route } from '../protocol/route.ts'

/** What is known of a request before anybody looks at who sent it. */
export interface Arrival {
  /** The address as its sender knows it. */
  readonly url: URL
  readonly route: Route
  /** Why the path cannot be held against scopes: it can be read in two ways. Undefined for one that can. */
  readonly ambiguous: Refusal | undefined
  readonly connection: Connection
}

/** `baseUrl`: undefined where the site is reached by whatever address the process is asked by. */
export interface RequestReaderOptions {
  readonly baseUrl: string | undefined
  readonly clientAddress: ReturnType<typeof createClientAddress>
  readonly isTrustedProxy: (address: string | null) => boolean
}

/** Reads requests; the one place where it is decided which address and which path count. */
export interface RequestReader {
  /** `rawPath`: the path as it was received, where a `Request` may have changed it. */
  arrival(request: Request, connection?: Connection, rawPath?: string): Arrival
  visit(request: Request, arrival: Arrival): Visit
  /** Whether a request that has arrived came from a trusted proxy, whose headers count. */
  isFromProxy(request: Request): boolean
}

export function createRequestReader(options: RequestReaderOptions): RequestReader {
  const { baseUrl, clientAddress, isTrustedProxy } = options
  const fromProxies = new WeakSet<Request>()

  function publicUrl(request: Request): URL {
    const url = new URL(request.url)
    if (baseUrl === undefined) return url
    const { protocol, hostname, port } = new URL(baseUrl)
    return Object.assign(url, { protocol, hostname, port })
  }

  return {
    arrival(request, connection = { remoteAddress: null }, rawPath) {
      const url = publicUrl(request)
      if (isTrustedProxy(connection.remoteAddress)) fromProxies.add(request)
      const remoteAddress = clientAddress(connection.remoteAddress, request.headers)
      const normalized = normalizeRoute(request.method, rawPath ?? url.pathname)
      return normalized.outcome === 'route'
        ? { url, route: normalized.route, ambiguous: undefined, connection: { remoteAddress } }
        : {
            url,
            route: unreadableRoute(request, url),
            ambiguous: normalized.refusal,
            connection: { remoteAddress },
          }
    },
    isFromProxy: (request) => fromProxies.has(request),
    visit: (request, { url, route, connection }) => visitOf(request, url, route, connection),
  }
}

/** What stands in the place of a route where the path can be read in two ways. */
function unreadableRoute(request: Request, { pathname }: URL): Route {
  return { method: request.method.toUpperCase(), path: pathname, format: undefined, rawPath: pathname }
}
