import type { ApiKeyScopeDefinition } from '../protocol/api-key-scope-definition.ts'
import type { OwnScope } from '../protocol/scopes.ts'
import type { Settings } from '../protocol/settings.ts'

/**
 * What a `hallpass.config.ts`, `.js`, `.mjs` or `.json` may say, for `hallpass serve` and `hallpass scopes`. Flags and
 * environment variables are stronger than the file; what none of them says has its default.
 */
export interface HallpassConfig {
  /** For editors, in JSON: the address of `hallpass.schema.json`. Means nothing to Hallpass. */
  readonly $schema?: string
  /** The port to listen on; 0 takes a free one. Default 4000. */
  readonly port?: number
  /** The address to listen on. Default `127.0.0.1`. */
  readonly host?: string
  /** Folder of the embedded database; one that is not absolute counts from the file's own folder. Default `./data`. */
  readonly data?: string
  /** The address people reach the site by, such as `https://forum.example.com`. Default: that of each request. */
  readonly baseUrl?: string
  /** The application that Hallpass stands in front of as a gateway, such as `http://127.0.0.1:3000`. Default: none. */
  readonly upstream?: string
  /** Whether the small forum is the site that is guarded. Default: true where there is no upstream. */
  readonly forum?: boolean
  /** Addresses and ranges of the proxies whose `X-Forwarded-For` is believed. Default: none. */
  readonly trustedProxies?: readonly string[]
  /** Whether pushes may go to private addresses. Default false. */
  readonly allowPrivatePush?: boolean
  /** Scopes for the application's own routes, which users can give to apps. Default: none. */
  readonly scopes?: readonly OwnScope[]
  /** The same for administrators' API keys. Default: none. */
  readonly apiKeyScopes?: readonly ApiKeyScopeDefinition[]
  /** Settings that nobody may change while the server runs. Default: none. */
  readonly settings?: Partial<Settings>
  /** How people sign in. Default: with local accounts. */
  readonly signIn?: SignInConfig
}

/** How people sign in. */
export type SignInConfig =
  | LocalSignInConfig
  | OpenIdConnectConfig
  | DiscourseConnectConfig
  | ProxyHeaderSignInConfig

/** With a username and a password that Hallpass keeps. */
export interface LocalSignInConfig {
  readonly method: 'local'
}

/** At an OpenID provider. */
export interface OpenIdConnectConfig {
  readonly method: 'openid-connect'
  /** The provider's issuer identifier, an `https` address (OpenID Connect Discovery §4). */
  readonly issuer: string
  readonly clientId: string
  /** Default: none, for a public client. */
  readonly clientSecret?: string
  /** What is asked for. Default `openid profile email`. */
  readonly scopes?: readonly string[]
  /** The claim that gives a new account its username. Default `preferred_username`. */
  readonly usernameClaim?: string
}

/** At a site that speaks DiscourseConnect. */
export interface DiscourseConnectConfig {
  readonly method: 'discourse-connect'
  /** The provider's address, such as `https://forum.example.com/session/sso_provider`. */
  readonly url: string
  /** What both sites know; 10 characters at least. */
  readonly secret: string
}

/** By a proxy in front, which says who it is in a header; from trusted proxies only. */
export interface ProxyHeaderSignInConfig {
  readonly method: 'proxy-header'
  /** The header that names the user, such as `X-Remote-User`. */
  readonly header: string
  readonly nameHeader?: string
  readonly emailHeader?: string
}

/** Gives a config file its type: returns what it is given. */
export function defineConfig(config: HallpassConfig): HallpassConfig {
  return config
}
