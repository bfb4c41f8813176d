/** A key whose app has another client id than before (protocol §8.5). */
import { type Refusal, refusal } from '../protocol/errors.ts'
import { commit, type Transition } from './commit.ts'
import type { Actor, DomainEvent } from './events.ts'
import { countAgainst, perDay } from './limits.ts'
import type { Domain } from './ports.ts'
import { type ClientRecord, type StoreSession, UniqueViolation, type UserApiKeyRecord } from './store.ts'
import { keyFacts } from './store-key.ts'
import type { Changed } from './user-api-keys.ts'

/** The longest client id, in bytes: as long as an authorization request may have it. */
const longestClientId = 1000

/**
 * Moves a key to the client named `clientId`: one that is made for it, with the name that its app had, or one that is
 * there, if only this user has keys of it and it is not registered. Nothing else about the key changes, and no other
 * key does. A key that has the client already stays as it is, so that of many requests at once one changes something.
 *
 * Reasons: `client_change_refused`, `parameter_too_long`, `rate_limited`; `user_api_key_invalid` for a key that is gone.
 */
export async function changeClient(
  domain: Domain,
  actor: Actor,
  keyId: number,
  clientId: string,
): Promise<Changed> {
  const length = Buffer.byteLength(clientId)
  if (length > longestClientId) {
    const details = { field: 'User-Api-Client-Id', actual: length, limit: longestClientId }
    return { outcome: 'refused', refusal: refusal('parameter_too_long', details) }
  }
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await commit(domain, actor, (session) => moveKey(domain, session, keyId, clientId))
    } catch (error) {
      // Another process has made the client meanwhile: the next attempt finds it.
      if (!(error instanceof UniqueViolation) || attempt === 3) throw error
    }
  }
}

async function moveKey(
  domain: Domain,
  session: StoreSession,
  keyId: number,
  clientId: string,
): Promise<Transition<Changed>> {
  const key = await session.userApiKeys.findById(keyId)
  if (!key) return refused(refusal('user_api_key_invalid'))
  if (key.client.clientId === clientId) return { result: { outcome: 'changed' }, events: [] }
  const found = await session.clients.findByClientId(clientId)
  const problem = found && (await whyTaken(session, found, key))
  if (problem !== undefined) return refused(refusal('client_change_refused', { problem }))
  // Counted here, where of many requests at once only the first arrives.
  const limited = countAgainst(domain, [[perDay('max_user_api_key_client_changes_per_day'), key.keyHash]])
  if (limited) return refused(limited)
  const { applicationName } = key.client
  const client =
    found ?? (await session.clients.insert({ clientId, applicationName, createdAt: domain.clock.now() }))
  await session.userApiKeys.setClient(keyId, client.id)
  const firstSeen: readonly DomainEvent[] = found
    ? []
    : [{ type: 'client_first_seen', clientId, applicationName }]
  return {
    result: { outcome: 'changed' },
    events: [
      ...firstSeen,
      { type: 'user_api_key_client_changed', ...keyFacts(key), clientId, from: key.client.clientId },
    ],
  }
}

function refused(why: Refusal): Transition<Changed> {
  return { result: { outcome: 'refused', refusal: why }, events: [] }
}

/** Says why the key cannot have a client that is there; undefined when it can. */
async function whyTaken(
  session: StoreSession,
  { id, publicKey, authRedirect }: ClientRecord,
  { userId }: UserApiKeyRecord,
): Promise<string | undefined> {
  if (publicKey !== null || authRedirect !== null) return 'is registered'
  return (await session.userApiKeys.hasOtherOwner(id, userId)) ? 'belongs to somebody else' : undefined
}
