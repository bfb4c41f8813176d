import { type Refusal, refusal } from './errors.ts'

/** The suffixes that name a response format; whatever else follows a path's last dot is part of its name. */
export const routeFormats = ['json', 'rss', 'ics', 'html'] as const

/** A response format that a path may name with a suffix. */
export type RouteFormat = (typeof routeFormats)[number]

/** What a request asks for, in the one form that both the router and the scope decision go by. */
export interface Route {
  /** In capital letters. */
  readonly method: string
  /** Begins with a slash, ends with none (but for `/`), percent-decoded, without the format's suffix. */
  readonly path: string
  /** The format that the path's suffix names; undefined when it names none. */
  readonly format: RouteFormat | undefined
  /** The path as it was sent. */
  readonly rawPath: string
}

/**
 * Brings a request's method and raw path (percent-encoded, without query) into the one form that decisions are made
 * on, or refuses a path that two programs could read differently: a decision about one reading would then be enforced
 * by a program that acts on the other. Reason: `path_ambiguous`.
 */
export function normalizeRoute(
  method: string,
  rawPathname: string,
):
  | { readonly outcome: 'route'; readonly route: Route }
  | { readonly outcome: 'ambiguous'; readonly refusal: Refusal } {
  const path = decodePath(rawPathname)
  if ('problem' in path) {
    return { outcome: 'ambiguous', refusal: refusal('path_ambiguous', { problem: path.problem }) }
  }
  const { decoded } = path
  const withoutSlash = decoded.length > 1 && decoded.endsWith('/') ? decoded.slice(0, -1) : decoded
  const format = formatOf(withoutSlash)
  return {
    outcome: 'route',
    route: {
      method: upperCase(method),
      path: format === undefined ? withoutSlash : withoutSlash.slice(0, -format.length - 1),
      format,
      rawPath: rawPathname,
    },
  }
}

/** Unicode's upper case turns some other letters into ASCII ones (`ſ` into `S`); a method with those stays unknown. */
function upperCase(method: string): string {
  return /[a-z]/.test(method) ? method.replace(/[a-z]/g, (letter) => letter.toUpperCase()) : method
}

/**
 * A path that every program reads in one way, as nearly all do: no character in it is encoded or has a meaning of its
 * own, and no segment is empty or begins with a dot. What it does not take is looked at closely.
 */
const plainPath = /^(?:\/[\w~!$&'()*+,=:@-][\w.~!$&'()*+,=:@-]*)+\/?$/

/** Whether a path is one that every program reads in the same way, character by character. */
export function isPlainPath(raw: string): boolean {
  return plainPath.test(raw)
}

function decodePath(raw: string): { readonly decoded: string } | { readonly problem: string } {
  return plainPath.test(raw) ? { decoded: raw } : decodeUnusual(raw)
}

function decodeUnusual(raw: string): { readonly decoded: string } | { readonly problem: string } {
  if (!raw.startsWith('/')) return { problem: 'it does not begin with a slash' }
  if (/[?#]/.test(raw)) return { problem: 'it holds a query or a fragment' }
  if (raw.includes(' '))
    return { problem: 'it holds a space that is not encoded, which some programs cut off' }
  if (/%2f/i.test(raw)) return { problem: 'it holds an encoded slash' }
  let decoded: string
  try {
    decoded = decodeURIComponent(raw)
  } catch {
    return { problem: 'its percent-encoding is not valid UTF-8' }
  }
  if (!decoded.isWellFormed()) return { problem: 'it holds half of a surrogate pair' }
  if (/\p{Cc}/u.test(decoded)) return { problem: 'it holds a control character' }
  if (decoded.includes('\\')) return { problem: 'it holds a backslash' }
  if (/%[0-9a-f]{2}/i.test(decoded)) return { problem: 'it is percent-encoded twice' }
  const segments = decoded.slice(1).split('/')
  // Some servers drop what follows a semicolon before they resolve dot segments: `/a/..;/b` is `/b` to them.
  const bare = segments.map((segment) => segment.replace(/;.*$/s, ''))
  if (bare.some((segment) => segment === '.' || segment === '..'))
    return { problem: 'it holds a dot segment' }
  const last = segments.length - 1
  if (bare.some((segment, index) => segment === '' && !(index === last && segments[index] === '')))
    return { problem: 'it holds an empty segment' }
  return { decoded }
}

/** A name that is nothing but the suffix, such as `/.json`, is a name. */
function formatOf(path: string): RouteFormat | undefined {
  const dot = path.lastIndexOf('.')
  if (dot < 1 || path[dot - 1] === '/') return undefined
  const suffix = path.slice(dot + 1)
  return routeFormats.find((one) => one === suffix)
}
