/** What a schema cannot say about a config file: names that are taken, patterns, addresses, settings’ own rules. */
import { addressMatcher } from '../domain/address.ts'
import type { ApiKeyScopeDefinition } from '../protocol/api-key-scope-definition.ts'
import { apiKeyScopeId, createApiKeyScopeCatalogue } from '../protocol/api-key-scopes.ts'
import type { RouteMatcher } from '../protocol/route-matcher.ts'
import { compilePattern } from '../protocol/route-pattern.ts'
import { createScopeCatalogue, type OwnScope } from '../protocol/scopes.ts'
import { formatSetting, isSettingName, parseSetting } from '../protocol/setting-values.ts'
import type { Settings } from '../protocol/settings.ts'
import { type ConfigProblem, isObject, memberPath } from './json-schema.ts'

/** Whether nothing is wrong with the form of what is at a path. */
type IsSound = (path: string) => boolean

/** Everything that is wrong with those parts of a config file whose form is right. */
export function meaningProblems(
  value: Readonly<Record<string, unknown>>,
  isSound: IsSound,
): readonly ConfigProblem[] {
  const scopes = soundItems<OwnScope>(value, 'scopes', isSound)
  const apiKeyScopes = soundItems<ApiKeyScopeDefinition>(value, 'apiKeyScopes', isSound)
  const settings = Object.entries(isObject(value.settings) ? value.settings : {}).filter(
    ([name, setting]) => setting !== undefined && isSound(memberPath('settings', name)),
  )
  return [
    ...soundItems<string>(value, 'trustedProxies', isSound).flatMap(proxyProblems),
    ...scopes.flatMap((one) => scopeProblems(one, scopes)),
    ...apiKeyScopes.flatMap((one) => apiKeyScopeProblems(one, apiKeyScopes)),
    // The schema has said that they are settings of their kind.
    ...settingProblems(Object.fromEntries(settings) as Partial<Settings>, scopes),
  ]
}

/** An item of a list, where it stands. */
interface Item<T> {
  readonly path: string
  readonly item: T
}

/** `T` is what the schema says of an item. */
function soundItems<T>(
  value: Readonly<Record<string, unknown>>,
  member: string,
  isSound: IsSound,
): readonly Item<T>[] {
  const list: unknown = value[member]
  if (!Array.isArray(list)) return []
  return list
    .map((item: T, index) => ({ path: `${member}[${index}]`, item }))
    .filter(({ path }) => isSound(path))
}

function proxyProblems({ path, item }: Item<string>): readonly ConfigProblem[] {
  try {
    addressMatcher([item])
    return []
  } catch {
    const expected = 'an IP address or range, such as 127.0.0.1, 10.0.0.0/8 or 2001:db8::/32'
    return [{ path, problem: `is ${JSON.stringify(item)}`, expected }]
  }
}

function scopeProblems(
  { path, item }: Item<OwnScope>,
  all: readonly Item<OwnScope>[],
): readonly ConfigProblem[] {
  const first = all.find((other) => other.item.name === item.name)?.path
  return [
    ...takenProblem(
      `${path}.name`,
      item.name,
      protocolScopes.find(item.name) !== undefined,
      first !== path && first,
    ),
    ...routeProblems(item.routes, `${path}.routes`),
  ]
}

function apiKeyScopeProblems(
  { path, item }: Item<ApiKeyScopeDefinition>,
  all: readonly Item<ApiKeyScopeDefinition>[],
): readonly ConfigProblem[] {
  const id = apiKeyScopeId(item)
  const first = all.find((other) => apiKeyScopeId(other.item) === id)?.path
  return [
    ...takenProblem(path, id, protocolApiKeyScopes.find(id) !== undefined, first !== path && first),
    ...routeProblems(item.routes, `${path}.routes`),
  ]
}

const protocolScopes = createScopeCatalogue()
const protocolApiKeyScopes = createApiKeyScopeCatalogue()

/** `earlier` is where the name stands already. */
function takenProblem(
  path: string,
  name: string,
  isProtocols: boolean,
  earlier: string | false | undefined,
): readonly ConfigProblem[] {
  const expected = 'a name of its own'
  if (isProtocols) return [{ path, problem: `${name} is one of the protocol’s own scopes`, expected }]
  return earlier ? [{ path, problem: `${name} is the name of ${earlier} too`, expected }] : []
}

function routeProblems(routes: readonly RouteMatcher[], path: string): readonly ConfigProblem[] {
  return routes.flatMap(({ paths = [] }, index) =>
    paths.flatMap((pattern, at) => {
      try {
        compilePattern(pattern)
        return []
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error)
        const expected = 'a route pattern such as /invoices/:id or /files/*'
        return [{ path: `${path}[${index}].paths[${at}]`, problem, expected }]
      }
    }),
  )
}

/** Settings are held against the names of scopes that the file brings, whatever their routes. */
function settingProblems(
  settings: Partial<Settings>,
  scopes: readonly Item<OwnScope>[],
): readonly ConfigProblem[] {
  const own = scopes.filter(({ item }) => !protocolScopes.find(item.name))
  const byName = new Map(own.map(({ item }) => [item.name, { ...item, routes: [] }]))
  const catalogue = createScopeCatalogue([...byName.values()])
  return Object.entries(settings).flatMap(([name, value]) => {
    if (!isSettingName(name) || value === undefined) return []
    const read = parseSetting(name, formatSetting(name, value), catalogue)
    if (read.outcome === 'parsed') return []
    // Not the refusal's message, which repeats the value: it may be a secret.
    const { problem = '', expected = '' } = read.refusal.details
    return [{ path: memberPath('settings', name), problem: String(problem), expected: String(expected) }]
  })
}
