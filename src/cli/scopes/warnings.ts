/** What the server accepts in scopes, and their author has hardly meant. */
import type { RouteMatcher } from '../../protocol/route-matcher.ts'
import { compilePattern } from '../../protocol/route-pattern.ts'
import { defaultSettings } from '../../protocol/setting-values.ts'
import type { HallpassConfig } from '../../server/config.ts'
import { type DeclaredScope, declaredScopes } from './declared.ts'
import { includes, permissionsOf, takesAll } from './permission.ts'

/** One line for each thing, with the path of the member. */
export function scopeWarnings(config: HallpassConfig): readonly string[] {
  const { forUsers, forApiKeys } = declaredScopes(config)
  return [
    ...[...forUsers, ...forApiKeys].flatMap(routeWarnings),
    ...overlapWarnings(forUsers),
    ...overlapWarnings(forApiKeys),
    ...offerWarnings(config),
  ]
}

function routeWarnings(scope: DeclaredScope): readonly string[] {
  if (scope.routes.length === 0) return [`${scope.path}: ${scope.name} permits nothing, for it has no routes`]
  return scope.routes.flatMap((route, index) => {
    const path = `${scope.path}.routes[${index}]`
    return [
      ...breadthWarnings(route, path),
      ...unknownMethods(route, path),
      ...neverReached(route, path),
      ...parameterWarnings(route, path),
    ]
  })
}

function breadthWarnings({ paths, methods }: RouteMatcher, path: string): readonly string[] {
  if (paths === undefined) return [`${path}: permits every path, for it has no paths`]
  return methods === undefined ? [`${path}: permits every method, DELETE too, for it has no methods`] : []
}

const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'])

function unknownMethods({ methods = [] }: RouteMatcher, path: string): readonly string[] {
  const odd = methods.filter((method) => !knownMethods.has(method))
  return odd.map((method) => `${path}.methods: hardly any application knows the method ${method}`)
}

/** Of two patterns the first that fits decides: a later one that takes no path besides is never asked. */
function neverReached({ paths = [], formats }: RouteMatcher, path: string): readonly string[] {
  const patterns = paths.map(compilePattern)
  return patterns.flatMap((pattern, index) => {
    const at = `${path}.paths[${index}]`
    if (pattern.source === '/' && formats) {
      return [`${at}: / never matches, for it has no name that a format’s suffix could follow`]
    }
    const earlier = patterns.slice(0, index).find((one) => takesAll(one, pattern))
    return earlier
      ? [`${at}: ${pattern.source} never decides, for ${earlier.source} before it takes all that it takes`]
      : []
  })
}

function parameterWarnings(route: RouteMatcher, path: string): readonly string[] {
  const { paths = [], params = [], pathParams = [], aliases = {} } = route
  const patterns = paths.map(compilePattern)
  const named = new Set(
    patterns.flatMap(({ head, tail = [] }) =>
      [...head, ...tail].flatMap(({ kind, text }) => (kind === 'literal' ? [] : [text])),
    ),
  )
  const missing = pathParams.filter((name) => !named.has(name) && !named.has(aliases[name]?.name ?? ''))
  const idle = Object.keys(aliases).filter((name) => ![...params, ...pathParams].includes(name))
  return [
    ...missing.map(
      (name) => `${path}.pathParams: no pattern names ${name}, so a key narrowed by it may do nothing here`,
    ),
    ...idle.map(
      (name) => `${path}.aliases: no key can be narrowed by ${name}, which is in no list of parameters`,
    ),
  ]
}

function overlapWarnings(scopes: readonly DeclaredScope[]): readonly string[] {
  const all = scopes.map((scope) => ({ scope, permissions: permissionsOf(scope.routes) }))
  return all.flatMap(({ scope, permissions }, index) =>
    all.flatMap((other, at) => {
      if (other.scope === scope || permissions.length === 0) return []
      if (!permissions.every((one) => other.permissions.some((larger) => includes(larger, one)))) return []
      const isSame = other.permissions.every((one) => permissions.some((larger) => includes(larger, one)))
      if (!isSame) {
        return [
          `${scope.path}: all that ${scope.name} permits, ${other.scope.name} permits too; an app needs one of them`,
        ]
      }
      return at < index
        ? [`${scope.path}: ${scope.name} permits exactly what ${other.scope.name} permits`]
        : []
    }),
  )
}

/** A pinned list of what apps may ask for leaves out, for good, what is not on it. */
function offerWarnings({ scopes = [], settings = {} }: HallpassConfig): readonly string[] {
  const offered = settings.allow_user_api_key_scopes
  if (offered === undefined) return []
  return scopes
    .map(({ name }, index) => ({ name, path: `scopes[${index}]` }))
    .filter(({ name }) => !offered.includes(name))
    .map(
      ({ name, path }) =>
        `${path}: no app can ask for ${name}, for settings.allow_user_api_key_scopes leaves it out`,
    )
}

/**
 * The list of scopes that apps may ask for, as it would have to be for all of the config's to be offered. Without `read`
 * and `write`, which permit every route, so that no app would need the config's.
 */
export function offeringAll({ scopes = [] }: HallpassConfig): string {
  const narrow = defaultSettings().allow_user_api_key_scopes.filter(
    (name) => name !== 'read' && name !== 'write',
  )
  const names = [...narrow, ...scopes.map(({ name }) => name)]
  return names.join('|')
}
