/** Accounts of people who sign in at another service: a local account stands for each, made when they first come. */
import type { Refusal } from '../protocol/errors.ts'
import { commit } from './commit.ts'
import type { Actor, DomainEvent } from './events.ts'
import type { Domain } from './ports.ts'
import {
  type AccountChange,
  type AccountRecord,
  type ExternalSubject,
  type StoreSession,
  UniqueViolation,
} from './store.ts'
import { checkOwner, type User, userOfAccount } from './user.ts'

/** What another service says of somebody who has just signed in there. What it does not say stays as it is here. */
export interface ExternalProfile extends ExternalSubject {
  /** The name that they have there; the account gets it, or one like it that is free. */
  readonly username?: string | undefined
  /** The name for people to read. */
  readonly name?: string | undefined
  /** An address that the service has verified. */
  readonly email?: string | undefined
  readonly admin?: boolean | undefined
  readonly moderator?: boolean | undefined
}

/** What signing in at another service came to. */
export type ExternalSignIn =
  | { readonly outcome: 'known'; readonly user: User }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }

/**
 * Finds the account that stands for `profile`, or makes one. It is never one that somebody has with a password: an
 * e-mail address or a name that is the same proves nothing. Reasons: `owner_suspended`, `owner_inactive`.
 */
export async function signInExternally(
  domain: Domain,
  actor: Actor,
  profile: ExternalProfile,
): Promise<ExternalSignIn> {
  const user = userOfAccount(await findOrMake(domain, actor, profile))
  const problem = checkOwner(user, domain.clock.now())
  return problem ? { outcome: 'refused', refusal: problem } : { outcome: 'known', user }
}

async function findOrMake(domain: Domain, actor: Actor, profile: ExternalProfile): Promise<AccountRecord> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await commit(domain, actor, async (session) => {
        const id = await session.externalAccounts.findAccountId(profile)
        const found = id === undefined ? undefined : await session.accounts.findById(id)
        return found ? update(session, found, profile) : make(domain, session, profile)
      })
    } catch (error) {
      // Somebody else took the name, or the same person came twice at once: what they did is there to be found now.
      if (!(error instanceof UniqueViolation) || attempt === 5) throw error
    }
  }
}

async function update(
  session: StoreSession,
  account: AccountRecord,
  profile: ExternalProfile,
): Promise<{ result: AccountRecord; events: readonly DomainEvent[] }> {
  const { name, email, admin, moderator } = profile
  const change: AccountChange = {
    ...(name !== undefined && name !== account.name && { name }),
    ...(email !== undefined && email !== account.email && { email }),
    ...(admin !== undefined && admin !== account.admin && { admin }),
    ...(moderator !== undefined && moderator !== account.moderator && { moderator }),
  }
  const names = Object.keys(change)
  if (names.length === 0) return { result: account, events: [] }
  await session.accounts.update(account.id, change)
  const described = `${names.join(', ')} from ${profile.provider}`
  const event: DomainEvent = { type: 'user_changed', userId: String(account.id), change: described }
  return { result: { ...account, ...change }, events: [event] }
}

async function make(
  { clock }: Domain,
  session: StoreSession,
  profile: ExternalProfile,
): Promise<{ result: AccountRecord; events: readonly DomainEvent[] }> {
  const admin = profile.admin ?? false
  const account = await session.accounts.insert({
    username: await freeUsername(session, profile),
    name: profile.name ?? '',
    email: profile.email ?? '',
    // No password has this hash.
    passwordHash: '',
    admin,
    moderator: profile.moderator ?? false,
    trustLevel: admin ? 4 : 1,
    active: true,
    suspendedUntil: null,
    createdAt: clock.now(),
  })
  await session.externalAccounts.insert(profile, account.id, clock.now())
  return { result: account, events: [{ type: 'user_created', userId: String(account.id) }] }
}

/** The name that they have there as far as it can be one here; with a number behind it when somebody has it. */
async function freeUsername(session: StoreSession, profile: ExternalProfile): Promise<string> {
  const wanted = [profile.username, profile.email?.split('@', 1)[0], profile.name, 'user'].map(usernameFrom)
  const base = wanted.find((one) => one !== '') ?? 'user'
  for (let number = 1; number < 1000; number += 1) {
    const name = number === 1 ? base : `${base}${number}`
    if (!(await session.accounts.findByUsername(name))) return name
  }
  // So many of one name that the account's own subject is the better one.
  return `${base}-${usernameFrom(profile.subject).slice(0, 20)}`
}

function usernameFrom(text = ''): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[^a-zA-Z0-9_]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '')
}
