import type { Configuration, IDToken } from 'openid-client'
import type { ExternalProfile } from '../domain/external-accounts.ts'
import { claimText, subjectOf } from './claims.ts'
import { type RedirectingSignIn, SignInFailed, SignInUnavailable } from './redirecting-sign-in.ts'
import type { OpenIdConnectOptions } from './sign-in-options.ts'

/**
 * Signing in at an OpenID provider. The provider is asked for its configuration when somebody first signs in, so that
 * neither starts only when the other is there.
 *
 * @throws TypeError for an issuer that is no https address; http is for a provider on this very machine
 */
export function createOpenIdConnect(options: OpenIdConnectOptions): RedirectingSignIn {
  const issuer = URL.canParse(options.issuer) ? new URL(options.issuer) : undefined
  const isLocal = issuer !== undefined && ['localhost', '127.0.0.1', '[::1]'].includes(issuer.hostname)
  if (!issuer || (issuer.protocol !== 'https:' && !(issuer.protocol === 'http:' && isLocal))) {
    throw new TypeError(`the issuer must be an https address, not ${options.issuer}`)
  }
  const provider = `openid-connect ${options.issuer}`
  const configure = configuration(issuer, options)

  return {
    label: options.label ?? issuer.host,

    async begin({ callbackUrl, state }) {
      const configured = await configure()
      const openid = await loadOpenIdClient()
      const verifier = openid.randomPKCECodeVerifier()
      const nonce = openid.randomNonce()
      const location = openid.buildAuthorizationUrl(configured, {
        redirect_uri: callbackUrl,
        scope: options.scope ?? 'openid profile email',
        state,
        nonce,
        code_challenge: await openid.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      })
      return { location: location.href, keep: { verifier, nonce } }
    },

    stateOf: (query) => query.get('state') ?? undefined,

    async finish(url, { state, keep }) {
      const configured = await configure()
      const { authorizationCodeGrant, AuthorizationResponseError } = await loadOpenIdClient()
      try {
        const tokens = await authorizationCodeGrant(configured, url, {
          expectedState: state,
          expectedNonce: keep.nonce ?? '',
          pkceCodeVerifier: keep.verifier ?? '',
          idTokenExpected: true,
        })
        const claims = tokens.claims()
        if (!claims) throw new SignInFailed('its answer holds no ID token')
        return profileOf(provider, claims, options)
      } catch (error) {
        throw failed(error, AuthorizationResponseError)
      }
    },
  }
}

type OpenIdClient = typeof import('openid-client')

/** Only once somebody signs in that way: most servers have no use for it. */
function loadOpenIdClient(): Promise<OpenIdClient> {
  return import('openid-client')
}

/** The provider's configuration, asked for once it is needed, and again after it could not be had. */
function configuration(issuer: URL, options: OpenIdConnectOptions): () => Promise<Configuration> {
  let asked: Promise<Configuration> | undefined
  return async () => {
    const { allowInsecureRequests, discovery } = await loadOpenIdClient()
    const execute = issuer.protocol === 'http:' ? [allowInsecureRequests] : []
    asked ??= discovery(issuer, options.clientId, options.clientSecret, undefined, { execute, timeout: 10 })
    try {
      return await asked
    } catch (error) {
      asked = undefined
      throw new SignInUnavailable('its configuration could not be had', { cause: error })
    }
  }
}

function profileOf(provider: string, claims: IDToken, { adminClaim }: OpenIdConnectOptions): ExternalProfile {
  const isVerified = claims.email_verified === true || claims.email_verified === 'true'
  return {
    provider,
    subject: subjectOf(claims.sub),
    username: claimText(claims.preferred_username),
    name: claimText(claims.name),
    email: isVerified ? claimText(claims.email) : undefined,
    admin: adminClaim && holds(claims[adminClaim.name], adminClaim.value),
  }
}

function holds(claim: unknown, value: string): boolean {
  return claim === value || (Array.isArray(claim) && claim.includes(value))
}

function failed(
  error: unknown,
  AuthorizationResponseError: OpenIdClient['AuthorizationResponseError'],
): Error {
  if (error instanceof SignInFailed) return error
  if (error instanceof AuthorizationResponseError) {
    const denied = error.error === 'access_denied'
    return new SignInFailed(denied ? 'you, or it, declined' : `it says ${error.error}`, { cause: error })
  }
  return new SignInFailed('its answer could not be trusted', { cause: error })
}
