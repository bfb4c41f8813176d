import { routeFormats } from './route.ts'

/** A route pattern made ready for matching. */
export interface RoutePattern {
  /** As it was written. */
  readonly source: string
  readonly head: readonly Segment[]
  /** What follows the `*`; undefined when the pattern has none. */
  readonly tail: readonly Segment[] | undefined
  /** Matches what {@link matchPattern} does, but for the path `/`. */
  readonly expression: RegExp
}

interface Segment {
  readonly kind: 'literal' | 'parameter' | 'number'
  /** The literal's decoded text, or the parameter's name. */
  readonly text: string
}

/**
 * Makes a pattern such as `/u/:username/bookmarks` ready. A segment is a literal, compared letter by letter; `:name`,
 * which takes exactly one segment and remembers it; `:name{[0-9]+}`, which takes one of decimal digits; or, at most once,
 * `*`, which takes one segment or more, whatever they hold. Formats are no part of a pattern, because they are taken off a path before it is matched.
 *
 * @throws TypeError when the pattern does not have that form
 */
export function compilePattern(source: string): RoutePattern {
  if (!source.startsWith('/') || (source.length > 1 && source.endsWith('/')))
    throw new TypeError(`the route pattern ${source} must begin with a slash and end with none`)
  const segments = source === '/' ? [] : source.slice(1).split('/')
  const star = segments.indexOf('*')
  const head = (star === -1 ? segments : segments.slice(0, star)).map((text) => readSegment(text, source))
  const tail = star === -1 ? undefined : segments.slice(star + 1).map((text) => readSegment(text, source))
  const suffix = routeFormats.find((format) => source.endsWith(`.${format}`))
  if (suffix !== undefined)
    throw new TypeError(
      `the route pattern ${source} must not end in .${suffix}: name the format apart from it`,
    )
  const names = [...head, ...(tail ?? [])].filter((one) => one.kind !== 'literal').map((one) => one.text)
  if (new Set(names).size < names.length)
    throw new TypeError(`the route pattern ${source} names a parameter twice`)
  return { source, head, tail, expression: expressionOf(head, tail) }
}

/**
 * Whether a path matches, as {@link matchPattern} has it, without a look at the values: for the many requests to which
 * they are all the same.
 */
export function fitsPattern({ source, expression }: RoutePattern, path: string): boolean {
  return path === '/' ? source === '/' : expression.test(path)
}

/**
 * The values of the pattern's parameters in `path` (as {@link Route.path}); undefined when the path does not match.
 * Takes time in proportion to the path's length.
 */
export function matchPattern(
  pattern: RoutePattern,
  path: string,
): Readonly<Record<string, string>> | undefined {
  const segments = path === '/' ? [] : path.slice(1).split('/')
  const { head, tail } = pattern
  const fixed = head.length + (tail?.length ?? 0)
  if (tail === undefined ? segments.length !== fixed : segments.length <= fixed) return undefined
  const values: [string, string][] = []
  const fits =
    matchSegments(head, segments, 0, values) &&
    (tail === undefined || matchSegments(tail, segments, segments.length - tail.length, values))
  return fits ? Object.fromEntries(values) : undefined
}

/** A pattern for people to read: `/t/:id` for `/t/:id{[0-9]+}`. */
export function printPattern(source: string): string {
  return source.replaceAll(digitsOnly, '')
}

/** As routers write it. */
const digitsOnly = '{[0-9]+}'

function readSegment(text: string, source: string): Segment {
  if (/^:[a-z][a-z0-9_]*$/.test(text)) return { kind: 'parameter', text: text.slice(1) }
  if (/^:[a-z][a-z0-9_]*\{\[0-9\]\+\}$/.test(text)) {
    return { kind: 'number', text: text.slice(1, -digitsOnly.length) }
  }
  if (text === '' || text === '.' || text === '..' || /[:*{}%\\?#\p{Cc}]/u.test(text))
    throw new TypeError(`the route pattern ${source} holds the segment ${JSON.stringify(text)}`)
  return { kind: 'literal', text }
}

/** One wildcard at most, whose ends are slashes, so that no path makes it go back over more than a segment. */
function expressionOf(head: readonly Segment[], tail: readonly Segment[] | undefined): RegExp {
  const star = tail === undefined ? '' : `/[\\s\\S]*${tail.map(expressionOfSegment).join('')}`
  return new RegExp(`^${head.map(expressionOfSegment).join('')}${star}$`)
}

function expressionOfSegment({ kind, text }: Segment): string {
  if (kind === 'literal') return `/${text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}`
  return kind === 'number' ? '/[0-9]+' : '/[^/]+'
}

function matchSegments(
  expected: readonly Segment[],
  segments: readonly string[],
  offset: number,
  values: [string, string][],
): boolean {
  return expected.every(({ kind, text }, index) => {
    const segment = segments[offset + index] ?? ''
    if (kind === 'literal') return segment === text
    values.push([text, segment])
    return kind === 'number' ? /^[0-9]+$/.test(segment) : segment !== ''
  })
}
