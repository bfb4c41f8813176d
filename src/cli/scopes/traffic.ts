/** What a log’s requests ask for, route by route, and which permissions of which scopes take it. */
import { normalizeRoute, type Route } from '../../protocol/route.ts'
import { matchRoute } from '../../protocol/route-matcher.ts'
import { generalPath } from './general-path.ts'
import type { LoggedRequest } from './log-line.ts'
import type { Permission } from './permission.ts'

/** Requests of one kind: the same method, the same general path, and permitted by the same. */
export interface TrafficRoute {
  /** `GET /invoices/:id`. */
  readonly name: string
  /** Which of the permissions take them, by their place in the list. */
  readonly permissions: readonly number[]
  readonly requests: number
}

export interface TrafficReport {
  /** Requests that count, whether or not a permission takes them. */
  readonly requests: number
  /** The most frequent first. */
  readonly routes: readonly TrafficRoute[]
  /** Requests whose route is one too many to remember. */
  readonly beyondMemory: number
  /** Requests that no key may send, for their path can be read in two ways. */
  readonly ambiguous: number
  /** Requests that were answered that there is no such thing, and preflights. */
  readonly leftOut: number
}

/** Counts requests. Memory is bounded, whatever is asked for. */
export class Traffic {
  readonly #permissions: readonly Permission[]
  readonly #routes = new Map<string, Entry>()
  /** By the path as it was sent, because few paths make up most of a log. */
  #recent = new Map<string, Entry>()
  #requests = 0
  #beyondMemory = 0
  #ambiguous = 0
  #leftOut = 0

  constructor(permissions: readonly Permission[]) {
    this.#permissions = permissions
  }

  add({ method, path, status }: LoggedRequest): void {
    if ((status !== undefined && noSuchThing.has(status)) || /^options$/i.test(method)) {
      this.#leftOut += 1
      return
    }
    this.#requests += 1
    const key = `${method} ${path}`
    const known = this.#recent.get(key) ?? this.#place(method, path)
    if (known === 'ambiguous') {
      this.#ambiguous += 1
      return
    }
    if (!known) {
      this.#beyondMemory += 1
      return
    }
    known.requests += 1
    if (this.#recent.size >= mostRecent) this.#recent = new Map()
    if (path.length <= longestRecent) this.#recent.set(key, known)
  }

  report(): TrafficReport {
    return {
      requests: this.#requests,
      routes: [...this.#routes.values()].sort((one, other) => other.requests - one.requests),
      beyondMemory: this.#beyondMemory,
      ambiguous: this.#ambiguous,
      leftOut: this.#leftOut,
    }
  }

  /** Undefined where there is no room for another route. */
  #place(method: string, path: string): Entry | 'ambiguous' | undefined {
    const normalized = normalizeRoute(method, path)
    if (normalized.outcome === 'ambiguous') return 'ambiguous'
    const { route } = normalized
    const permissions = this.#permissions.flatMap(({ compiled }, index) =>
      matchRoute(compiled, { ...route, query: noQuery }, null) ? [index] : [],
    )
    return this.#entry(nameOf(route), permissions)
  }

  #entry(name: string, permissions: readonly number[]): Entry | undefined {
    const key = `${name} ${permissions.join()}`
    const found = this.#routes.get(key)
    if (found || this.#routes.size >= mostRoutes) return found
    const entry = { name, permissions, requests: 0 }
    this.#routes.set(key, entry)
    return entry
  }
}

interface Entry {
  readonly name: string
  readonly permissions: readonly number[]
  requests: number
}

const noSuchThing: ReadonlySet<number> = new Set([400, 404, 405, 410, 414])
const noQuery = new URLSearchParams()
const mostRecent = 20_000
const longestRecent = 500
const mostRoutes = 20_000

/** HEAD is permitted wherever GET is. */
function nameOf({ method, path, format }: Route): string {
  const suffix = format === undefined ? '' : `.${format}`
  return `${method === 'HEAD' ? 'GET' : method} ${generalPath(path)}${suffix}`
}
