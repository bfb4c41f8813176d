/** What an app can know of a site before it asks for a key. */
import type { Transport } from './http.ts'

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
  /** Whether the site narrows scopes to values of parameters for an app that asks for that. */
  readonly narrowsScopes: boolean
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
  /** The parameters that it can be narrowed by. */
  readonly restrictable: readonly string[]
}

export interface DiscoverOptions extends Transport {
  readonly signal?: AbortSignal
}

/** The names that the basic information and what a site publishes share. */
export function basicInfoOf(
  info: Readonly<Record<string, unknown>>,
): Pick<Site, 'title' | 'description' | 'loginRequired'> {
  const { title, description, login_required: loginRequired } = info
  return {
    title: typeof title === 'string' ? title : null,
    description: typeof description === 'string' ? description : null,
    loginRequired: typeof loginRequired === 'boolean' ? loginRequired : null,
  }
}

/** The part of a request's options that gives it up. */
export function signalOf({ signal }: DiscoverOptions): { readonly signal?: AbortSignal } {
  return signal ? { signal } : {}
}
