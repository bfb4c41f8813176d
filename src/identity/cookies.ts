import { parse, serialize } from 'hono/utils/cookie'

/** The session cookie. Clients that sign in with a one-time password look for this name. */
const sessionCookie = '_t'

/** The cookie that a CSRF token is made from. On https its prefix keeps neighbouring hosts from setting it. */
const csrfCookie = '_hallpass_csrf'

/** What the request's cookies hold; undefined where there is none, or none of the right form. */
export function readCookies(request: Request): { readonly session?: string; readonly csrf?: string } {
  const header = request.headers.get('cookie')
  if (!header) return {}
  const cookies = parse(header)
  const session = cookies[sessionCookie]
  const csrf = cookies[csrfCookieName(isSecure(request))]
  return {
    ...(session && secretForm.test(session) ? { session } : {}),
    ...(csrf && secretForm.test(csrf) ? { csrf } : {}),
  }
}

/** The `Set-Cookie` that keeps a session's token, for `maxAgeSeconds`; 0 deletes it. */
export function sessionSetCookie(request: Request, token: string, maxAgeSeconds: number): string {
  return serialize(sessionCookie, token, { ...attributes(request), maxAge: maxAgeSeconds })
}

/** The `Set-Cookie` that keeps a CSRF secret until the browser is closed. */
export function csrfSetCookie(request: Request, secret: string): string {
  return serialize(csrfCookieName(isSecure(request)), secret, attributes(request))
}

const secretForm = /^[0-9a-f]{64}$/

function attributes(request: Request): { path: '/'; httpOnly: true; sameSite: 'Lax'; secure: boolean } {
  return { path: '/', httpOnly: true, sameSite: 'Lax', secure: isSecure(request) }
}

function csrfCookieName(secure: boolean): string {
  return secure ? `__Host-${csrfCookie}` : csrfCookie
}

function isSecure(request: Request): boolean {
  return request.url.startsWith('https:')
}
