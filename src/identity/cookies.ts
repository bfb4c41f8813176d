import { parse, serialize } from 'hono/utils/cookie'

/** The session cookie. Clients that sign in with a one-time password look for this name. */
const sessionCookie = '_t'

/** The cookie that a CSRF token is made from. On https its prefix keeps neighbouring hosts from setting it. */
const csrfCookie = '_hallpass_csrf'

/** The token of the request's session; undefined where there is none, or none of the right form. */
export function readSessionCookie(request: Request): string | undefined {
  return readSecret(request, sessionCookie)
}

/** The secret behind the browser's CSRF token. `secure`: whether browsers reach the site by https. */
export function readCsrfCookie(request: Request, secure: boolean): string | undefined {
  return readSecret(request, csrfCookieName(secure))
}

/** The `Set-Cookie` that keeps a session's token, for `maxAgeSeconds`; 0 deletes it. */
export function sessionSetCookie(token: string, maxAgeSeconds: number, secure: boolean): string {
  return serialize(sessionCookie, token, { ...attributes(secure), maxAge: maxAgeSeconds })
}

/** The `Set-Cookie` that keeps a CSRF secret until the browser is closed. */
export function csrfSetCookie(secret: string, secure: boolean): string {
  return serialize(csrfCookieName(secure), secret, attributes(secure))
}

function readSecret(request: Request, name: string): string | undefined {
  const header = request.headers.get('cookie')
  const value = header ? parse(header)[name] : undefined
  return value && /^[0-9a-f]{64}$/.test(value) ? value : undefined
}

function attributes(secure: boolean): { path: '/'; httpOnly: true; sameSite: 'Lax'; secure: boolean } {
  return { path: '/', httpOnly: true, sameSite: 'Lax', secure }
}

function csrfCookieName(secure: boolean): string {
  return secure ? `__Host-${csrfCookie}` : csrfCookie
}
