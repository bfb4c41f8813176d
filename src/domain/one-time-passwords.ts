/**
 * One-time passwords (protocol §6): an app gets one sealed, and whoever holds it is signed in by it, once. Only its hash
 * is kept, and it goes with the user's name: after a rename it is void, and nobody who takes the old name gets it.
 */

import { type Refusal, refusal } from '../protocol/errors.ts'
import {
  checkOneTimePasswordRequest,
  type OneTimePasswordParameters,
  type OneTimePasswordRequest,
  oneTimePasswordLifetimeSeconds,
} from '../protocol/one-time-password-request.ts'
import { addressBucket } from './address.ts'
import { checkGroups } from './authorize.ts'
import { commit } from './commit.ts'
import type { Actor } from './events.ts'
import { hashSecret } from './key-text.ts'
import { countAgainst, perMinute } from './limits.ts'
import type { Domain } from './ports.ts'
import { findClientOfKey } from './registered-clients.ts'
import { oneTimePasswordScope, sealOneTimePassword } from './seal-one-time-password.ts'
import type { OneTimePasswordRecord } from './store.ts'
import { isSuspended, type User } from './user.ts'

interface Refused {
  readonly outcome: 'refused'
  readonly refusal: Refusal
}

/** What becomes of a request before anybody decides on it (protocol §6.1). */
export type OneTimePasswordReview =
  | Refused
  | { readonly outcome: 'sign_in_needed' }
  | {
      readonly outcome: 'ready'
      readonly request: OneTimePasswordRequest
      /** Why it would be refused all the same: the user's groups, or the site's scopes (protocol §6.2). */
      readonly notAllowed: Refusal | undefined
    }

/** Looks at a request without changing anything. `baseUrl` serves the example in a refusal. */
export async function reviewOneTimePassword(
  domain: Domain,
  parameters: OneTimePasswordParameters,
  user: User | undefined,
  baseUrl: string,
): Promise<OneTimePasswordReview> {
  const checked = await check(domain, parameters, baseUrl)
  if (checked.outcome === 'refused') return checked
  if (!user) return { outcome: 'sign_in_needed' }
  return { outcome: 'ready', request: checked.request, notAllowed: checkAllowed(domain, user) }
}

/**
 * Makes a one-time password for `user`, sealed for the app. Reasons: those of `checkOneTimePasswordRequest`,
 * `group_not_allowed`, `scope_not_allowed`.
 */
export async function issueOneTimePassword(
  domain: Domain,
  actor: Actor,
  parameters: OneTimePasswordParameters,
  { user, baseUrl }: { readonly user: User; readonly baseUrl: string },
): Promise<
  Refused | { readonly outcome: 'issued'; readonly request: OneTimePasswordRequest; readonly sealed: string }
> {
  const checked = await check(domain, parameters, baseUrl)
  if (checked.outcome === 'refused') return checked
  const problem = checkAllowed(domain, user)
  if (problem) return refused(problem)
  const { request } = checked
  const { sealed, record, event } = sealOneTimePassword(domain, user, request)
  await commit(domain, actor, async (session) => {
    await session.oneTimePasswords.insert(record)
    return { result: undefined, events: [event] }
  })
  return { outcome: 'issued', request, sealed }
}

/** Counts an attempt to use a one-time password, from an address; null when it is unknown. Reason: `rate_limited`. */
export function limitOneTimePasswords(domain: Domain, address: string | null): Refusal | undefined {
  return countAgainst(domain, [
    [perMinute('max_one_time_password_attempts_per_minute'), addressBucket(address)],
  ])
}

/**
 * Tells whom a one-time password would sign in, and leaves it as it is.
 * Reasons: `one_time_password_invalid`, `owner_inactive`, `owner_suspended`.
 */
export async function findOneTimePassword(
  domain: Domain,
  text: string,
): Promise<Refused | { readonly outcome: 'found'; readonly user: User }> {
  const record = await domain.store.oneTimePasswords.find(hashSecret(text))
  return record ? checkOwner(domain, record) : refused(invalid())
}

/**
 * Uses a one-time password up, however many try at once for one of them only. `signsIn` is false when its user was
 * signed in already. Reasons: those of {@link findOneTimePassword}.
 */
export async function takeOneTimePassword(
  domain: Domain,
  actor: Actor,
  text: string,
  { signsIn }: { readonly signsIn: boolean },
): Promise<Refused | { readonly outcome: 'taken'; readonly user: User }> {
  const found = await findOneTimePassword(domain, text)
  if (found.outcome === 'refused') return found
  const { user } = found
  const taken = await commit(domain, { ...actor, userId: user.id }, async (session) => {
    const isTaken = await session.oneTimePasswords.take(hashSecret(text), domain.clock.now())
    if (!isTaken) return { result: false, events: [] }
    const used = { type: 'one_time_password_used', userId: user.id, signedIn: signsIn } as const
    return {
      result: true,
      events: signsIn ? [used, { type: 'signed_in', userId: user.id }] : [used],
    }
  })
  return taken ? { outcome: 'taken', user } : refused(invalid())
}

async function check(
  domain: Domain,
  parameters: OneTimePasswordParameters,
  baseUrl: string,
): ReturnType<typeof checkOneTimePasswordRequest> {
  return checkOneTimePasswordRequest(parameters, {
    findClient: (publicKey) => findClientOfKey(domain.store, publicKey),
    settings: domain.settings.current(),
    baseUrl,
  })
}

/** The two checks that come after sign-in (protocol §6.2). */
function checkAllowed(domain: Domain, user: User): Refusal | undefined {
  const settings = domain.settings.current()
  const allowed = settings.allow_user_api_key_scopes
  return (
    checkGroups(user, settings) ??
    (allowed.includes(oneTimePasswordScope)
      ? undefined
      : refusal('scope_not_allowed', { scope: oneTimePasswordScope, allowed: allowed.join(', ') || 'none' }))
  )
}

async function checkOwner(
  domain: Domain,
  record: OneTimePasswordRecord,
): Promise<Refused | { readonly outcome: 'found'; readonly user: User }> {
  const now = domain.clock.now()
  const user = await domain.directory.findUserById(record.userId)
  if (record.expiresAt <= now || user?.username !== record.username) return refused(invalid())
  if (!user.active) return refused(refusal('owner_inactive'))
  if (isSuspended(user, now)) return refused(refusal('owner_suspended'))
  return { outcome: 'found', user }
}

function invalid(): Refusal {
  return refusal('one_time_password_invalid', { minutes: oneTimePasswordLifetimeSeconds / 60 })
}

function refused(why: Refusal): Refused {
  return { outcome: 'refused', refusal: why }
}
