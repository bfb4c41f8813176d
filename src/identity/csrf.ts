import { createHash, timingSafeEqual } from 'node:crypto'
import type { Random } from '../domain/ports.ts'
import { csrfSetCookie, readCookies } from './cookies.ts'

/**
 * The CSRF token of the browser that sent `request`: a hash of a secret in an `HttpOnly` cookie, which another site
 * can neither read nor, on https, set. `setCookie` is there when the browser has no secret yet.
 *
 * The token outlives a sign-in: there are clients that fetch it first, sign in, and go on using it.
 */
export function csrfFor(
  request: Request,
  random: Random,
): { readonly token: string; readonly setCookie: string | undefined } {
  const kept = readCookies(request).csrf
  const secret = kept ?? Buffer.from(random.bytes(32)).toString('hex')
  return { token: tokenOf(secret), setCookie: kept ? undefined : csrfSetCookie(request, secret) }
}

/** Whether `token` is the one that {@link csrfFor} gave to this browser. */
export function csrfMatches(request: Request, token: string): boolean {
  const secret = readCookies(request).csrf
  if (!secret) return false
  const expected = Buffer.from(tokenOf(secret))
  const given = Buffer.from(token)
  return expected.length === given.length && timingSafeEqual(expected, given)
}

function tokenOf(secret: string): string {
  return createHash('sha256').update(`hallpass csrf ${secret}`).digest('base64url')
}
