/**
 * The scopes of administrators' API keys (protocol §11.7): the catalogue, and the decision whether a key's scopes
 * permit a request. The protocol's own are listed in `built-in-api-key-scopes.ts`.
 */
import type { ApiKeyScopeDefinition } from './api-key-scope-definition.ts'
import { builtInApiKeyScopes } from './built-in-api-key-scopes.ts'
import { type Refusal, refusal } from './errors.ts'
import type { RequestedRoute, RouteMatcher, SuffixReading } from './route-matcher.ts'
import { type CompiledMatcher, compileMatcher, matchRoute } from './route-matcher.ts'
import { printPattern } from './route-pattern.ts'

/** What an API key may do: `global` anything, `read_only` GET of anything, `granular` what its scopes permit. */
export type ApiKeyScopeMode = 'global' | 'read_only' | 'granular'

/** A scope on a key, with the parameter values it is narrowed to; null when it is not narrowed. */
export interface GrantedApiKeyScope {
  readonly resource: string
  readonly action: string
  readonly allowedParameters: Readonly<Record<string, readonly string[]>> | null
}

/** A scope of the catalogue, ready for use. */
export interface ApiKeyScope {
  /** `resource:action`, as it stands on the wire. */
  readonly id: string
  readonly resource: string
  readonly action: string
  /** The parameters that a key can be narrowed by: ordinary ones, then those of the path. */
  readonly parameters: readonly string[]
  /** What it permits, for people: `/t/:id (GET)`. */
  readonly urls: readonly string[]
  readonly routes: readonly CompiledMatcher[]
}

/** Every scope that an API key of the site can have, the protocol's own first. */
export interface ApiKeyScopeCatalogue {
  readonly all: readonly ApiKeyScope[]
  /** By `resource:action`. */
  find(id: string): ApiKeyScope | undefined
}

/** The answer to «may this API key send this request?». */
export type ApiKeyScopeDecision =
  | { readonly outcome: 'allowed' }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }

/**
 * The protocol's scopes and the site owner's own.
 *
 * @throws TypeError for a scope that is there already, a name that has not the form, a scope without routes, and a
 * pattern that is not well-formed
 */
export function createApiKeyScopeCatalogue(
  extra: readonly ApiKeyScopeDefinition[] = [],
): ApiKeyScopeCatalogue {
  const byId = new Map<string, ApiKeyScope>()
  for (const definition of [...builtInApiKeyScopes, ...extra]) {
    const scope = apiKeyScopeOf(definition, extra.includes(definition) ? 'name' : 'format')
    if (byId.has(scope.id)) throw new TypeError(`there is already an API key scope ${scope.id}`)
    byId.set(scope.id, scope)
  }
  return { all: [...byId.values()], find: (id) => byId.get(id) }
}

/**
 * Makes what a key may do ready to decide about its requests. Scopes that the catalogue does not hold permit nothing.
 * Reason: `api_key_scope_insufficient`. GET /session/scopes, which every key may ask, is not decided here: see
 * {@link isScopesQuestion}.
 */
export function compileApiKeyScopes(
  catalogue: ApiKeyScopeCatalogue,
  mode: ApiKeyScopeMode,
  granted: readonly GrantedApiKeyScope[],
): (request: RequestedRoute) => ApiKeyScopeDecision {
  if (mode === 'global') return () => ({ outcome: 'allowed' })
  const scopes = granted.map((grant) => ({ grant, scope: catalogue.find(apiKeyScopeId(grant)) }))
  return (request) => {
    const permits = scopes.some(({ grant, scope }) => {
      const route = scope && routeFor(scope, request)
      return route !== undefined && matchRoute(route, request, grant.allowedParameters)
    })
    return permits
      ? { outcome: 'allowed' }
      : { outcome: 'refused', refusal: insufficient(catalogue, granted, request) }
  }
}

/** Whether a request is a key's question for its own scopes, which every API key may ask (protocol §11.7). */
export function isScopesQuestion(request: RequestedRoute): boolean {
  return (request.method === 'GET' || request.method === 'HEAD') && request.path === '/session/scopes'
}

/** The name of a scope on the wire: `resource:action`. */
export function apiKeyScopeId({ resource, action }: { resource: string; action: string }): string {
  return `${resource}:${action}`
}

function apiKeyScopeOf(
  { resource, action, routes }: ApiKeyScopeDefinition,
  suffixes: SuffixReading,
): ApiKeyScope {
  const id = apiKeyScopeId({ resource, action })
  if (![resource, action].every((part) => /^[a-z0-9][a-z0-9_-]{0,99}$/.test(part))) {
    throw new TypeError(
      `resource and action of the API key scope ${JSON.stringify(id)} must be lower-case letters, digits, _ and -, 100 characters at most`,
    )
  }
  if (routes.length === 0) throw new TypeError(`the API key scope ${id} permits no route`)
  const parameters = [
    ...routes.flatMap(({ params = [] }) => params),
    ...routes.flatMap(({ pathParams = [] }) => pathParams),
  ]
  return {
    id,
    resource,
    action,
    parameters: [...new Set(parameters)],
    urls: [...new Set(routes.flatMap(urlsOf))],
    routes: routes.map((route) => compileMatcher(route, suffixes)),
  }
}

/** A route without a path is every path; the protocol prints its verb in small letters. */
function urlsOf({ methods = ['*'], paths, formats }: RouteMatcher): readonly string[] {
  if (!paths) return methods.map((method) => `* (${method.toLowerCase()})`)
  const suffixes = formats?.map((format) => `.${format}`) ?? ['']
  return paths.flatMap((path) =>
    suffixes.flatMap((suffix) => methods.map((method) => `${printPattern(path)}${suffix} (${method})`)),
  )
}

/**
 * The first route that fits decides, as the first does in a router. Were any that fits enough, a key for topic 7 could
 * read topic 99 with `/t/99/7`, which is the seventh post of topic 99 and also looks like `/t/SLUG/7`.
 */
function routeFor(scope: ApiKeyScope, request: RequestedRoute): CompiledMatcher | undefined {
  return scope.routes.find((route) => matchRoute(route, request, null))
}

function insufficient(
  catalogue: ApiKeyScopeCatalogue,
  granted: readonly GrantedApiKeyScope[],
  request: RequestedRoute,
): Refusal {
  const needed = catalogue.all.filter((scope) => routeFor(scope, request)).map(({ id }) => id)
  // The broad one last: the narrowest is the one to ask for.
  needed.sort((one, other) => Number(one === 'global:read') - Number(other === 'global:read'))
  const why = refusal('api_key_scope_insufficient', {
    method: request.method,
    path: request.format === undefined ? request.path : `${request.path}.${request.format}`,
    needed: needed.join(', ') || 'none, for only a key with the scope mode `global` may do this',
    granted: granted.map(describeGrant).join(', ') || 'none',
  })
  return { ...why, scopes: { needed, granted: granted.map(apiKeyScopeId) } }
}

function describeGrant(grant: GrantedApiKeyScope): string {
  const limits = Object.entries(grant.allowedParameters ?? {})
    .filter(([, values]) => values.length > 0)
    .map(([parameter, values]) => `${parameter}: ${values.join(' or ')}`)
  const id = apiKeyScopeId(grant)
  return limits.length === 0 ? id : `${id} (only ${limits.join('; ')})`
}
