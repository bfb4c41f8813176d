/** Which scopes are enough for some traffic, with as little besides as can be. */
import type { TrafficRoute } from './traffic.ts'

/** A scope, by what it permits: places in the list of permissions that traffic was held against. */
export interface Candidate {
  readonly name: string
  readonly permissions: readonly number[]
}

export interface Chosen {
  readonly name: string
  /** Requests that it permits, those that another permits too included. */
  readonly requests: number
  /** Permissions that no request used. */
  readonly excess: readonly number[]
}

/**
 * Scopes that together permit every route that any of the candidates does. Chosen greedily: next comes the scope that
 * adds most routes for each permission that nobody used, the narrower of two; then whatever the others make
 * superfluous goes. That is near the smallest set; to find it for certain takes too long (it is set cover).
 */
export function smallestSet(
  routes: readonly TrafficRoute[],
  candidates: readonly Candidate[],
): readonly Chosen[] {
  const used = new Set(routes.flatMap(({ permissions }) => permissions))
  const scopes = candidates
    .map(({ name, permissions }) => {
      const own = new Set(permissions)
      return {
        name,
        permissions,
        covers: new Set(routes.filter((route) => route.permissions.some((one) => own.has(one)))),
        excess: permissions.filter((one) => !used.has(one)),
      }
    })
    .filter(({ covers }) => covers.size > 0)
  const missing = new Set(scopes.flatMap(({ covers }) => [...covers]))
  const chosen: typeof scopes = []
  while (missing.size > 0) {
    const rated = scopes.map((scope) => {
      const added = [...scope.covers].filter((route) => missing.has(route)).length
      return { scope, added, value: added / (1 + scope.excess.length) }
    })
    rated.sort(
      (one, other) =>
        other.value - one.value || one.scope.permissions.length - other.scope.permissions.length,
    )
    const best = rated[0]
    if (!best || best.added === 0) break
    chosen.push(best.scope)
    for (const route of best.scope.covers) missing.delete(route)
  }
  return withoutSuperfluous(chosen).map(({ name, covers, excess }) => ({
    name,
    requests: [...covers].reduce((sum, route) => sum + route.requests, 0),
    excess,
  }))
}

interface Covering {
  readonly covers: ReadonlySet<TrafficRoute>
}

/** The last chosen are the last to be tried, because they brought in what was rare. */
function withoutSuperfluous<T extends Covering>(chosen: readonly T[]): readonly T[] {
  return chosen.reduce<readonly T[]>((kept, scope) => {
    const others = kept.filter((one) => one !== scope)
    const isSuperfluous = [...scope.covers].every((route) => others.some(({ covers }) => covers.has(route)))
    return isSuperfluous ? others : kept
  }, chosen)
}
