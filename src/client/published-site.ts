import { discoveryPaths } from '../protocol/discovery.ts'
import { isObject, readJsonObject, send } from './http.ts'
import { basicInfoOf, type DiscoverOptions, type Site, type SiteScope, signalOf } from './site.ts'

/**
 * What the site at `site`, an address without a slash at its end, publishes about itself (docs/discovery.md); undefined
 * when it publishes nothing, cannot be reached, or what it says is about another address. When `signal` was aborted, the
 * signal's own reason is thrown.
 */
export async function readPublishedSite(
  site: string,
  options: DiscoverOptions = {},
): Promise<Site | undefined> {
  const url = site + discoveryPaths.hallpass
  // Most sites have none: whatever is wrong with it, the probe is the one to tell.
  const timeoutMs = Math.min(options.timeoutMs ?? 10_000, 10_000)
  const init: RequestInit = {
    headers: { Accept: 'application/json' },
    redirect: 'follow',
    credentials: 'omit',
    ...signalOf(options),
  }
  let answer: Response
  let body: Record<string, unknown> | undefined
  try {
    answer = await send(url, init, { ...options, timeoutMs })
    const isJson = /[/+]json\b/.test(answer.headers.get('content-type') ?? '')
    if (answer.ok && isJson) body = await readJsonObject(answer)
    else await answer.body?.cancel()
  } catch {
    options.signal?.throwIfAborted()
    return undefined
  }
  // Requests made without a network have no address; nothing redirected them then.
  const reached = new URL(answer.url || url)
  const baseUrl = reached.origin + reached.pathname.slice(0, -discoveryPaths.hallpass.length)
  // Whoever says something about another address might send its users' apps there.
  const isOwn = reached.pathname.endsWith(discoveryPaths.hallpass) && body?.issuer === baseUrl
  return body && isOwn ? siteOf(baseUrl, body) : undefined
}

/** Undefined for a document without a version that the client speaks. */
function siteOf(baseUrl: string, body: Record<string, unknown>): Site | undefined {
  const { protocol_version: apiVersion, flows } = body
  if (typeof apiVersion !== 'number' || !(apiVersion >= 2)) return undefined
  return {
    baseUrl,
    apiVersion,
    deviceCode: isObject(flows) && isObject(flows.device),
    ...basicInfoOf(body),
    narrowsScopes: isObject(body.narrowing) && body.narrowing.parameter === 'scope_parameters',
    scopes: Array.isArray(body.scopes) ? body.scopes.flatMap(scopeOf) : null,
  }
}

/** Only names that can stand in a list, and in a command line. */
function scopeOf(value: unknown): SiteScope[] {
  if (!isObject(value)) return []
  const { name, label, description, allowed, routes } = value
  if (typeof name !== 'string' || !/^[\w:-]{1,100}$/.test(name)) return []
  return [
    {
      name,
      label: typeof label === 'string' ? label : name,
      description: typeof description === 'string' ? description : '',
      allowed: allowed === true,
      restrictable: restrictableOf(routes),
    },
  ]
}

function restrictableOf(routes: unknown): readonly string[] {
  const lists = Array.isArray(routes)
    ? routes.map((route: unknown) => (isObject(route) ? route.restrictable : []))
    : []
  const names = lists.flatMap((list: unknown): unknown[] => (Array.isArray(list) ? list : []))
  return [...new Set(names.filter((name): name is string => typeof name === 'string'))]
}
