/** The scopes of the site, for whoever writes an app: an addition to the protocol, whose sites do not tell. */
import { type DiscoveredScope, discoveredScope } from '../protocol/discovery.ts'
import { json } from './answer.ts'
import { type Router, routesOf, type Service } from './service.ts'

export function addScopeRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)
  route('GET', '/hallpass/scopes', { who: 'anyone' }, async () => json({ scopes: scopesOfSite(service) }))
}

/** All scopes of the site, each with whether an app may ask for it. */
export function scopesOfSite({ domain }: Service): readonly DiscoveredScope[] {
  const { allow_user_api_key_scopes: allowed } = domain.settings.current()
  return domain.scopes.all.map((scope) => discoveredScope(scope, allowed.includes(scope.name)))
}
