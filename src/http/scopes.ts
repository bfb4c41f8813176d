/** The scopes of the site, for whoever writes an app: an addition to the protocol, whose sites do not tell. */
import type { ScopeDefinition } from '../protocol/scopes.ts'
import { json } from './answer.ts'
import { type Router, routesOf, type Service } from './service.ts'

export function addScopeRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)
  route('GET', '/hallpass/scopes', { who: 'anyone' }, async () => {
    const { scopes, settings } = service.domain
    const { allow_user_api_key_scopes: allowed } = settings.current()
    return json({ scopes: scopes.all.map((scope) => scopeJson(scope, allowed.includes(scope.name))) })
  })
}

/** `allowed`: whether an app may ask for the scope. A matcher without paths is for every route. */
function scopeJson(scope: ScopeDefinition, allowed: boolean): Record<string, unknown> {
  return {
    name: scope.name,
    label: scope.label,
    description: scope.description,
    allowed,
    write: scope.marksWrite,
    built_in: scope.builtIn,
    routes: scope.routes.map(({ methods, paths, formats, params, pathParams }) => ({
      methods: methods ?? null,
      paths: paths ?? null,
      formats: formats ?? null,
      restrictable: [...(params ?? []), ...(pathParams ?? [])],
    })),
  }
}
