import { type Kysely, type Selectable, sql, type Updateable } from 'kysely'
import type { AccountChange, AccountRecord, StoreSession } from '../domain/store.ts'
import { prepared } from './prepared-query.ts'
import type { HallpassTables } from './schema.ts'
import { uniquely } from './unique.ts'

/** The local accounts: `users`. */
export function createAccounts(db: Kysely<HallpassTables>): StoreSession['accounts'] {
  async function findBy(
    column: 'username_lower' | 'email_lower',
    text: string,
  ): Promise<AccountRecord | undefined> {
    // An e-mail address is not unique here. The account that had it first keeps it, so that nobody can take over
    // somebody's way in by giving their address.
    const row = await db
      .selectFrom('users')
      .selectAll()
      .where(column, '=', text.toLowerCase())
      .orderBy('id')
      .limit(1)
      .executeTakeFirst()
    return row && accountOf(row)
  }

  return {
    async findById(id) {
      const [row] = await rowById(db, { id })
      return row && accountOf(row)
    },

    findByLogin: (login) => findBy(login.includes('@') ? 'email_lower' : 'username_lower', login),

    findByUsername: (username) => findBy('username_lower', username),

    async insert(account) {
      const row = await uniquely('username', () =>
        db
          .insertInto('users')
          .values({
            username: account.username,
            username_lower: account.username.toLowerCase(),
            name: account.name,
            email: account.email,
            email_lower: account.email.toLowerCase(),
            password_hash: account.passwordHash,
            admin: Number(account.admin),
            moderator: Number(account.moderator),
            trust_level: account.trustLevel,
            active: Number(account.active),
            suspended_until: account.suspendedUntil,
            created_at: account.createdAt,
          })
          .returningAll()
          .executeTakeFirstOrThrow(),
      )
      return accountOf(row)
    },

    async update(id, change) {
      const columns = columnsOf(change)
      if (Object.keys(columns).length === 0) return
      await db.updateTable('users').set(columns).where('id', '=', id).execute()
    },

    async count() {
      const { accounts } = await db
        .selectFrom('users')
        .select(sql<number>`count(*)`.as('accounts'))
        .executeTakeFirstOrThrow()
      return Number(accounts)
    },
  }
}

const accountColumns = [
  'id',
  'username',
  'name',
  'email',
  'password_hash',
  'admin',
  'moderator',
  'trust_level',
  'active',
  'suspended_until',
  'created_at',
] as const

// Every request of a signed-in browser asks this.
const rowById = prepared((db, given: { readonly id: number }) =>
  db.selectFrom('users').select(accountColumns).where('id', '=', given.id),
)

function columnsOf(change: AccountChange): Updateable<HallpassTables['users']> {
  const { admin, moderator, trustLevel, active, suspendedUntil, passwordHash, name, email } = change
  return {
    ...(admin !== undefined && { admin: Number(admin) }),
    ...(moderator !== undefined && { moderator: Number(moderator) }),
    ...(trustLevel !== undefined && { trust_level: trustLevel }),
    ...(active !== undefined && { active: Number(active) }),
    ...(suspendedUntil !== undefined && { suspended_until: suspendedUntil }),
    ...(passwordHash !== undefined && { password_hash: passwordHash }),
    ...(name !== undefined && { name }),
    ...(email !== undefined && { email, email_lower: email.toLowerCase() }),
  }
}

function accountOf(
  row: Pick<Selectable<HallpassTables['users']>, (typeof accountColumns)[number]>,
): AccountRecord {
  return {
    id: row.id,
    username: row.username,
    name: row.name,
    email: row.email,
    passwordHash: row.password_hash,
    admin: row.admin === 1,
    moderator: row.moderator === 1,
    trustLevel: row.trust_level,
    active: row.active === 1,
    suspendedUntil: row.suspended_until,
    createdAt: row.created_at,
  }
}
