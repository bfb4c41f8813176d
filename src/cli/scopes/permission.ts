/** Scopes taken apart into the single kinds of request that they permit, which can be compared and counted. */
import { type CompiledMatcher, compileMatcher, type RouteMatcher } from '../../protocol/route-matcher.ts'
import type { RoutePattern } from '../../protocol/route-pattern.ts'

/** One method on one pattern. */
export interface Permission {
  /** Undefined: any. */
  readonly method: string | undefined
  /** Undefined: every path. */
  readonly pattern: RoutePattern | undefined
  /** Undefined: with any suffix, or none. */
  readonly formats: readonly string[] | undefined
  readonly compiled: CompiledMatcher
}

/** All that these routes permit. */
export function permissionsOf(routes: readonly RouteMatcher[]): readonly Permission[] {
  return routes.flatMap((route) => {
    const { formats } = route
    const only = formats === undefined ? {} : { formats }
    return (route.methods ?? [undefined]).flatMap((method) =>
      (route.paths ?? [undefined]).map((path) => {
        const compiled = compileMatcher({
          ...only,
          ...(method !== undefined && { methods: [method] }),
          ...(path !== undefined && { paths: [path] }),
        })
        return { method, pattern: compiled.patterns?.[0], formats, compiled }
      }),
    )
  })
}

/** `GET /invoices/:id`; `GET of every path`; `every method on /invoices`. */
export function describePermission({ method, pattern, formats }: Permission): string {
  const path = pattern && `${pattern.source}${formats ? `.${formats.join('|')}` : ''}`
  if (path === undefined) return `${method ?? 'every method'} of every path`
  return method === undefined ? `every method of ${path}` : `${method} ${path}`
}

/** Whether all that `smaller` permits, `larger` permits too. */
export function includes(larger: Permission, smaller: Permission): boolean {
  const method =
    larger.method === undefined ||
    larger.method === smaller.method ||
    (larger.method === 'GET' && smaller.method === 'HEAD')
  const formats =
    larger.formats === undefined ||
    smaller.formats?.every((format) => larger.formats?.includes(format)) === true
  return (
    method && formats && (!larger.pattern || (!!smaller.pattern && takesAll(larger.pattern, smaller.pattern)))
  )
}

/** Whether every path that `smaller` takes, `larger` takes too. */
export function takesAll(larger: RoutePattern, smaller: RoutePattern): boolean {
  if (larger.tail === undefined) {
    return (
      smaller.tail === undefined &&
      smaller.head.length === larger.head.length &&
      larger.head.every((segment, index) => takesSegment(segment, smaller.head[index]))
    )
  }
  const [start, end] =
    smaller.tail === undefined ? [smaller.head, smaller.head] : [smaller.head, smaller.tail]
  const shortest = smaller.tail === undefined ? start.length : start.length + end.length + 1
  const { head, tail } = larger
  return (
    shortest > head.length + tail.length &&
    head.every((segment, index) => takesSegment(segment, start[index])) &&
    tail.every((segment, index) => takesSegment(segment, end[end.length - tail.length + index]))
  )
}

type Segment = RoutePattern['head'][number]

/** What a `*` takes may be any segment: it is undefined here, and a parameter alone takes it. */
function takesSegment(larger: Segment, smaller: Segment | undefined): boolean {
  switch (larger.kind) {
    case 'parameter':
      return true
    case 'number':
      return smaller?.kind === 'number' || (smaller?.kind === 'literal' && /^[0-9]+$/.test(smaller.text))
    case 'literal':
      return smaller?.kind === 'literal' && smaller.text === larger.text
  }
}
