/** How people sign in where they do not do it with a password of the site's own. */

/** By an OpenID provider (https://openid.net/specs/openid-connect-core-1_0.html), with the code flow and PKCE. */
export interface OpenIdConnectOptions {
  readonly method: 'openid-connect'
  /** The provider's issuer, such as `https://id.example.com`; its configuration is found from there. */
  readonly issuer: string
  readonly clientId: string
  /** Default: none, for a public client. */
  readonly clientSecret?: string
  /** Default `openid profile email`. */
  readonly scope?: string
  /** What the provider is called on pages. Default: the issuer's host. */
  readonly label?: string
  /** Who is an administrator here: those whose ID token has this claim with this value, or with a list that holds it. */
  readonly adminClaim?: { readonly name: string; readonly value: string }
}

/** By a Discourse site, or another that speaks DiscourseConnect as a provider. */
export interface DiscourseConnectOptions {
  readonly method: 'discourse-connect'
  /** Where the provider is asked, such as `https://forum.example.com/session/sso_provider`. */
  readonly url: string
  /** The secret that the two sites share; 10 characters or more. */
  readonly secret: string
  /** What the provider is called on pages. Default: the host of `url`. */
  readonly label?: string
  /** Whether who is staff there is staff here. Default false. */
  readonly staff?: boolean
}

/**
 * By a proxy in front, which names the user in headers. They are believed from the proxies in `trustedProxies` alone,
 * and the proxy must take them off what its own callers send.
 */
export interface ProxyHeaderOptions {
  readonly method: 'proxy-header'
  /** The header with the user's name, such as `X-Remote-User`. It is the name that the user is known by for good. */
  readonly userHeader: string
  /** Headers with the name for people to read and with the e-mail address. Default: none. */
  readonly nameHeader?: string
  readonly emailHeader?: string
  /** Who is an administrator here. Default: nobody. */
  readonly admins?: readonly string[]
}

export type SignInOptions = OpenIdConnectOptions | DiscourseConnectOptions | ProxyHeaderOptions
