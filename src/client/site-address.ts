import { clientError } from './client-errors.ts'

/**
 * The base address of a site, without a slash at its end, from what a person types: `forum.example.com`,
 * `localhost:4000`, or any address of the site's authorization page. Without a scheme it is https, and http for this
 * machine. Reason: `site_address_invalid`.
 */
export function siteAddress(text: string): string {
  const typed = text.trim()
  const refuse = (problem: string): never => {
    throw clientError('site_address_invalid', { site: typed, problem })
  }
  if (typed === '') return refuse('it is empty')
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(typed) ? typed : `${impliedScheme(typed)}://${typed}`
  if (!URL.canParse(withScheme)) return refuse('it cannot be read as an address')
  const url = new URL(withScheme)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return refuse(`it begins with ${url.protocol}// where https:// or http:// is needed`)
  }
  if (url.username || url.password) return refuse('it holds a user name or a password')
  return url.origin + withoutSlash(url.pathname.replace(/\/user-api-key(\/new(\.json)?)?\/?$/, ''))
}

/** Whether `url` belongs to the site: the same origin, and inside the site's folder if it has one. */
export function isWithinSite(url: URL, site: string): boolean {
  const base = new URL(site)
  const folder = withoutSlash(base.pathname)
  return url.origin === base.origin && (url.pathname === folder || url.pathname.startsWith(`${folder}/`))
}

function impliedScheme(address: string): 'http' | 'https' {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:|\/|$)/i.test(address) ? 'http' : 'https'
}

function withoutSlash(path: string): string {
  return path.replace(/\/+$/, '')
}
