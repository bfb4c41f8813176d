/** Scopes out of an OpenAPI document: for each tag one that reads and one that writes. */
import type { RouteMatcher } from '../../protocol/route-matcher.ts'
import type { OwnScope } from '../../protocol/scopes.ts'
import type { OpenApiDocument, Operation } from './openapi-document.ts'
import { translatePath } from './path-template.ts'

/**
 * `<app>:<tag>_read` for GET, `<app>:<tag>_write` for the methods that change things. An app that changes things usually
 * reads them too and asks for both; so that users see what they give, neither contains the other.
 *
 * `app`: what the names begin with. Default: made from the document's title.
 */
export function proposeScopes(
  document: OpenApiDocument,
  app?: string,
): { readonly scopes: readonly OwnScope[]; readonly warnings: readonly string[] } {
  const prefix = app ?? appName(document.title)
  const warnings = [...document.warnings]
  const groups = new Map<string, Group>()
  for (const operation of document.operations) {
    const title = operation.tag ?? firstWord(operation.templates[0] ?? '')
    const verb = operation.method === 'GET' || operation.method === 'HEAD' ? 'read' : 'write'
    const name = `${prefix}:${slug(title, 'root').slice(0, longestTag)}_${verb}`
    const group = groups.get(name) ?? { title, verb, routes: [], summaries: new Set(), methods: new Set() }
    const routes = routesOf(operation, warnings)
    if (routes.length === 0) continue
    group.routes.push(...routes)
    group.methods.add(operation.method)
    group.summaries.add(oneLine(operation.summary ?? `${operation.method} ${operation.templates[0]}`))
    groups.set(name, group)
  }
  const scopes = [...groups].map(([name, group]) => ({
    name,
    label: labelOf(group),
    description: describe([...group.summaries]),
    routes: mergeRoutes(group.routes),
  }))
  return { scopes, warnings }
}

interface Group {
  /** The tag as it is written. */
  readonly title: string
  readonly verb: 'read' | 'write'
  readonly routes: SingleRoute[]
  readonly summaries: Set<string>
  readonly methods: Set<string>
}

/** One method on one pattern. */
interface SingleRoute {
  readonly method: string
  readonly pattern: string
  readonly format: RouteMatcher['formats']
  readonly pathParams: readonly string[]
  readonly params: readonly string[]
}

function routesOf(operation: Operation, warnings: string[]): readonly SingleRoute[] {
  const { method, templates, parameters } = operation
  return templates.flatMap((template) => {
    const path = translatePath(template, parameters)
    if (typeof path === 'string') {
      warnings.push(`${method} ${template} is left out: ${path}`)
      return []
    }
    if (path.warning !== undefined) warnings.push(`${method} ${template}: ${path.warning}`)
    // What has a body could hold the parameter there too, and a key that is narrowed by it would be refused.
    const hasNoBody = method === 'GET' || method === 'HEAD'
    const inQuery = parameters.filter((one) => hasNoBody && one.in === 'query' && narrows(one))
    const params = inQuery.map(({ name }) => name)
    return [
      {
        method,
        pattern: path.pattern,
        format: path.format && [path.format],
        pathParams: path.names,
        params: params.filter((name) => !path.names.includes(name)),
      },
    ]
  })
}

/** Whose key would be narrowed to a page number? To a customer, perhaps. */
function narrows({ name, isRequired }: { readonly name: string; readonly isRequired: boolean }): boolean {
  return isRequired || /(?:^|_|-)id$|Id$/.test(name)
}

/** Routes that differ in one thing become one: first the methods of a pattern, then the patterns. */
function mergeRoutes(routes: readonly SingleRoute[]): readonly RouteMatcher[] {
  const byPattern = new Map<string, SingleRoute[]>()
  for (const route of routes) {
    const key = JSON.stringify([route.pattern, route.format, route.pathParams, route.params])
    byPattern.set(key, [...(byPattern.get(key) ?? []), route])
  }
  const merged = new Map<
    string,
    { methods: readonly string[]; paths: string[]; like: SingleRoute; pathParams: Set<string> }
  >()
  for (const [first, ...others] of byPattern.values()) {
    if (!first) continue
    const methods = [...new Set([first, ...others].map(({ method }) => method))]
    const key = JSON.stringify([methods, first.format, first.params])
    const entry = merged.get(key) ?? { methods, paths: [], like: first, pathParams: new Set() }
    if (!entry.paths.includes(first.pattern)) entry.paths.push(first.pattern)
    for (const name of first.pathParams) entry.pathParams.add(name)
    merged.set(key, entry)
  }
  return [...merged.values()].map(({ methods, paths, like, pathParams }) => ({
    methods,
    // The first that fits decides: literals come before parameters.
    paths: paths.sort((one, other) => variability(one) - variability(other)),
    ...(like.format && { formats: like.format }),
    ...(like.params.length > 0 && { params: like.params }),
    ...(pathParams.size > 0 && { pathParams: [...pathParams] }),
  }))
}

function variability(pattern: string): number {
  return (pattern.match(/\/[:*]/g) ?? []).length + (pattern.includes('*') ? 100 : 0)
}

function labelOf({ title, verb, methods }: Group): string {
  const what = oneLine(title).replace(/^\p{Lu}(?=\p{Ll})/u, (letter) => letter.toLowerCase()) || 'things'
  if (verb === 'read') return `Read ${what}`
  const verbs = [
    ...(methods.has('POST') ? ['create'] : []),
    ...(methods.has('PUT') || methods.has('PATCH') ? ['change'] : []),
    ...(methods.has('DELETE') ? ['delete'] : []),
  ]
  const last = verbs.pop() ?? 'change'
  const phrase = verbs.length === 0 ? last : `${verbs.join(', ')} and ${last}`
  return `${phrase.charAt(0).toUpperCase()}${phrase.slice(1)} ${what}`
}

function describe(summaries: readonly string[]): string {
  const shown = summaries.slice(0, 8)
  const more = summaries.length > shown.length ? `; and ${summaries.length - shown.length} more` : ''
  return `${shown.map((text) => text.replace(/[.;]+$/, '')).join('; ')}${more}.`
}

/** People read it on a page and in a terminal: no line breaks, and no end. */
function oneLine(text: string): string {
  const line = text
    .toWellFormed()
    .replace(/[\s\p{C}]+/gu, ' ')
    .trim()
  return [...line].length > longestText ? `${[...line].slice(0, longestText).join('')}…` : line
}

const longestText = 120
const longestTag = 60

/** Without the words that every such title has. */
function appName(title: string): string {
  const words = slug(title, 'app')
    .split('-')
    .filter((word) => !/^(?:api|apis|open|openapi|rest|restful|swagger|the|v?[0-9]+)$/.test(word))
  return words.slice(0, 3).join('-').slice(0, 30) || 'app'
}

function slug(text: string, otherwise: string): string {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '')
  const words = plain.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()
  return words.replace(/[^a-z0-9_]+/g, '-').replace(/^[-_]+|[-_]+$/g, '') || otherwise
}

function firstWord(template: string): string {
  return (
    template
      .split('/')
      .find((segment) => segment !== '' && !/[{}]/.test(segment) && !/^v[0-9]+$|^api$/.test(segment)) ?? ''
  )
}
