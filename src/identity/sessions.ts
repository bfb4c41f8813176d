/** Browser sessions of local accounts: a random token in a cookie, its hash in the store. */
import { hashSecret, newSessionToken } from '../domain/key-text.ts'
import type { Domain, SignIn } from '../domain/ports.ts'
import { isSuspended, type User } from '../domain/user.ts'
import { readCookies, sessionSetCookie } from './cookies.ts'
import { csrfMatches } from './csrf.ts'

const dayMs = 86_400_000

/** Sign-in by the sessions that {@link startSession} makes. */
export function localSignIn(domain: Pick<Domain, 'store' | 'directory' | 'clock' | 'settings'>): SignIn {
  return {
    async currentUser(request) {
      const { session: token } = readCookies(request)
      if (!token) return undefined
      const tokenHash = hashSecret(token)
      const session = await domain.store.sessions.find(tokenHash)
      const now = domain.clock.now()
      if (!session || session.expiresAt <= now) return undefined
      const user = await domain.directory.findUserById(session.userId)
      if (!user?.active || isSuspended(user, now)) return undefined
      // A visit prolongs the session, but a write for each would cost more than the day it is late at the most.
      const expiresAt = now + domain.settings.current().session_lifetime_days * dayMs
      if (expiresAt - session.expiresAt > dayMs) await domain.store.sessions.extend(tokenHash, expiresAt)
      return user
    },
    csrfMatches,
  }
}

/** Starts a session under a new token, whatever the browser had before; answers with the `Set-Cookie` to send. */
export async function startSession(domain: Domain, request: Request, user: User): Promise<string> {
  const token = newSessionToken(domain.random)
  const createdAt = domain.clock.now()
  const lifetimeMs = domain.settings.current().session_lifetime_days * dayMs
  await endSession(domain, request)
  await domain.store.sessions.insert({
    tokenHash: token.hash,
    userId: user.id,
    createdAt,
    expiresAt: createdAt + lifetimeMs,
  })
  return sessionSetCookie(request, token.text, Math.floor(lifetimeMs / 1000))
}

/** Ends the request's session, if it has one; answers with the `Set-Cookie` that takes the token away. */
export async function endSession(domain: Domain, request: Request): Promise<string> {
  const { session: token } = readCookies(request)
  if (token) await domain.store.sessions.delete(hashSecret(token))
  return sessionSetCookie(request, '', 0)
}
