import type { User } from '../domain/user.ts'

/** A user's id as the wire has it: a number for the local directory's, the text for a host application's own. */
export function wireUserId(id: string): number | string {
  return /^[1-9][0-9]{0,14}$/.test(id) ? Number(id) : id
}

/** A user as it stands inside other records. */
export function basicUserJson(user: User): Record<string, unknown> {
  return { id: wireUserId(user.id), username: user.username, name: user.name, avatar_template: '' }
}

/** A user as administrators see it. */
export function adminUserJson(user: User): Record<string, unknown> {
  return {
    ...basicUserJson(user),
    admin: user.admin,
    moderator: user.moderator,
    trust_level: user.trustLevel,
    active: user.active,
    suspended_till: user.suspendedUntil === null ? null : new Date(user.suspendedUntil).toISOString(),
    created_at: new Date(user.createdAt).toISOString(),
  }
}
