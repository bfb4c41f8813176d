import { addressBucket } from '../domain/address.ts'
import type { Domain } from '../domain/ports.ts'
import { limitRefusal, type RateLimit } from '../domain/rate-limit.ts'
import { isSuspended, type User, userOfAccount } from '../domain/user.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'

/**
 * Checks a username (or e-mail address) and password. An unknown account costs the same time as a wrong password, and
 * gives the same answer. Reasons: `rate_limited`, `credentials_invalid`, `owner_suspended`, `owner_inactive`.
 */
export async function checkPassword(
  domain: Domain,
  attempt: { readonly login: string; readonly password: string; readonly address: string | null },
): Promise<
  | { readonly outcome: 'signed_in'; readonly user: User }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }
> {
  // An account's name and its e-mail address have a count each: one for both would tell whose address it is.
  const limited = takeAttempt(domain, attempt.login, attempt.address)
  if (limited) return { outcome: 'refused', refusal: limited }
  const account = await domain.store.accounts.findByLogin(attempt.login)
  const matches = await domain.passwords.verify(attempt.password, account?.passwordHash || unusableHash)
  if (!account || !matches) return { outcome: 'refused', refusal: refusal('credentials_invalid') }
  const user = userOfAccount(account)
  if (!user.active) return { outcome: 'refused', refusal: refusal('owner_inactive') }
  if (isSuspended(user, domain.clock.now()))
    return { outcome: 'refused', refusal: refusal('owner_suspended') }
  return { outcome: 'signed_in', user }
}

/** Same cost as a real hash, and of no known password. */
const unusableHash = `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`

function takeAttempt(domain: Domain, login: string, address: string | null): Refusal | undefined {
  const settings = domain.settings.current()
  if (settings.disable_rate_limits) return undefined
  const perAccount: RateLimit = {
    name: 'max_sign_in_attempts_per_minute',
    max: settings.max_sign_in_attempts_per_minute,
    windowMs: 60_000,
  }
  const perAddress: RateLimit = {
    name: 'max_sign_in_attempts_per_hour',
    max: settings.max_sign_in_attempts_per_hour,
    windowMs: 3_600_000,
  }
  for (const [limit, key] of [
    [perAccount, `${addressBucket(address)} ${login.toLowerCase()}`],
    [perAddress, addressBucket(address)],
  ] as const) {
    const decision = domain.limiter.take(limit, key)
    if (decision.outcome === 'limited') return limitRefusal(decision)
  }
  return undefined
}
