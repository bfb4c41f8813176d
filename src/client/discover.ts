import { clientError } from './client-errors.ts'
import { readJsonObject, send, type Transport } from './http.ts'
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
}

export interface DiscoverOptions extends Transport {
  readonly signal?: AbortSignal
}

/**
 * Finds out whether there is a site with user API keys at `address`, and what it is called (protocol §3.1, §17).
 * Reasons: `site_address_invalid`, `site_unreachable`, `site_without_api`, `site_version_unsupported`,
 * `site_answer_unexpected`.
 */
export async function discover(address: string, options: DiscoverOptions = {}): Promise<Site> {
  const typed = siteAddress(address)
  const url = `${typed}/user-api-key/new`
  const probe = await send(url, { method: 'HEAD', redirect: 'follow', ...signalOf(options) }, options)
  const version = probe.headers.get('auth-api-version')
  // A browser shows an app from elsewhere only the headers that the site exposes: there, none proves nothing.
  const hidden = version === null && probe.type === 'cors'
  const without = (answer: string): never => {
    throw clientError('site_without_api', { site: typed, url, answer })
  }

  if (probe.status === 404) return without('404')
  if (!probe.ok) throw clientError('site_answer_unexpected', { url, status: probe.status })
  if (version === null && !hidden) return without('without the header Auth-Api-Version')
  const apiVersion = version === null ? null : Number.parseInt(version, 10)
  if (apiVersion !== null && !(apiVersion >= 2)) {
    throw clientError('site_version_unsupported', { site: typed, version: version ?? '' })
  }

  // Requests made without a network have no address; nothing redirected them then.
  const reached = new URL(probe.url || url)
  if (!/\/user-api-key\/new(\.json)?\/?$/.test(reached.pathname)) {
    return without(`with a redirect to ${reached.origin}${reached.pathname}`)
  }
  const baseUrl = siteAddress(`${reached.origin}${reached.pathname}`)
  return {
    baseUrl,
    apiVersion,
    deviceCode: probe.headers.get('auth-api-device-code') === 'true',
    ...(await readBasicInfo(baseUrl, options)),
  }
}

/** A site without basic information is still a site: its name is for people, nothing depends on it. */
async function readBasicInfo(
  baseUrl: string,
  options: DiscoverOptions,
): Promise<Pick<Site, 'title' | 'description' | 'loginRequired'>> {
  const init = { headers: { Accept: 'application/json' }, ...signalOf(options) }
  const answer = await send(`${baseUrl}/site/basic-info.json`, init, options)
  const info = (await readJsonObject(answer)) ?? {}
  const { title, description, login_required: loginRequired } = answer.ok ? info : {}
  return {
    title: typeof title === 'string' ? title : null,
    description: typeof description === 'string' ? description : null,
    loginRequired: typeof loginRequired === 'boolean' ? loginRequired : null,
  }
}

function signalOf({ signal }: DiscoverOptions): { signal?: AbortSignal } {
  return signal ? { signal } : {}
}
