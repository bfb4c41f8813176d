import type { Connection } from '../domain/ports.ts'
import type { Refusal } from '../protocol/errors.ts'
import type { Query } from '../protocol/query.ts'
import type { Route } from '../protocol/route.ts'

/** One request to Hallpass, as far as it is known before anybody reads its body. */
export interface Visit {
  readonly request: Request
  readonly url: URL
  /** The parameters in the address. */
  readonly query: Query
  readonly route: Route
  readonly connection: Connection
  /** Why it is refused, where that was found out, and the request counted, before it came here. */
  readonly decided?: Refusal | undefined
  /** True when the caller says that it wants JSON: by the path's suffix, by `Accept`, or as a script of a page. */
  readonly asksForJson: boolean
  /** True when a browser asks for a page. A caller that says neither is answered as upstream does, refusals in JSON. */
  readonly asksForPage: boolean
}

/** Puts a request into the form that the routes work with. */
export function visitOf(
  request: Request,
  arrival: Pick<Visit, 'url' | 'query' | 'route' | 'connection'>,
  decided?: Refusal,
): Visit {
  return new Arrived(request, arrival, decided)
}

class Arrived implements Visit {
  readonly request: Request
  readonly query: Query
  readonly route: Route
  readonly connection: Connection
  readonly decided: Refusal | undefined
  readonly asksForJson: boolean
  readonly asksForPage: boolean
  readonly #arrival: Pick<Visit, 'url'>

  constructor(
    request: Request,
    arrival: Pick<Visit, 'url' | 'query' | 'route' | 'connection'>,
    decided: Refusal | undefined,
  ) {
    const { route } = arrival
    const accept = request.headers.get('accept') ?? ''
    const page = accept.includes('text/html')
    const script = request.headers.get('x-requested-with')?.toLowerCase() === 'xmlhttprequest'
    const json = route.format === 'json' || (route.format === undefined && !page && /[/+]json\b/.test(accept))
    this.#arrival = arrival
    this.request = request
    this.query = arrival.query
    this.route = route
    this.connection = arrival.connection
    this.decided = decided
    this.asksForJson = json || (script && route.format !== 'html')
    this.asksForPage = page && !this.asksForJson
  }

  get url(): URL {
    return this.#arrival.url
  }
}
