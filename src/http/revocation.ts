/**
 * Whoever holds a user API key can give it back (RFC 7009). Clients of the protocol are public and have no secret, so
 * holding the key is all that is asked; a key of any scope will do.
 */
import { revokeHeldUserApiKey } from '../domain/user-api-keys.ts'
import { oauthPaths } from '../protocol/discovery.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { readParameters } from '../protocol/parameters.ts'
import { empty, oauthRefused } from './answer.ts'
import { type Call, originOf, type Router, routesOf, type Service } from './service.ts'

/** Adds the route of RFC 7009. */
export function addRevocationRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)
  route(
    'POST',
    oauthPaths.revocation,
    {
      who: 'holder',
      sealed: true,
      isOn: (settings) => settings.enable_oauth_revocation,
      refuse: oauthRefused,
    },
    async (call) => {
      const problem = await revoke(service, call)
      // Unknown, revoked before or revoked now: to whoever asks it is the same (RFC 7009 §2.2).
      return problem ? oauthRefused(call.visit, problem) : empty()
    },
  )
}

async function revoke({ domain }: Service, { visit, sources }: Call): Promise<Refusal | undefined> {
  // An address ends up in logs, so what stands in it does not count.
  const read = readParameters(
    { query: new URLSearchParams(), body: sources.body },
    { token: { limit: longestToken } },
  )
  if (read.outcome === 'refused') return read.refusal
  const { token } = read.values
  if (token === undefined) {
    const example = 'token=USER_API_KEY, as a form'
    return refusal('parameters_missing', { missing: 'token', first: 'token', example })
  }
  // Told by its form alone, so that nobody learns here which API keys there are.
  if (/^[0-9a-f]{64}$/.test(token)) return refusal('token_type_unsupported')
  await revokeHeldUserApiKey(domain, token, originOf(visit))
  return undefined
}

/** In bytes; as long as a body may be. */
const longestToken = 65_536
