/** A request as it reached the process, and as its sender knows it: behind a proxy these are two. */
import type { createClientAddress } from '../domain/client-address.ts'
import type { Connection } from '../domain/ports.ts'
import { type Visit, visitOf } from '../http/visit.ts'
import type { Refusal } from '../protocol/errors.ts'
import { noQuery, type Query, readQuery } from '../protocol/query.ts'
import { isPlainPath, normalizeRoute, type Route } from '../protocol/route.ts'

/** What is known of a request before anybody looks at who sent it. */
export interface Arrival {
  /** The address as its sender knows it. Taken apart when it is asked for, because most decisions need none of it. */
  readonly url: URL
  readonly query: Query
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
  /** `decided`: why the request is refused, where that is known already. */
  visit(request: Request, arrival: Arrival, decided?: Refusal): Visit
  /** Whether a request that has arrived came from a trusted proxy, whose headers count. */
  isFromProxy(request: Request): boolean
}

export function createRequestReader(options: RequestReaderOptions): RequestReader {
  const { baseUrl, clientAddress, isTrustedProxy } = options
  const fromProxies = new WeakSet<Request>()
  const { protocol, hostname, port } = baseUrl === undefined ? anyAddress : new URL(baseUrl)

  function publicUrl(address: string): URL {
    const url = new URL(address)
    return baseUrl === undefined ? url : Object.assign(url, { protocol, hostname, port })
  }

  return {
    arrival(request, connection = { remoteAddress: null }, rawPath) {
      const address = request.url
      if (isTrustedProxy(connection.remoteAddress)) fromProxies.add(request)
      const remoteAddress = clientAddress(connection.remoteAddress, request.headers)
      const normalized = normalizeRoute(request.method, rawPath ?? pathOf(address))
      const [route, ambiguous] =
        normalized.outcome === 'route'
          ? [normalized.route, undefined]
          : [unreadableRoute(request, pathOf(address)), normalized.refusal]
      return new Arrived(() => publicUrl(address), queryOf(address), route, ambiguous, { remoteAddress })
    },
    isFromProxy: (request) => fromProxies.has(request),
    visit: visitOf,
  }
}

class Arrived implements Arrival {
  readonly query: Query
  readonly route: Route
  readonly ambiguous: Refusal | undefined
  readonly connection: Connection
  readonly #publicUrl: () => URL
  #url: URL | undefined

  constructor(
    publicUrl: () => URL,
    query: Query,
    route: Route,
    ambiguous: Refusal | undefined,
    connection: Connection,
  ) {
    this.query = query
    this.route = route
    this.ambiguous = ambiguous
    this.connection = connection
    this.#publicUrl = publicUrl
  }

  get url(): URL {
    this.#url ??= this.#publicUrl()
    return this.#url
  }
}

const anyAddress = { protocol: '', hostname: '', port: '' }

function queryOf(address: string): Query {
  const start = address.indexOf('?')
  if (start === -1) return noQuery
  return readQuery(address.includes('#') ? new URL(address).search.slice(1) : address.slice(start + 1))
}

/** The path of an absolute address, as `URL` has it. */
function pathOf(address: string): string {
  const start = address.indexOf('/', address.indexOf('://') + 3)
  const query = address.indexOf('?')
  const path = address.slice(start, query === -1 ? undefined : query)
  // Whatever `URL` would write in another way is left to it.
  return start > 0 && !address.includes('#') && isPlainPath(path) ? path : new URL(address).pathname
}

/** What stands in the place of a route where the path can be read in two ways. */
function unreadableRoute(request: Request, path: string): Route {
  return { method: request.method.toUpperCase(), path, format: undefined, rawPath: path }
}
