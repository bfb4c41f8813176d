/** Who is signed in, and the CSRF token that a browser needs. */
import type { User } from '../domain/user.ts'
import { refusal } from '../protocol/errors.ts'
import { json, refused } from './answer.ts'
import { type Router, routesOf, type Service, withCookies } from './service.ts'
import { wireUserId } from './user-json.ts'

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

/** A user as `/session/current.json` and a sign-in tell it (protocol §17). */
export async function currentUserJson(service: Service, user: User): Promise<Record<string, unknown>> {
  return {
    id: wireUserId(user.id),
    username: user.username,
    name: user.name,
    avatar_template: '',
    admin: user.admin,
    moderator: user.moderator,
    trust_level: user.trustLevel,
    unread_notifications: 0,
    ...(await service.currentUserFields(user)),
  }
}
