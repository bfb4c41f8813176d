/** Local accounts: making one, and what an administrator may change about it. */
import { type Refusal, refusal } from '../protocol/errors.ts'
import { commit } from './commit.ts'
import type { Actor } from './events.ts'
import type { Domain } from './ports.ts'
import type { AccountChange } from './store.ts'
import { type User, userOfAccount } from './user.ts'

/** What a new account needs. */
export interface AccountRequest {
  readonly username: string
  readonly password: string
  readonly name: string
  /** Empty when not given. */
  readonly email: string
  readonly admin?: boolean
  /** Default true. */
  readonly active?: boolean
}

type Created =
  | { readonly outcome: 'created'; readonly user: User }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }

type AccountChanged =
  | { readonly outcome: 'changed'; readonly user: User }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }

/** Makes an account. Reason: `record_invalid`, with the field and what is wrong with it. */
export async function createAccount(domain: Domain, actor: Actor, request: AccountRequest): Promise<Created> {
  const problem = checkAccount(request)
  if (problem) return { outcome: 'refused', refusal: problem }
  const passwordHash = await domain.passwords.hash(request.password)
  return commit<Created>(domain, actor, async (session) => {
    const taken =
      (await session.accounts.findByUsername(request.username)) ??
      (request.email ? await session.accounts.findByLogin(request.email) : undefined)
    if (taken) {
      const field = taken.username.toLowerCase() === request.username.toLowerCase() ? 'username' : 'email'
      return { result: { outcome: 'refused', refusal: invalid(field, 'has already been taken') }, events: [] }
    }
    const account = await session.accounts.insert({
      username: request.username,
      name: request.name,
      email: request.email,
      passwordHash,
      admin: request.admin ?? false,
      moderator: false,
      trustLevel: request.admin ? 4 : 1,
      active: request.active ?? true,
      suspendedUntil: null,
      createdAt: domain.clock.now(),
    })
    const user = userOfAccount(account)
    return { result: { outcome: 'created', user }, events: [{ type: 'user_created', userId: user.id }] }
  })
}

/**
 * Changes an account. `describe` says what was changed, for the audit log. A suspension or deactivation takes hold of
 * the account's keys with the next request. Reason: `not_found`.
 */
export async function changeAccount(
  domain: Domain,
  actor: Actor,
  id: number,
  change: AccountChange,
  describe: string,
): Promise<AccountChanged> {
  return commit<AccountChanged>(domain, actor, async (session) => {
    await session.accounts.update(id, change)
    const account = await session.accounts.findById(id)
    if (!account) {
      return {
        result: { outcome: 'refused', refusal: refusal('not_found', { what: `user ${id}` }) },
        events: [],
      }
    }
    const user = userOfAccount(account)
    if (!user.active || user.suspendedUntil !== null) await session.sessions.deleteByUser(user.id)
    return {
      result: { outcome: 'changed', user },
      events: [{ type: 'user_changed', userId: user.id, change: describe }],
    }
  })
}

/** Shortest password that is accepted, in characters. */
const minimumPasswordLength = 10

function checkAccount({ username, password, name, email }: AccountRequest): Refusal | undefined {
  if (!/^[a-z0-9_](?:[a-z0-9_.-]{0,58}[a-z0-9])?$/i.test(username)) {
    return invalid(
      'username',
      'must be 1 to 60 letters, digits, `_`, `.` or `-`, beginning and ending in a letter or digit',
    )
  }
  if (/\.(json|rss|ics|html)$/i.test(username)) return invalid('username', 'must not end like a file name')
  if ([...password].length < minimumPasswordLength) {
    return invalid('password', `is too short (minimum is ${minimumPasswordLength} characters)`)
  }
  if (password.length > 200) return invalid('password', 'is too long (maximum is 200 characters)')
  if (email !== '' && !/^[^\s@]{1,64}@[^\s@]{1,255}$/.test(email))
    return invalid('email', 'is not an e-mail address')
  if (name.length > 255) return invalid('name', 'is too long (maximum is 255 characters)')
  return undefined
}

function invalid(field: string, problem: string): Refusal {
  const label = field.slice(0, 1).toUpperCase() + field.slice(1)
  return refusal('record_invalid', { field, problem: `${label} ${problem}` })
}
