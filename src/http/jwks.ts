/** The public halves of the keys that sign identities, for applications behind Hallpass (RFC 7517 §5). */
import { json } from './answer.ts'
import { type Router, routesOf, type Service } from './service.ts'

export function addJwksRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)
  // Not below /.well-known/, where an application that signs tokens itself has its own.
  route('GET', '/hallpass/jwks', { who: 'unchecked' }, async () => {
    const keys = await service.signingKeys.published()
    const response = json({ keys: keys.map(({ publicJwk }) => publicJwk) })
    // Far shorter than the hour for which a new key is published before it signs anything.
    response.headers.set('cache-control', 'public, max-age=600')
    return response
  })
}
