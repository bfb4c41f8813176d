import type { CompiledMatcher, RequestedRoute, RouteMatcher } from '../../protocol/route-matcher.ts'
import { compileMatcher, matchRoute } from '../../protocol/route-matcher.ts'
import type { RoutePattern } from '../../protocol/route-pattern.ts'
import { editDistance } from '../edit-distance.ts'

/** The one thing that keeps a route from taking a request: its method, its format, or one segment of its path. */
export function nearMiss(
  { matcher, patterns = [] }: CompiledMatcher,
  request: RequestedRoute,
): string | undefined {
  const { methods, formats, ...rest } = matcher
  const takes = (route: RouteMatcher): boolean => matchRoute(compileMatcher(route), request, null)
  if (methods && takes({ ...rest, ...(formats && { formats }) })) {
    return `takes ${methods.join(', ')}, not ${request.method}`
  }
  if (formats && takes({ ...rest, ...(methods && { methods }) })) {
    const given = request.format === undefined ? 'no suffix' : `.${request.format}`
    return `takes the path with .${formats.join(' or .')}, not with ${given}`
  }
  if (!takes({ ...(methods && { methods }), ...(formats && { formats }) })) return undefined
  return patterns.map((pattern) => segmentMiss(pattern, request.path)).find((miss) => miss !== undefined)
}

/** Where a path has as many segments as the pattern, and one of them is another. */
function segmentMiss({ head, tail, source }: RoutePattern, path: string): string | undefined {
  const segments = path === '/' ? [] : path.slice(1).split('/')
  if (tail !== undefined || head.length < 2 || segments.length !== head.length) return undefined
  const [miss, another] = head.flatMap(({ kind, text }, index) => {
    const given = segments[index] ?? ''
    if (kind === 'literal' && given !== text) {
      return [isLike(text, given) ? `${text} where the path has ${given}` : undefined]
    }
    if (kind === 'number' && !/^[0-9]+$/.test(given)) return [`digits where the path has ${given}`]
    return []
  })
  return another === undefined && miss !== undefined ? `takes ${source}: ${miss}` : undefined
}

/** A slip of the fingers, a plural, a capital letter. */
function isLike(text: string, given: string): boolean {
  const letters = editDistance(text.toLowerCase(), given.toLowerCase())
  return letters <= 2 && letters * 2 < text.length
}
