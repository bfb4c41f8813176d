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

/** Whether a `name=value` of a Cookie header is one of Hallpass's, which is nobody else's to see. */
export function holdsOwnSecret(pair: string): boolean {
  const cookies = parse(pair)
  const names = Object.keys(cookies)
  if (names.some((name) => name === csrfCookieName(true) || name === csrfCookieName(false))) return true
  // The session's name is in use elsewhere too; another program's has another form.
  return isSecret(cookies[sessionCookie])
}

/**
 * Whether a Set-Cookie header would give the browser a session or a CSRF secret of Hallpass's. A cookie without a name is
 * sent back as its value alone (RFC 6265bis §5.8.3): `=_t=x` comes as `_t=x`.
 */
export function isOwnSetCookie(header: string): boolean {
  const pair = header.split(';', 1)[0] ?? ''
  return holdsOwnSecret(pair.replace(/^[\s=]+/, ''))
}

function readSecret(request: Request, name: string): string | undefined {
  const header = request.headers.get('cookie')
  const value = header ? parse(header, name)[name] : undefined
  return isSecret(value) ? value : undefined
}

function isSecret(value: string | undefined): value is string {
  return value !== undefined && /^[0-9a-f]{64}$/.test(value)
}

function attributes(secure: boolean): { path: '/'; httpOnly: true; sameSite: 'Lax'; secure: boolean } {
  return { path: '/', httpOnly: true, sameSite: 'Lax', secure }
}

function csrfCookieName(secure: boolean): string {
  return secure ? `__Host-${csrfCookie}` : csrfCookie
}
