/**
 * Where a key may be sent (protocol §13.1).
 *
 * Addresses are taken apart by RFC 3986 and compared as they were written. The WHATWG `URL` is not used on purpose: it
 * normalises while it parses (adds a slash to an empty path, drops default ports, resolves dot segments, turns
 * backslashes into slashes, decodes hosts), so that what was compared would not be what the browser is sent to, and
 * an empty path, which the protocol keeps apart from `/`, could not be told from it.
 */
import { type Refusal, refusal } from './errors.ts'
import { matchWildcard } from './wildcard.ts'

/** An absolute address in its parts, as written. A part that is absent, unlike one that is empty, is undefined. */
export interface AuthRedirect {
  readonly text: string
  readonly scheme: string
  readonly userinfo: string | undefined
  /** With the brackets of an IPv6 address. Never empty. */
  readonly host: string
  /** Decimal digits, possibly none (`http://host:/`). */
  readonly port: string | undefined
  /** Empty, or begins with a slash. */
  readonly path: string
  /** Without its question mark. */
  readonly query: string | undefined
  /** Without its number sign. */
  readonly fragment: string | undefined
}

/** Takes an address apart, or says why a browser must not be sent to it. Reason: `auth_redirect_invalid`. */
export function parseAuthRedirect(
  text: string,
):
  | { readonly outcome: 'parsed'; readonly redirect: AuthRedirect }
  | { readonly outcome: 'refused'; readonly refusal: Refusal } {
  const parsed = splitAddress(text)
  return typeof parsed === 'string'
    ? { outcome: 'refused', refusal: refusal('auth_redirect_invalid', { problem: parsed }) }
    : { outcome: 'parsed', redirect: parsed }
}

/**
 * Decides whether the setting `allowed_user_api_auth_redirects` lets a key go to `candidate`; `entry` is the item of
 * the list that does. Entries that are themselves no address permit nothing.
 * Reasons: `auth_redirect_invalid`, `auth_redirect_not_allowed` (its detail `entry` is what to add to the list).
 */
export function matchAuthRedirect(
  candidate: string,
  allowList: readonly string[],
):
  | { readonly outcome: 'allowed'; readonly entry: string }
  | { readonly outcome: 'refused'; readonly refusal: Refusal } {
  const parsed = parseAuthRedirect(candidate)
  if (parsed.outcome === 'refused') return parsed
  // No host is called that, and the entry that we would propose for it would permit others.
  if (parsed.redirect.host.includes('*')) {
    return {
      outcome: 'refused',
      refusal: refusal('auth_redirect_invalid', { problem: 'its host holds a wildcard' }),
    }
  }
  const entry = allowList.find((item) => permits(item, parsed.redirect))
  if (entry !== undefined) return { outcome: 'allowed', entry }
  return {
    outcome: 'refused',
    refusal: refusal('auth_redirect_not_allowed', {
      auth_redirect: candidate,
      entry: entryFor(parsed.redirect),
    }),
  }
}

/** What is wrong with `text` as an entry of the allow-list; undefined when nothing is. */
export function validateRedirectPattern(text: string): string | undefined {
  if (text === anyAddress || text === loopback) return undefined
  if (text.includes('|')) return 'it holds `|`, which separates the entries of the list'
  const parsed = splitAddress(text)
  return typeof parsed === 'string' ? parsed : undefined
}

const anyAddress = '*'
const loopback = 'loopback'

/** Schemes that run code, or show what is on the user's own machine, instead of going somewhere. */
const dangerousSchemes = ['javascript', 'data', 'vbscript', 'blob', 'file', 'about']

const defaultPorts: Readonly<Record<string, number>> = { http: 80, https: 443, ws: 80, wss: 443, ftp: 21 }

/** RFC 3986 §3.2.2 asks for names that DNS can hold: 255 bytes at most. */
const longestHost = 255

const schemeForm = /^[a-z][a-z0-9+.-]*$/i
const userinfoForm = /^(?:[a-z0-9._~!$&'()*+,;=:-]|%[0-9a-f]{2})*$/i
const nameForm = /^[a-z0-9._~!$&'()*+,;=-]+$/i
const ipv6Form = /^\[[0-9a-f.]*:[0-9a-f:.]*:[0-9a-f:.]*\]$/i
const pathForm = /^(?:\/(?:[a-z0-9._~!$&'()*+,;=:@-]|%[0-9a-f]{2})*)*$/i
const fragmentForm = /^(?:[a-z0-9._~!$&'()*+,;=:@/?-]|%[0-9a-f]{2})*$/i

/** RFC 3986 §3, appendix B; answers with the problem as a string. */
function splitAddress(text: string): AuthRedirect | string {
  const unfit = unfitCharacter(text)
  if (unfit !== undefined) return unfit
  const colon = text.indexOf(':')
  const scheme = text.slice(0, Math.max(colon, 0))
  if (!schemeForm.test(scheme)) return 'it has no scheme, such as https:'
  if (dangerousSchemes.includes(scheme.toLowerCase()))
    return `a browser is never sent to ${scheme}: addresses`
  if (!text.startsWith('//', colon + 1)) return 'it has no host'

  const [beforeFragment, fragment] = cut(text.slice(colon + 3), '#')
  const [beforeQuery, query] = cut(beforeFragment, '?')
  const slash = beforeQuery.indexOf('/')
  const authority = slash === -1 ? beforeQuery : beforeQuery.slice(0, slash)
  const path = slash === -1 ? '' : beforeQuery.slice(slash)
  const parts = splitAuthority(authority)
  if (typeof parts === 'string') return parts

  if (!pathForm.test(path)) return 'its path holds a character that must be percent-encoded'
  if (holdsDotSegment(path)) return 'its path holds a dot segment, which browsers resolve to another path'
  if (fragment !== undefined && !fragmentForm.test(fragment))
    return 'its fragment holds a character that must be percent-encoded'
  return { text, scheme, ...parts, path, query, fragment }
}

function splitAuthority(authority: string): Pick<AuthRedirect, 'userinfo' | 'host' | 'port'> | string {
  const at = authority.lastIndexOf('@')
  const userinfo = at === -1 ? undefined : authority.slice(0, at)
  // RFC 3986 gives userinfo no `@`: with two of them, readers differ about where the host begins.
  if (userinfo !== undefined && !userinfoForm.test(userinfo)) return 'its part before `@` is not well-formed'
  const hostAndPort = authority.slice(at + 1)
  const hostEnd = hostAndPort.startsWith('[') ? hostAndPort.indexOf(']') + 1 : hostAndPort.indexOf(':')
  const host = hostEnd === -1 ? hostAndPort : hostAndPort.slice(0, hostEnd)
  const rest = hostEnd === -1 ? '' : hostAndPort.slice(hostEnd)
  if (host === '' && !hostAndPort.startsWith('[')) return 'it has no host'
  if (host.length > longestHost) return `its host is longer than ${longestHost} characters`
  // RFC 3986 lets a host hold percent-encoding. Browsers decode it, so the name would not be the one compared.
  if (!(host.startsWith('[') ? ipv6Form : nameForm).test(host)) return 'its host is not well-formed'
  if (rest === '') return { userinfo, host, port: undefined }
  const port = rest.slice(1)
  if (!/^:[0-9]*$/.test(rest) || Number(port) > 65_535) return 'its port is not a number from 0 to 65535'
  return { userinfo, host, port }
}

function unfitCharacter(text: string): string | undefined {
  for (const character of text) {
    if (character <= ' ' || character === '\x7f') return 'it holds white space or a control character'
    // Browsers read a backslash as a slash, and so another host.
    if (character === '\\') return 'it holds a backslash'
    if (character > '\x7f')
      return 'it holds a character outside ASCII: percent-encode it, or in a host write its xn-- form'
  }
  return undefined
}

function holdsDotSegment(path: string): boolean {
  return path.split('/').some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment))
}

/** Splits at the first `mark`; the second part is undefined when there is none. */
function cut(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark)
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

function permits(entry: string, candidate: AuthRedirect): boolean {
  if (entry === anyAddress) return true
  if (entry === loopback) return isLoopback(candidate)
  const pattern = splitAddress(entry)
  if (typeof pattern === 'string') return false
  return (
    pattern.scheme.toLowerCase() === candidate.scheme.toLowerCase() &&
    effectivePort(pattern) === effectivePort(candidate) &&
    pattern.userinfo?.toLowerCase() === candidate.userinfo?.toLowerCase() &&
    matchHost(pattern.host.toLowerCase(), candidate.host.toLowerCase()) &&
    matchWildcard(pathAndQuery(pattern), pathAndQuery(candidate)) &&
    matchFragment(pattern.fragment, candidate.fragment)
  )
}

/** RFC 8252 §7.3: the port is the app's own choice at run time. A user name or a fragment has no business there. */
function isLoopback(candidate: AuthRedirect): boolean {
  return (
    candidate.scheme.toLowerCase() === 'http' &&
    ['127.0.0.1', '[::1]', 'localhost'].includes(candidate.host.toLowerCase()) &&
    candidate.userinfo === undefined &&
    candidate.fragment === undefined
  )
}

function effectivePort(address: AuthRedirect): number | undefined {
  return address.port ? Number(address.port) : defaultPorts[address.scheme.toLowerCase()]
}

/** `*.example.com` stands for names of one or more labels under example.com; any other `*` for a run inside the host. */
function matchHost(pattern: string, host: string): boolean {
  if (!pattern.startsWith('*.')) return matchWildcard(pattern, host, isHostRun)
  // Each dot may be where the labels end and the rest begins. A host is short, so trying them all is cheap.
  for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
    if (areLabels(host.slice(0, dot)) && matchWildcard(pattern.slice(2), host.slice(dot + 1), isHostRun))
      return true
  }
  return false
}

function isHostRun(run: string): boolean {
  return /^[a-z0-9.-]*$/.test(run)
}

function areLabels(text: string): boolean {
  return text.split('.').every((label) => /^[a-z0-9-]+$/.test(label))
}

function pathAndQuery(address: AuthRedirect): string {
  return (address.path + (address.query === undefined ? '' : `?${address.query}`)).toLowerCase()
}

function matchFragment(pattern: string | undefined, fragment: string | undefined): boolean {
  if (pattern === undefined || fragment === undefined) return pattern === fragment
  return matchWildcard(pattern.toLowerCase(), fragment.toLowerCase())
}

/** What an administrator would add: as narrow as can be, but not bound to a query, which often changes per request. */
function entryFor(candidate: AuthRedirect): string {
  if (isLoopback(candidate)) return loopback
  const end = candidate.text.search(/[?#]/)
  const base = end === -1 ? candidate.text : candidate.text.slice(0, end)
  const query = candidate.query === undefined ? '' : '?*'
  return base + query + (candidate.fragment === undefined ? '' : `#${candidate.fragment}`)
}
