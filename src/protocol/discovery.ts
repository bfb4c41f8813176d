/** What a site publishes about itself for apps, and where (docs/discovery.md). An addition to the protocol. */
import type { RouteFormat } from './route.ts'
import type { Padding } from './rsaes.ts'
import type { ScopeDefinition } from './scopes.ts'

/** The routes by which a site is found (RFC 8615). */
export const discoveryPaths = {
  hallpass: '/.well-known/hallpass',
  /** RFC 9728 §3. */
  protectedResource: '/.well-known/oauth-protected-resource',
  /** RFC 8414 §3. */
  authorizationServer: '/.well-known/oauth-authorization-server',
} as const

/** The routes that speak OAuth. */
export const oauthPaths = {
  /** RFC 8628 §3.1. */
  deviceAuthorization: '/oauth/device_authorization',
  /** RFC 6749 §3.2. */
  token: '/oauth/token',
  /** RFC 7662 §2. */
  introspection: '/oauth/introspect',
  /** RFC 7009 §2. */
  revocation: '/oauth/revoke',
} as const

/**
 * The document at `/.well-known/hallpass`. Fields are added and never change their meaning; should one have to, `version`
 * does. Addresses are absolute. What the site does not offer at the moment is null.
 */
export interface DiscoveryDocument {
  /** The version of this document's shape. */
  readonly version: 1
  /** The site's address, without a slash at its end. */
  readonly issuer: string
  /** What the header `Auth-Api-Version` says (protocol §3.1). */
  readonly protocol_version: number
  readonly title: string
  readonly description: string
  /** Whether only people who are signed in see anything. */
  readonly login_required: boolean
  readonly flows: {
    /** Protocol §3. */
    readonly browser: { readonly authorization_endpoint: string }
    /** Protocol §5. Times are in seconds. */
    readonly device: {
      readonly request_endpoint: string
      readonly poll_endpoint: string
      readonly verification_uri: string
      readonly expires_in: number
      readonly interval: number
    }
    /** RFC 8628. */
    readonly oauth_device: {
      readonly device_authorization_endpoint: string
      readonly token_endpoint: string
    } | null
    /** Protocol §6.1. */
    readonly one_time_password: { readonly authorization_endpoint: string } | null
  }
  readonly keys: {
    /** Whose key it is: GET, with the key. */
    readonly current_user_endpoint: string
    /** Protocol §8.2. */
    readonly revocation_endpoint: string
    /** RFC 7009. */
    readonly oauth_revocation_endpoint: string | null
    /** RFC 7662. */
    readonly introspection_endpoint: string | null
    /** Where users see their apps. */
    readonly apps_page: string
  }
  /** Registered clients (protocol §7). */
  readonly registration: {
    readonly open: boolean
    readonly endpoint: string
    /** What a client may register for. */
    readonly scopes: readonly string[]
  }
  /** Best first (protocol §4.3). */
  readonly paddings: readonly Padding[]
  /** The public key that an app sends, in bits of its modulus (protocol §4.3). */
  readonly public_key: {
    readonly type: 'RSA'
    readonly minimum_bits: number
    /** In the device flow. */
    readonly minimum_bits_device: number
    readonly maximum_bits: number
  }
  /** The longest life that an app may ask for its key, in seconds; null where no expiry may be asked for. */
  readonly maximum_expires_in_seconds: number | null
  /** How an app asks for a scope for some values of its `restrictable` parameters only. */
  readonly narrowing: {
    /** The request's parameter (protocol §19, A-36). */
    readonly parameter: 'scope_parameters'
    /** The longest that it may be, and one of its values. */
    readonly maximum_bytes: number
    readonly maximum_bytes_per_value: number
    readonly maximum_values_per_parameter: number
  }
  /** Every scope of the site; an app may ask for those that are `allowed`. */
  readonly scopes: readonly DiscoveredScope[]
  readonly redirects: {
    /** Whether a key may be sent to any port of 127.0.0.1, [::1] and localhost (RFC 8252 §7.3). */
    readonly loopback: boolean
    /** Whether a request without a redirect is taken, whose payload the page shows. */
    readonly none: boolean
    /** Asked with an app's parameters and `Accept: application/json`, it says whether a request would be taken. */
    readonly check_endpoint: string
  }
  /** How many requests a key may make; null while limits are off. */
  readonly limits: {
    readonly requests_per_minute: number
    readonly requests_per_day: number
    /** Of one address, whatever its keys. */
    readonly requests_per_minute_per_address: number
    readonly requests_per_10_seconds_per_address: number
  } | null
  /** Days without use after which a key is revoked; null when it is not. */
  readonly unused_key_days: number | null
  /** Headers by what they carry. */
  readonly headers: {
    readonly key: string
    readonly client_id: string
    /** Whether the key may come as `Authorization: Bearer` too (RFC 6750 §2.1). */
    readonly bearer: boolean
    /** Of answers: whom the request acted for, and which route answered. */
    readonly username: string
    readonly route: string
  }
  readonly docs: {
    /** A reason's own page is below it. */
    readonly errors: string
    /** The scopes alone. */
    readonly scopes: string
  }
}

/** A scope as it is published. */
export interface DiscoveredScope {
  readonly name: string
  readonly label: string
  readonly description: string
  /** Whether an app may ask for it. */
  readonly allowed: boolean
  /** Whether the consent page warns of it. */
  readonly write: boolean
  readonly built_in: boolean
  /** What it permits; null stands for every one. */
  readonly routes: readonly {
    readonly methods: readonly string[] | null
    readonly paths: readonly string[] | null
    readonly formats: readonly RouteFormat[] | null
    /** The parameters that a key may be narrowed by. */
    readonly restrictable: readonly string[]
  }[]
}

/** A scope in the form in which it is published. `allowed`: whether an app may ask for it. */
export function discoveredScope(scope: ScopeDefinition, allowed: boolean): DiscoveredScope {
  return {
    name: scope.name,
    label: scope.label,
    description: scope.description,
    allowed,
    write: scope.marksWrite,
    built_in: scope.builtIn,
    routes: scope.routes.map(({ methods, paths, formats, params, pathParams }) => ({
      methods: methods ?? null,
      paths: paths ?? null,
      formats: formats ?? null,
      restrictable: [...(params ?? []), ...(pathParams ?? [])],
    })),
  }
}
