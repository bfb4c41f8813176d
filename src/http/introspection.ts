/**
 * What a user API key is (RFC 7662), for services that share the site's keys and ask with an API key of their own. The
 * key is in the body, is never logged, and does not count as used.
 */
import type { ApiKeyIdentity } from '../domain/identity.ts'
import { countAgainst, perMinute } from '../domain/limits.ts'
import { oauthPaths } from '../protocol/discovery.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { oauthErrorBody } from '../protocol/oauth-error.ts'
import { readParameters } from '../protocol/parameters.ts'
import { narrowedScopes } from '../protocol/scope-parameters.ts'
import { apiKeyCredentials, type Credentials, readCredentials } from '../verify/credentials.ts'
import { type Introspection, introspect } from '../verify/introspect.ts'
import { json, oauthRefused } from './answer.ts'
import { readBasic } from './basic-authorization.ts'
import { type Call, type Router, routesOf, type Service } from './service.ts'
import type { Visit } from './visit.ts'

/** Adds the route of RFC 7662. */
export function addIntrospectionRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)
  route(
    'POST',
    oauthPaths.introspection,
    {
      who: 'api_key',
      sealed: true,
      hasOwnLimit: true,
      isOn: (settings) => settings.enable_oauth_introspection,
      credentials: readApiKey,
      refuse,
    },
    (call) => answer(service, call),
  )
}

async function answer(service: Service, { visit, identity, sources }: Call): Promise<Response> {
  if (identity?.via !== 'api_key') return refuse(visit, refusal('api_key_required'))
  const problem = checkMayIntrospect(identity) ?? limit(service, identity)
  if (problem) return refuse(visit, problem)
  // An address ends up in logs, so what stands in it does not count.
  const read = readParameters(
    { query: new URLSearchParams(), body: sources.body },
    { token: { limit: longestToken } },
  )
  if (read.outcome === 'refused') return refuse(visit, read.refusal)
  const { token } = read.values
  if (token === undefined) {
    const example = 'token=USER_API_KEY, as a form'
    return refuse(visit, refusal('parameters_missing', { missing: 'token', first: 'token', example }))
  }
  return json(describe(await introspect(service.verifier, token), service.baseUrl(visit)))
}

/** RFC 7662 §2.2. */
function describe(found: Introspection, issuer: string): Record<string, unknown> {
  if (found.outcome === 'inactive') return { active: false }
  const { key, owner, scopes, narrowed } = found
  return {
    active: true,
    // Narrowed ones are told apart: a service that knows nothing of that would take them for whole.
    scope: scopes.join(' '),
    client_id: key.client.clientId,
    username: owner.username,
    sub: owner.id,
    token_type: 'Bearer',
    iss: issuer,
    iat: Math.floor(key.createdAt / 1000),
    ...(key.expiresAt === null ? {} : { exp: Math.floor(key.expiresAt / 1000) }),
    key_id: key.id,
    application_name: key.client.applicationName,
    narrowed_scopes: narrowedScopes(narrowed),
  }
}

/**
 * An API key can act for anybody, and may do then what they may: that somebody must be an administrator. One that was
 * given the scope for this may ask whoever it acts for.
 */
function checkMayIntrospect({ user, apiKey: { scopeMode, scopes } }: ApiKeyIdentity): Refusal | undefined {
  const isGiven =
    scopeMode === 'granular' &&
    scopes.some(({ resource, action }) => resource === 'keys' && action === 'introspect')
  return isGiven || user.admin ? undefined : refusal('introspection_not_permitted')
}

function limit({ domain }: Service, { apiKey }: ApiKeyIdentity): Refusal | undefined {
  return countAgainst(domain, [[perMinute('max_introspections_per_minute'), `api key ${apiKey.id}`]])
}

/** The protocol's headers, or username and API key as an OAuth client sends its name and secret. */
function readApiKey(headers: Headers): Credentials {
  const { apiKey, actFor, isMixed } = readCredentials(headers, new URLSearchParams(), false)
  if (apiKey !== undefined) return { userApiKey: undefined, clientId: undefined, apiKey, actFor, isMixed }
  const basic = readBasic(headers.get('authorization'))
  return apiKeyCredentials(basic?.secret ?? '', basic?.name ?? '')
}

/** RFC 7662 §2.3: 401 where the asker is not known, 403 where it may not ask. */
function refuse(visit: Visit, why: Refusal): Response {
  const response = oauthRefused(visit, why)
  const { error } = oauthErrorBody(why, '')
  if (error === 'unauthorized_client') return withStatus(response, 403)
  if (error !== 'invalid_client') return response
  const unknown = withStatus(response, 401)
  unknown.headers.set('www-authenticate', `Basic realm="${visit.url.origin}"`)
  return unknown
}

function withStatus(response: Response, status: number): Response {
  return new Response(response.body, { status, headers: response.headers })
}

/** In bytes; as long as a body may be. What is no key is inactive, however long. */
const longestToken = 65_536
