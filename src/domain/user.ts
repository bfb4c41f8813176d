import { type Refusal, refusal } from '../protocol/errors.ts'
import type { AccountFacts } from './store.ts'

/** A person of the guarded site, as the directory knows them. */
export interface User {
  /** Opaque; the local directory's ids are decimal numbers. */
  readonly id: string
  readonly username: string
  /** The name for people to read; empty when there is none. */
  readonly name: string
  readonly admin: boolean
  readonly moderator: boolean
  /** 0 to 4. */
  readonly trustLevel: number
  /** Groups besides those that follow from the rest, by their numbers; only a host application's users have any. */
  readonly groups?: readonly number[]
  /** False until activated, and again once deactivated. */
  readonly active: boolean
  /** When the suspension ends, in milliseconds since the epoch; null when not suspended. */
  readonly suspendedUntil: number | null
  /** When the account was made, in milliseconds since the epoch. */
  readonly createdAt: number
}

/** True for administrators and moderators. */
export function isStaff(user: User): boolean {
  return user.admin || user.moderator
}

/** Whether the user is suspended at `now` (milliseconds since the epoch). */
export function isSuspended(user: User, now: number): boolean {
  return user.suspendedUntil !== null && user.suspendedUntil > now
}

/** Why nobody may act as `owner` at `now`; undefined when they may. Reasons: `owner_suspended`, `owner_inactive`. */
export function checkOwner(owner: User, now: number): Refusal | undefined {
  if (isSuspended(owner, now)) return refusal('owner_suspended')
  return owner.active ? undefined : refusal('owner_inactive')
}

/** The numbers of the groups that the user is in: the automatic ones (protocol §14: 1, 2, 3, and 10 to 14), and others. */
export function groupsOf(user: User): readonly string[] {
  const groups: string[] = []
  if (user.admin) groups.push('1')
  if (user.moderator) groups.push('2')
  if (isStaff(user)) groups.push('3')
  for (let level = 0; level <= user.trustLevel; level += 1) groups.push(String(10 + level))
  return [...groups, ...(user.groups ?? []).map(String)]
}

/** The user that a local account is. */
export function userOfAccount(account: AccountFacts): User {
  const { username, name, admin, moderator, trustLevel, active, suspendedUntil, createdAt } = account
  return {
    id: String(account.id),
    username,
    name,
    admin,
    moderator,
    trustLevel,
    active,
    suspendedUntil,
    createdAt,
  }
}

/** The row id of a local account, from a user's id; undefined for an id that no local account can have. */
export function accountIdOf(userId: string): number | undefined {
  return /^[1-9][0-9]{0,14}$/.test(userId) ? Number(userId) : undefined
}
