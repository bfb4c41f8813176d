/** Who is signed in, and the CSRF token that a browser needs. */
import { refusal } from '../protocol/errors.ts'
import { json, refused } from './answer.ts'
import { currentUserJson } from './current-user.ts'
import { type Router, routesOf, type Service, withCookies } from './service.ts'

export function addSessionRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)

  route('GET', '/session/csrf', { who: 'unchecked' }, async ({ visit }) => {
    const csrf = service.visitors.csrf(visit.request)
    return withCookies(json({ csrf: csrf.token }), csrf.setCookie)
  })

  route('GET', '/session/current', { who: 'anyone' }, async ({ visit, identity }) => {
    if (!identity) {
      return refused(visit, refusal('nobody_signed_in'), service.domain.settings.current().title)
    }
    return json({ current_user: await currentUserJson(service, identity.user) })
  })
}
