/** Clients that register themselves (protocol §7): their key, name and redirect hold from then on, and cap their scopes. */
import { createHash } from 'node:crypto'
import { checkClientRegistration } from '../protocol/client-registration.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import type { ParameterSources } from '../protocol/parameters.ts'
import type { RsaPublicKey } from '../protocol/public-key.ts'
import { addressBucket, addressMatcher } from './address.ts'
import { commit } from './commit.ts'
import type { Actor } from './events.ts'
import { countAgainst, perDay } from './limits.ts'
import type { Domain } from './ports.ts'
import { type ClientRecord, type StoreSession, UniqueViolation } from './store.ts'

/** What a registration came to. */
export type Registered =
  | { readonly outcome: 'registered' }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }

/**
 * Registers a client. The attempt is counted first, so that failing ones count as well (§7.2). Reasons: `rate_limited`,
 * those of `checkClientRegistration`, `client_id_taken`.
 */
export async function registerClient(
  domain: Domain,
  actor: Actor,
  sources: ParameterSources,
): Promise<Registered> {
  const settings = domain.settings.current()
  const limited = limitRegistrations(domain, actor.address)
  if (limited) return { outcome: 'refused', refusal: limited }
  const checked = checkClientRegistration(sources, { settings, scopes: domain.scopes })
  if (checked.outcome === 'refused') return checked
  const { clientId, applicationName, publicKey, publicKeyPem, authRedirect, scopes } = checked.registration
  try {
    await commit(domain, actor, async (session) => {
      await session.clients.insert({
        clientId,
        applicationName,
        createdAt: domain.clock.now(),
        registration: {
          publicKey: publicKeyPem,
          publicKeyFingerprint: fingerprintOf(publicKey),
          authRedirect,
          scopes,
        },
      })
      return {
        result: undefined,
        events: [{ type: 'client_registered', clientId, applicationName, authRedirect, scopes }],
      }
    })
  } catch (error) {
    if (error instanceof UniqueViolation && error.field === 'client_id') return taken
    throw error
  }
  return { outcome: 'registered' }
}

/** Says that the client is registered (§7.1), or why not. Reason: `client_unknown`. */
export async function checkRegistered(store: StoreSession, clientId: string): Promise<Refusal | undefined> {
  const client = await store.clients.findByClientId(clientId)
  return client?.authRedirect ? undefined : refusal('client_unknown')
}

/** The client that registered this key, if there is one. */
export async function findClientOfKey(
  store: StoreSession,
  publicKey: RsaPublicKey,
): Promise<ClientRecord | undefined> {
  return store.clients.findByPublicKey(fingerprintOf(publicKey))
}

const taken: Registered = { outcome: 'refused', refusal: refusal('client_id_taken') }

function limitRegistrations(domain: Domain, address: string | null): Refusal | undefined {
  const exempt = domain.settings.current().create_user_api_key_client_ip_rate_limit_override_ips
  if (addressMatcher(exempt)(address)) return undefined
  return countAgainst(domain, [[perDay('user_api_key_clients_create_per_day'), addressBucket(address)]])
}

function fingerprintOf({ spki }: RsaPublicKey): string {
  return createHash('sha256').update(spki).digest('hex')
}
