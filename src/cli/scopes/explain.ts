import { createApiKeyScopeCatalogue } from '../../protocol/api-key-scopes.ts'
import { HallpassError } from '../../protocol/errors.ts'
import { normalizeRoute } from '../../protocol/route.ts'
import {
  type CompiledMatcher,
  matchRoute,
  pathValues,
  type RequestedRoute,
} from '../../protocol/route-matcher.ts'
import { matchPattern } from '../../protocol/route-pattern.ts'
import { createScopeCatalogue, isSelfRevocation } from '../../protocol/scopes.ts'
import { usageError } from '../failure.ts'
import { loadConfig } from '../load-config.ts'
import { say } from '../terminal.ts'
import { nearMiss } from './near-miss.ts'

interface ExplainFlags {
  readonly config?: string
  readonly param?: readonly string[]
}

/** `hallpass scopes explain`. @throws HallpassError `path_ambiguous` for a path that can be read in two ways */
export async function explainRequest(method: string, address: string, flags: ExplainFlags): Promise<void> {
  const config = await loadConfig(flags.config)
  const request = readRequest(method, address, flags.param ?? [])
  const users = createScopeCatalogue(config.scopes)
  const apiKeys = createApiKeyScopeCatalogue(config.apiKeyScopes)
  const forUsers = users.all.map(({ name }) => judge(name, users.routesOf(name), request))
  const forApiKeys = apiKeys.all.map(({ id, routes }) => judge(id, routes, request))
  say(describeRequest(request, address))
  if (isSelfRevocation(request, undefined, 0)) say('every key may do this: it revokes itself')
  sayJudgements('users’ keys', forUsers)
  sayJudgements('API keys', forApiKeys)
  if (![...forUsers, ...forApiKeys].some(({ permits }) => permits !== undefined)) process.exitCode = 1
}

interface Judgement {
  readonly name: string
  /** Why it permits the request; undefined where it does not. */
  readonly permits: string | undefined
  /** What keeps it from permitting the request, where that is one thing. */
  readonly misses: string | undefined
}

function judge(name: string, routes: readonly CompiledMatcher[], request: RequestedRoute): Judgement {
  const route = routes.find((one) => matchRoute(one, request, null))
  if (route) return { name, permits: describeMatch(route, request), misses: undefined }
  const misses = routes.map((one) => nearMiss(one, request)).find((miss) => miss !== undefined)
  return { name, permits: undefined, misses }
}

function sayJudgements(whose: string, judgements: readonly Judgement[]): void {
  const permitting = judgements.flatMap(({ name, permits }) =>
    permits === undefined ? [] : [[name, permits]],
  )
  const near = judgements.flatMap(({ name, misses }) => (misses === undefined ? [] : [[name, misses]]))
  const width = Math.max(0, ...[...permitting, ...near].map(([name = '']) => name.length))
  const sayRows = (rows: readonly string[][]): void => {
    for (const [name = '', why] of rows) say(`  ${name.padEnd(width)}  ${why}`)
  }
  say('')
  say(permitting.length > 0 ? `${whose}: permitted by` : `${whose}: no scope permits it`)
  // The broad ones last: the narrowest is the one to give.
  sayRows(permitting.sort(([, one = ''], [, other = '']) => Number(isBroad(one)) - Number(isBroad(other))))
  if (near.length === 0) return
  say(`${whose}: nearly permitted by`)
  sayRows(near)
}

function isBroad(why: string): boolean {
  return why.endsWith(everyPath)
}

const everyPath = 'of every path'

/** `GET /invoices/:id; a key may be narrowed to id=7`. */
function describeMatch(compiled: CompiledMatcher, request: RequestedRoute): string {
  const { matcher, patterns } = compiled
  const methods = matcher.methods?.join(', ') ?? 'every method'
  const pattern = patterns?.find((one) => matchPattern(one, request.path) !== undefined)
  if (!pattern) return `${methods} ${everyPath}`
  const inPath = pathValues(compiled, pattern, request, matchPattern(pattern, request.path) ?? {})
  const format = matcher.formats ? `, as .${matcher.formats.join(' or .')}` : ''
  const narrowing = [...new Set([...(matcher.pathParams ?? []), ...(matcher.params ?? [])])].map((name) => {
    const values = Object.hasOwn(inPath, name)
      ? [inPath[name]]
      : matcher.pathParams?.includes(name)
        ? []
        : request.query.getAll(name)
    return values.length === 0
      ? `${name} (absent here)`
      : values.map((value) => `${name}=${value}`).join(' and ')
  })
  const narrowed = narrowing.length === 0 ? '' : `; a key may be narrowed to ${narrowing.join(', ')}`
  return `${methods} ${pattern.source}${format}${narrowed}`
}

function describeRequest({ method, path, format }: RequestedRoute, typed: string): string {
  const read = `${method} ${path}${format === undefined ? '' : ` as .${format}`}`
  return typed === path ? read : `${read}, from ${typed.replace(/\?.*$/s, '')}`
}

function readRequest(method: string, address: string, parameters: readonly string[]): RequestedRoute {
  if (!/^[A-Za-z]+$/.test(method)) throw usageError(`${method} is no method. write it as GET`)
  const [, path = '', search = ''] =
    /^([^?#]*)(?:\?([^#]*))?/.exec(address.replace(/^https?:\/\/[^/]+/i, '')) ?? []
  const query = new URLSearchParams(search)
  for (const parameter of parameters) {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(parameter) ?? []
    if (name === undefined || value === undefined)
      throw usageError(`--param takes name=value, not ${parameter}`)
    query.append(name, value)
  }
  const normalized = normalizeRoute(method, path)
  if (normalized.outcome === 'route') return { ...normalized.route, query }
  const { reason, message, remedy } = normalized.refusal
  throw new HallpassError(reason, `no key may send this: ${message}`, remedy)
}
