/** Browser sessions of local accounts: a random token in a cookie, its hash in the store. */
import { hashSecret, newSessionToken } from '../domain/key-text.ts'
import type { Domain } from '../domain/ports.ts'
import { isSuspended, type User } from '../domain/user.ts'
import { readSessionCookie, sessionSetCookie } from './cookies.ts'
import { createCsrfTokens, type Visitors } from './visitors.ts'

const dayMs = 86_400_000

/** The visitors of a site whose users have local accounts. */
export interface BrowserSessions extends Visitors {
  /** Starts a session under a new token, whatever the browser had before; answers with the `Set-Cookie` to send. */
  start(request: Request, user: User): Promise<string>
  /** Ends the request's session, if it has one; answers with the `Set-Cookie` that takes the token away. */
  end(request: Request): Promise<string>
}

/** `isSecure`: whether the browser that sent a request reaches the site by https, which it may do through a proxy. */
export function createBrowserSessions(
  domain: Pick<Domain, 'store' | 'directory' | 'clock' | 'settings' | 'random'>,
  isSecure: (request: Request) => boolean,
): BrowserSessions {
  const { store, clock, random } = domain
  const lifetimeMs = (): number => domain.settings.current().session_lifetime_days * dayMs

  return {
    async currentUser(request) {
      const token = readSessionCookie(request)
      if (!token) return undefined
      const tokenHash = hashSecret(token)
      const session = await store.sessions.find(tokenHash)
      const now = clock.now()
      if (!session || session.expiresAt <= now) return undefined
      const user = await domain.directory.findUserById(session.userId)
      if (!user?.active || isSuspended(user, now)) return undefined
      // A visit prolongs the session, but a write for each would cost more than the day it is late at the most.
      const expiresAt = now + lifetimeMs()
      if (expiresAt - session.expiresAt > dayMs) await store.sessions.extend(tokenHash, expiresAt)
      return user
    },

    hasSession: (request) => readSessionCookie(request) !== undefined,

    async start(request, user) {
      await this.end(request)
      const token = newSessionToken(random)
      const createdAt = clock.now()
      const expiresAt = createdAt + lifetimeMs()
      await store.sessions.insert({ tokenHash: token.hash, userId: user.id, createdAt, expiresAt })
      return sessionSetCookie(token.text, Math.floor(lifetimeMs() / 1000), isSecure(request))
    },

    async end(request) {
      const token = readSessionCookie(request)
      if (token) await store.sessions.delete(hashSecret(token))
      return sessionSetCookie('', 0, isSecure(request))
    },

    browserId: (request) => readSessionCookie(request) ?? '',

    // A suspension ends the sessions of its user.
    shutOut: async () => undefined,

    ...createCsrfTokens(random, isSecure),
  }
}
