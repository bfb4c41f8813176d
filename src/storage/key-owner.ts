/** The local account that a key belongs to, joined to the key so that both are one read. */
import { type RawBuilder, sql } from 'kysely'
import type { AccountFacts } from '../domain/store.ts'

/** The columns of `users as owner`, under names that clash with none of a key. */
export const ownerColumns = [
  'owner.id as owner_id',
  'owner.username as owner_username',
  'owner.name as owner_name',
  'owner.admin as owner_admin',
  'owner.moderator as owner_moderator',
  'owner.trust_level as owner_trust_level',
  'owner.active as owner_active',
  'owner.suspended_until as owner_suspended_until',
  'owner.created_at as owner_created_at',
] as const

/**
 * The number of the account whose user has the key; null where the user's id is no account's, so that a database which is
 * strict about numbers is not asked to read one out of any text.
 */
export function ownerAccountId(): RawBuilder<number> {
  const userId = sql.ref('key.user_id')
  return sql<number>`case
    when trim(${userId}, '0123456789') = '' and length(${userId}) between 1 and 15
    then cast(${userId} as bigint) end`
}

interface OwnerRow {
  readonly user_id: string | null
  readonly owner_id: number | null
  readonly owner_username: string | null
  readonly owner_name: string | null
  readonly owner_admin: number | null
  readonly owner_moderator: number | null
  readonly owner_trust_level: number | null
  readonly owner_active: number | null
  readonly owner_suspended_until: number | null
  readonly owner_created_at: number | null
}

/** The account, if it is the one that the key's user id means: `07` is no account's. */
export function ownerOf(row: OwnerRow): AccountFacts | undefined {
  if (row.owner_id === null || String(row.owner_id) !== row.user_id) return undefined
  return {
    id: row.owner_id,
    username: row.owner_username ?? '',
    name: row.owner_name ?? '',
    admin: row.owner_admin === 1,
    moderator: row.owner_moderator === 1,
    trustLevel: row.owner_trust_level ?? 0,
    active: row.owner_active === 1,
    suspendedUntil: row.owner_suspended_until,
    createdAt: row.owner_created_at ?? 0,
  }
}
