import type { Domain } from '../domain/ports.ts'
import type { User } from '../domain/user.ts'
import { narrowedScopesField } from '../protocol/scope-parameters.ts'
import { scopeLabels } from './granted-scopes.ts'

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

/** The apps that hold a key of the user's which is not revoked, as the user's card lists them (protocol §8.8). */
export async function appsJson(
  { store, scopes }: Pick<Domain, 'store' | 'scopes'>,
  user: User,
): Promise<Record<string, unknown>[]> {
  const keys = await store.userApiKeys.listByUser(user.id)
  return keys
    .filter((key) => key.revokedAt === null)
    .sort((one, other) => other.lastUsedAt - one.lastUsedAt)
    .map((key) => ({
      id: key.id,
      application_name: key.client.applicationName,
      scopes: scopeLabels(scopes, key.scopes),
      created_at: new Date(key.createdAt).toISOString(),
      last_used_at: new Date(key.lastUsedAt).toISOString(),
      ...narrowedScopesField(key.scopes),
    }))
}
