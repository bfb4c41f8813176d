import { hash, timingSafeEqual } from 'node:crypto'
import type { Random, SignIn } from '../domain/ports.ts'
import type { User } from '../domain/user.ts'
import type { Refusal } from '../protocol/errors.ts'
import { csrfSetCookie, readCsrfCookie } from './cookies.ts'

/** Who visits the site in a browser, wherever its users sign in. */
export interface Visitors extends SignIn, CsrfTokens {
  /** Tells the browser that sent the request from every other of the same user. Not to be shown. */
  browserId(request: Request): string
  /**
   * Why somebody whom the sign-in knows is let in as nobody, such as `owner_suspended`: sending them to sign in would
   * only bring them back. Undefined for everybody else.
   */
  shutOut(request: Request): Promise<Refusal | undefined>
}

/**
 * Starts a session for somebody who has come by a one-time password; answers with the headers, `Set-Cookie` above all,
 * that the answer must carry.
 */
export type StartSession = (request: Request, user: User) => Promise<Headers>

/**
 * CSRF tokens: a hash of a secret in an `HttpOnly` cookie, which another site can neither read nor, on https, set. The
 * token outlives a sign-in: there are clients that fetch it first, sign in, and go on using it.
 */
export interface CsrfTokens {
  /** The token of the browser. `setCookie` is there when the browser has no secret yet. */
  csrf(request: Request): { readonly token: string; readonly setCookie: string | undefined }
  /** Whether `token` is the token of the browser that sent the request. */
  csrfMatches(request: Request, token: string): boolean
}

/** `isSecure`: whether the browser that sent a request reaches the site by https, which it may do through a proxy. */
export function createCsrfTokens(random: Random, isSecure: (request: Request) => boolean): CsrfTokens {
  return {
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
  return hash('sha256', `hallpass csrf ${secret}`, 'base64url')
}
