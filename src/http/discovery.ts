/**
 * What a site says of itself, for apps that look before they ask: /.well-known/hallpass, and for clients of OAuth the
 * metadata of RFC 9728 and RFC 8414. What stands in them is in docs/discovery.md.
 */
import { oneTimePasswordScope } from '../domain/seal-one-time-password.ts'
import { activationPath, appsPath, errorDocsPath } from '../pages/paths.ts'
import { deviceCodeGrantType } from '../protocol/device-authorization.ts'
import {
  deviceMinimumKeyBits,
  devicePollIntervalSeconds,
  deviceRequestLifetimeSeconds,
} from '../protocol/device-request.ts'
import { type DiscoveryDocument, oauthPaths } from '../protocol/discovery.ts'
import { API_VERSION } from '../protocol/payload.ts'
import { publicKeyBits } from '../protocol/public-key.ts'
import { scopeParameterLimits } from '../protocol/scope-parameters.ts'
import { isAuthorizationServer, type PublishedDocument, publishedDocuments } from './discovery-documents.ts'
import { publishedJson } from './published.ts'
import { scopesOfSite } from './scopes.ts'
import { type Router, routesOf, type Service } from './service.ts'

/** Adds the routes of the three documents. */
export function addDiscoveryRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)
  for (const { path, isOn, describe } of documents) {
    route('GET', path, { who: 'unchecked', isOn }, async ({ visit }) =>
      publishedJson(visit.request, describe(service, service.baseUrl(visit)), {
        // An address that a request named is for its sender alone (docs/decisions/0009).
        forSharedCaches: service.hasConfiguredAddress,
      }),
    )
  }
}

const documents: readonly (PublishedDocument & {
  readonly describe: (service: Service, issuer: string) => unknown
})[] = [
  { ...publishedDocuments.hallpass, describe: describeSite },
  { ...publishedDocuments.protectedResource, describe: describeResource },
  { ...publishedDocuments.authorizationServer, describe: describeAuthorizationServer },
]

function describeSite(service: Service, issuer: string): DiscoveryDocument {
  const settings = service.domain.settings.current()
  const at = (path: string): string => issuer + path
  const scopes = scopesOfSite(service)
  const hasPasswords = scopes.some(({ name, allowed }) => name === oneTimePasswordScope && allowed)
  const registered = settings.allow_user_api_key_client_scopes
  return {
    version: 1,
    issuer,
    protocol_version: API_VERSION,
    title: settings.title,
    description: settings.site_description,
    login_required: false,
    flows: {
      browser: { authorization_endpoint: at('/user-api-key/new') },
      device: {
        request_endpoint: at('/user-api-key/device.json'),
        poll_endpoint: at('/user-api-key/device/poll.json'),
        verification_uri: at(activationPath),
        expires_in: deviceRequestLifetimeSeconds,
        interval: devicePollIntervalSeconds,
      },
      oauth_device: settings.enable_oauth_device_flow
        ? {
            device_authorization_endpoint: at(oauthPaths.deviceAuthorization),
            token_endpoint: at(oauthPaths.token),
          }
        : null,
      one_time_password: hasPasswords ? { authorization_endpoint: at('/user-api-key/otp') } : null,
    },
    keys: {
      current_user_endpoint: at('/session/current.json'),
      revocation_endpoint: at('/user-api-key/revoke.json'),
      oauth_revocation_endpoint: settings.enable_oauth_revocation ? at(oauthPaths.revocation) : null,
      introspection_endpoint: settings.enable_oauth_introspection ? at(oauthPaths.introspection) : null,
      apps_page: at(appsPath),
    },
    registration: {
      open: registered.length > 0,
      endpoint: at('/user-api-key-client.json'),
      scopes: registered,
    },
    paddings: ['oaep', 'pkcs1'],
    public_key: {
      type: 'RSA',
      minimum_bits: publicKeyBits.minimum,
      minimum_bits_device: deviceMinimumKeyBits,
      maximum_bits: publicKeyBits.maximum,
    },
    maximum_expires_in_seconds: daysOrNull(settings.max_user_api_key_expiry_days, 86_400),
    narrowing: {
      parameter: 'scope_parameters',
      maximum_bytes: scopeParameterLimits.bytes,
      maximum_bytes_per_value: scopeParameterLimits.valueBytes,
      maximum_values_per_parameter: scopeParameterLimits.values,
    },
    scopes,
    redirects: {
      loopback: settings.allowed_user_api_auth_redirects.some((entry) => ['loopback', '*'].includes(entry)),
      none: true,
      check_endpoint: at('/user-api-key/new.json'),
    },
    limits: settings.disable_rate_limits
      ? null
      : {
          requests_per_minute: settings.max_user_api_reqs_per_minute,
          requests_per_day: settings.max_user_api_reqs_per_day,
          requests_per_minute_per_address: settings.max_reqs_per_ip_per_minute,
          requests_per_10_seconds_per_address: settings.max_reqs_per_ip_per_10_seconds,
        },
    unused_key_days: daysOrNull(settings.revoke_user_api_keys_unused_days, 1),
    headers: {
      key: 'User-Api-Key',
      client_id: 'User-Api-Client-Id',
      bearer: true,
      username: 'X-Discourse-Username',
      route: 'X-Discourse-Route',
    },
    docs: { errors: at(errorDocsPath), scopes: at('/hallpass/scopes.json') },
  }
}

/** RFC 9728 §2. */
function describeResource(service: Service, issuer: string): Record<string, unknown> {
  const settings = service.domain.settings.current()
  return {
    resource: issuer,
    ...(isAuthorizationServer(settings) ? { authorization_servers: [issuer] } : {}),
    scopes_supported: scopesSupported(service),
    bearer_methods_supported: ['header'],
    resource_name: settings.title,
    resource_documentation: issuer + errorDocsPath,
  }
}

/** RFC 8414 §2, RFC 8628 §4. A request for a key needs no client that is registered, so there are no secrets. */
function describeAuthorizationServer(service: Service, issuer: string): Record<string, unknown> {
  const settings = service.domain.settings.current()
  return {
    issuer,
    device_authorization_endpoint: issuer + oauthPaths.deviceAuthorization,
    token_endpoint: issuer + oauthPaths.token,
    token_endpoint_auth_methods_supported: ['none'],
    grant_types_supported: [deviceCodeGrantType],
    response_types_supported: [],
    scopes_supported: scopesSupported(service),
    ...(settings.enable_oauth_introspection
      ? {
          introspection_endpoint: issuer + oauthPaths.introspection,
          introspection_endpoint_auth_methods_supported: ['client_secret_basic'],
        }
      : {}),
    ...(settings.enable_oauth_revocation
      ? {
          revocation_endpoint: issuer + oauthPaths.revocation,
          revocation_endpoint_auth_methods_supported: ['none'],
        }
      : {}),
    service_documentation: issuer + errorDocsPath,
    protected_resources: [issuer],
  }
}

/** What an app may ask for; a one-time password is nothing that OAuth could deliver. */
function scopesSupported(service: Service): readonly string[] {
  return scopesOfSite(service).flatMap(({ name, allowed }) =>
    allowed && name !== oneTimePasswordScope ? [name] : [],
  )
}

/** 0 days stand for «not at all». */
function daysOrNull(days: number, unit: number): number | null {
  return days === 0 ? null : days * unit
}
