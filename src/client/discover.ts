import { clientError } from './client-errors.ts'
import { readJsonObject, send } from './http.ts'
import { readPublishedSite } from './published-site.ts'
import { basicInfoOf, type DiscoverOptions, type Site, signalOf } from './site.ts'
import { siteAddress } from './site-address.ts'

/**
 * Finds out whether there is a site with user API keys at `address`, and what it is called: from what the site publishes
 * about itself, as a Hallpass does, else by the protocol's probe (§3.1, §17). Reasons: `site_address_invalid`,
 * `site_unreachable`, `site_without_api`, `site_version_unsupported`, `site_answer_unexpected`.
 */
export async function discover(address: string, options: DiscoverOptions = {}): Promise<Site> {
  const typed = siteAddress(address)
  return (await readPublishedSite(typed, options)) ?? probe(typed, options)
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
    narrowsScopes: false,
    scopes: null,
  }
}

/** A site without basic information is still a site: its name is for people, nothing depends on it. */
async function readBasicInfo(
  baseUrl: string,
  options: DiscoverOptions,
): Promise<ReturnType<typeof basicInfoOf>> {
  const init = { headers: { Accept: 'application/json' }, ...signalOf(options) }
  const answer = await send(`${baseUrl}/site/basic-info.json`, init, options)
  const info = (await readJsonObject(answer)) ?? {}
  return basicInfoOf(answer.ok ? info : {})
}
