/** What a scope permits, and how it can be narrowed to parameter values (protocol §10.5). */
import { couldBeReadAs, namesInForm, namesInObject } from './lenient-names.ts'
import type { Route, RouteFormat } from './route.ts'
import { compilePattern, matchPattern, type RoutePattern } from './route-pattern.ts'

/** A kind of request. All parts that are given must hold; a part that is absent restricts nothing. */
export interface RouteMatcher {
  /** In capital letters. `GET` includes HEAD. */
  readonly methods?: readonly string[]
  /** Patterns as {@link compilePattern} takes them; one must match, and the first that does decides. */
  readonly paths?: readonly string[]
  readonly formats?: readonly RouteFormat[]
  /** Parameters of query, body or path to which a grant may be narrowed. */
  readonly params?: readonly string[]
  /** Parameters of the path alone to which a grant may be narrowed. A name that is in both lists is one of these. */
  readonly pathParams?: readonly string[]
  /** Other names for parameters, by the name that a grant is narrowed by. */
  readonly aliases?: Readonly<Record<string, ParameterAlias>>
}

/** Another name under which a parameter may come. */
export interface ParameterAlias {
  readonly name: string
  /** What of the value counts: all of it (the default), or its last path segment if that is a number. */
  readonly takes?: 'last_segment_number'
}

/**
 * The values that a grant is narrowed to, by parameter. An empty list leaves its parameter free; null in a list stands
 * for a parameter that is absent.
 */
export type AllowedParameters = Readonly<Record<string, readonly (string | null)[]>>

/** A request, as far as a scope decision looks at it. */
export interface RequestedRoute extends Route {
  readonly query: URLSearchParams
  /**
   * The body's parameters, or `'unread'` for a body that nobody looked into. Absent when there is no body. A grant
   * that is narrowed by an ordinary parameter refuses a request whose body is unread: the body could hold another
   * value than the query, and the application would act on that one.
   */
  readonly body?: URLSearchParams | Readonly<Record<string, unknown>> | 'unread' | undefined
}

/** A matcher whose patterns are ready. */
export interface CompiledMatcher {
  readonly matcher: RouteMatcher
  readonly patterns: readonly RoutePattern[] | undefined
  readonly suffixes: SuffixReading
}

/**
 * What `.json` at the end of a path is where a matcher names no formats. To the protocol's own routes it is a `format`
 * of the same thing (P-341). Of an application's routes that is not known: to most, `report.json` is the `name` of
 * another thing than `report`, and a grant that is narrowed to the one must not permit the other.
 */
export type SuffixReading = 'format' | 'name'

/** Makes a matcher ready. @throws TypeError for a pattern or a method that is not well-formed */
export function compileMatcher(matcher: RouteMatcher, suffixes: SuffixReading = 'format'): CompiledMatcher {
  const odd = matcher.methods?.find((method) => !/^[A-Z]+$/.test(method))
  if (odd !== undefined) throw new TypeError(`the method ${odd} must be written in capital letters`)
  return { matcher, patterns: matcher.paths?.map(compilePattern), suffixes }
}

/** Whether `request` is of the matcher's kind, and within `allowed` where that is not null. */
export function matchRoute(
  compiled: CompiledMatcher,
  request: RequestedRoute,
  allowed: AllowedParameters | null,
): boolean {
  const { matcher, patterns } = compiled
  if (matcher.methods && !permitsMethod(matcher.methods, request.method)) return false
  if (matcher.formats && !(request.format && matcher.formats.includes(request.format))) return false
  if (!patterns) return permitsParameters(matcher, request, {}, allowed)
  // Two patterns may both match a path and name its segments differently. The first decides, as it does in a router:
  // were any within the limits enough, a segment could stand in for the one that the application acts on.
  for (const pattern of patterns) {
    const values = matchPattern(pattern, request.path)
    if (values !== undefined)
      return permitsParameters(
        compiled.matcher,
        request,
        pathValues(compiled, pattern, request, values),
        allowed,
      )
  }
  return false
}

/** The values that `pattern` finds in a path that it matches, as a grant is held against them. */
export function pathValues(
  { matcher, suffixes }: CompiledMatcher,
  { head, tail }: RoutePattern,
  { format }: RequestedRoute,
  found: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (format === undefined || suffixes === 'format' || matcher.formats) return found
  const last = (tail ?? head).at(-1)
  // Of digits too: the application may have a route for `7.json` that its one for digits does not take.
  if (last === undefined || last.kind === 'literal') return found
  return { ...found, [last.text]: `${found[last.text] ?? ''}.${format}` }
}

/** HEAD tells nothing that GET does not, so it is permitted wherever GET is (protocol §19a allows the superset). */
function permitsMethod(methods: readonly string[], method: string): boolean {
  return methods.includes(method) || (method === 'HEAD' && methods.includes('GET'))
}

function permitsParameters(
  matcher: RouteMatcher,
  request: RequestedRoute,
  inPath: Readonly<Record<string, string>>,
  allowed: AllowedParameters | null,
): boolean {
  if (allowed === null) return true
  const { pathParams = [], params = [] } = matcher
  const ordinary = params.filter((name) => !pathParams.includes(name))
  return (
    pathParams.every((name) => permitsParameter(name, matcher, allowed, (key) => own(inPath, key))) &&
    ordinary.every((name) =>
      permitsParameter(name, matcher, allowed, (key) => {
        const alias = aliasOf(name, matcher)
        return sent(key, request, inPath, alias ? [name, alias.name] : [name])
      }),
    )
  )
}

/** `valuesOf` answers with every value that the request gives a parameter; none when it is absent. */
function permitsParameter(
  name: string,
  matcher: RouteMatcher,
  allowed: AllowedParameters,
  valuesOf: (key: string) => readonly unknown[],
): boolean {
  const list = Object.hasOwn(allowed, name) ? (allowed[name] ?? []) : []
  if (list.length === 0) return true
  const alias = aliasOf(name, matcher)
  const named = valuesOf(name)
  const aliased = alias ? valuesOf(alias.name) : []
  if (named.length > 0 && aliased.length > 0) return false
  const values = aliased.length > 0 ? aliased.map((value) => readAlias(value, alias)) : named
  if (values.length === 0) return list.includes(null)
  // Exact in type too: the number 3 is not the text "3", and an array that holds an allowed value is not that value.
  return values.every((value) => list.some((one) => one === value))
}

function aliasOf(name: string, { aliases }: RouteMatcher): ParameterAlias | undefined {
  return aliases && Object.hasOwn(aliases, name) ? aliases[name] : undefined
}

function readAlias(value: unknown, alias: ParameterAlias | undefined): unknown {
  if (alias?.takes !== 'last_segment_number' || typeof value !== 'string') return value
  const last = value.slice(value.lastIndexOf('/') + 1)
  return /^[0-9]+$/.test(last) ? last : undefined
}

/**
 * The path's value wins. Where it has none, all that query and body hold counts, not only what one merge of them would
 * leave: the application behind may merge the other way round. So does what comes by a name that its parser may take
 * for this one, whatever it holds; `names` are those that have a meaning of their own.
 */
function sent(
  key: string,
  request: RequestedRoute,
  inPath: Readonly<Record<string, string>>,
  names: readonly string[],
): readonly unknown[] {
  const byPath = own(inPath, key)
  if (byPath.length > 0) return byPath
  const { query, body } = request
  if (body === 'unread') return [unknownValue]
  const inBody = body instanceof URLSearchParams ? body.getAll(key) : own(body ?? {}, key)
  const values: unknown[] = [...query.getAll(key), ...inBody]
  const inForms = body instanceof URLSearchParams ? namesInForm(body) : namesInObject(body ?? {})
  for (const name of [...namesInForm(query), ...inForms]) {
    if (!names.includes(name) && couldBeReadAs(name, key)) values.push(unknownValue)
  }
  return values
}

/** Equal to nothing that a list can hold. */
const unknownValue: unique symbol = Symbol('a value that is not known, or is made of several')

function own(values: Readonly<Record<string, unknown>>, key: string): readonly unknown[] {
  return Object.hasOwn(values, key) ? [values[key]] : []
}
