/** Browser sessions of local accounts: a random token in a cookie, its hash in the store; and the CSRF token beside it. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { hashSecret, newSessionToken } from '../domain/key-text.ts'
import type { Domain, SignIn } from '../domain/ports.ts'
import { isSuspended, type User } from '../domain/user.ts'
import { csrfSetCookie, readCsrfCookie, readSessionCookie, sessionSetCookie } from './cookies.ts'

const dayMs = 86_400_000

/** What a site does with the browsers of its users. */
export interface BrowserSessions extends SignIn {
  /** Starts a session under a new token, whatever the browser had before; answers with the `Set-Cookie` to send. */
  start(request: Request, user: User): Promise<string>
  /** Ends the request's session, if it has one; answers with the `Set-Cookie` that takes the token away. */
  end(request: Request): Promise<string>
  /**
   * The CSRF token of the browser: a hash of a secret in an `HttpOnly` cookie, which another site can neither read nor,
   * on https, set. `setCookie` is there when the browser has no secret yet. The token outlives a sign-in: there are
   * clients that fetch it first, sign in, and go on using it.
   */
  csrf(request: Request): { readonly token: string; readonly setCookie: string | undefined }
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

    csrf(request) {
      const secure = isSecure(request)
      const kept = readCsrfCookie(request, secure)
      const secret = kept ?? Buffer.from(random.bytes(32)).toString('hex')
      return { token: tokenOf(secret), setCookie: kept ? undefined : csrfSetCookie(secret, secure) }
    },

    csrfMatches(request, token) {
      const secret = readCsrfCookie(request, isSecure(request))
      if (!secret) return false
      const expected = Buffer.from(tokenOf(secret))
      const given = Buffer.from(token)
      return expected.length === given.length && timingSafeEqual(expected, given)
    },
  }
}

function tokenOf(secret: string): string {
  return createHash('sha256').update(`hallpass csrf ${secret}`).digest('base64url')
}
