import { discoveryPaths } from '../protocol/discovery.ts'
import { clientError } from './client-errors.ts'
import { isObject, readJsonObject, send, type Transport } from './http.ts'
import { siteAddress } from './site-address.ts'

/** A site that issues user API keys. */
export interface Site {
  /** The canonical address, after redirects, without a slash at its end. */
  readonly baseUrl: string
  /** The version of the protocol; null where a browser hides the header from the app. */
  readonly apiVersion: number | null
  /** Whether the site has the device flow: an approval with a code, for apps without a browser. */
  readonly deviceCode: boolean
  /** The site's name; null when it does not tell. */
  readonly title: string | null
  readonly description: string | null
  /** Whether only people who are signed in see anything; null when the site does not tell. */
  readonly loginRequired: boolean | null
  /** Every scope that the site knows; null when it does not tell. */
  readonly scopes: readonly SiteScope[] | null
}

/** A scope, as the site describes it. */
export interface SiteScope {
  readonly name: string
  /** What an app with the scope may do, in the words of the consent page. */
  readonly label: string
  /** The same for developers. */
  readonly description: string
  /** Whether an app may ask for it. */
  readonly allowed: boolean
}

export interface DiscoverOptions extends Transport {
  readonly signal?: AbortSignal
}

/**
 * Finds out whether there is a site with user API keys at `address`, and what it is called: from what the site publishes
 * about itself, as a Hallpass does, else by the protocol's probe (§3.1, §17). Reasons: `site_address_invalid`, `site_unreachable`, `site_without_api`, `site_version_unsupported`,
 * `site_answer_unexpected`.
 */
export async function discover(address: string, options: DiscoverOptions = {}): Promise<Site> {
  const typed = siteAddress(address)
  return (await readPublished(typed, options)) ?? probe(typed, options)
}

/**
 * What the site at `address` publishes about itself; undefined when it publishes nothing, cannot be reached, or what it
 * says is about another address. Reason: `site_address_invalid`.
 */
export async function discoverPublished(
  address: string,
  options: DiscoverOptions = {},
): Promise<Site | undefined> {
  return readPublished(siteAddress(address), options)
}

async function readPublished(typed: string, options: DiscoverOptions): Promise<Site | undefined> {
  const url = typed + discoveryPaths.hallpass
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
    scopes: Array.isArray(body.scopes) ? body.scopes.flatMap(scopeOf) : null,
  }
}

/** Only names that can stand in a list, and in a command line. */
function scopeOf(value: unknown): SiteScope[] {
  if (!isObject(value)) return []
  const { name, label, description, allowed } = value
  if (typeof name !== 'string' || !/^[\w:-]{1,100}$/.test(name)) return []
  return [
    { name, label: textOf(label) ?? name, description: textOf(description) ?? '', allowed: allowed === true },
  ]
}

async function probe(typed: string, options: DiscoverOptions): Promise<Site> {
  const url = `${typed}/user-api-key/new`
  const answer = await send(url, { method: 'HEAD', redirect: 'follow', ...signalOf(options) }, options)
  const version = answer.headers.get('auth-api-version')
  // A browser shows an app from elsewhere only the headers that the site exposes: there, none proves nothing.
  const hidden = version === null && answer.type === 'cors'
  const without = (what: string): never => {
    throw clientError('site_without_api', { site: typed, url, answer: what })
  }

  if (answer.status === 404) return without('404')
  if (!answer.ok) throw clientError('site_answer_unexpected', { url, status: answer.status })
  if (version === null && !hidden) return without('without the header Auth-Api-Version')
  const apiVersion = version === null ? null : Number.parseInt(version, 10)
  if (apiVersion !== null && !(apiVersion >= 2)) {
    throw clientError('site_version_unsupported', { site: typed, version: version ?? '' })
  }

  // Requests made without a network have no address; nothing redirected them then.
  const reached = new URL(answer.url || url)
  if (!/\/user-api-key\/new(\.json)?\/?$/.test(reached.pathname)) {
    return without(`with a redirect to ${reached.origin}${reached.pathname}`)
  }
  const baseUrl = siteAddress(`${reached.origin}${reached.pathname}`)
  return {
    baseUrl,
    apiVersion,
    deviceCode: answer.headers.get('auth-api-device-code') === 'true',
    ...(await readBasicInfo(baseUrl, options)),
    scopes: null,
  }
}

/** A site without basic information is still a site: its name is for people, nothing depends on it. */
async function readBasicInfo(baseUrl: string, options: DiscoverOptions): Promise<BasicInfo> {
  const init = { headers: { Accept: 'application/json' }, ...signalOf(options) }
  const answer = await send(`${baseUrl}/site/basic-info.json`, init, options)
  const info = (await readJsonObject(answer)) ?? {}
  return basicInfoOf(answer.ok ? info : {})
}

type BasicInfo = Pick<Site, 'title' | 'description' | 'loginRequired'>

/** The names are the same in both places. */
function basicInfoOf(info: Record<string, unknown>): BasicInfo {
  const { title, description, login_required: loginRequired } = info
  return {
    title: textOf(title),
    description: textOf(description),
    loginRequired: typeof loginRequired === 'boolean' ? loginRequired : null,
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function signalOf({ signal }: DiscoverOptions): { signal?: AbortSignal } {
  return signal ? { signal } : {}
}
