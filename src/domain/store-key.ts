/** Storing a new user API key, in whichever flow it was approved: what every one of them does to the store. */
import { narrowedScopes } from '../protocol/scope-parameters.ts'
import type { DomainEvent, NarrowingFacts } from './events.ts'
import type { ClientRecord, GrantedScope, StoreSession, UserApiKeyAge, UserApiKeyRecord } from './store.ts'

/** A key about to be stored. */
export interface KeyToStore {
  readonly userId: string
  readonly clientId: string
  /** The name of a client that is not known yet. */
  readonly applicationName: string
  /** The name that a client which is known has from now on. Default: the name it has. */
  readonly rename?: string | undefined
  readonly keyHash: string
  readonly scopes: readonly GrantedScope[]
  readonly pushUrl: string | null
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly expiresAt: number | null
}

/**
 * Finds or makes the client, deletes the user's older keys of it, and stores the new one. To be called in a
 * transaction, whose events these are.
 */
export async function storeUserApiKey(
  session: StoreSession,
  key: KeyToStore,
): Promise<{ readonly record: UserApiKeyRecord; readonly events: readonly DomainEvent[] }> {
  const { client, isNew, events } = await findOrCreateClient(session, key)
  // Of a client that was just made there is none.
  const replaced = isNew ? [] : await session.userApiKeys.deleteByUserAndClient(key.userId, client.id)
  const record = await session.userApiKeys.insert({
    userId: key.userId,
    clientRowId: client.id,
    keyHash: key.keyHash,
    scopes: key.scopes,
    pushUrl: key.pushUrl,
    createdAt: key.createdAt,
    expiresAt: key.expiresAt,
  })
  return {
    record,
    events: [
      ...events,
      ...replaced.map((old): DomainEvent => ({ type: 'user_api_key_replaced', ...keyFacts(old) })),
      {
        type: 'user_api_key_issued',
        ...keyFacts(record),
        scopes: key.scopes.map(({ name }) => name),
        ...narrowingFacts(key.scopes),
      },
    ],
  }
}

/** What an event says of narrowed scopes: nothing where there are none. */
export function narrowingFacts(scopes: readonly GrantedScope[]): NarrowingFacts {
  const narrowed = narrowedScopes(scopes)
  if (narrowed.length === 0) return {}
  return { narrowedTo: Object.fromEntries(narrowed.map((one) => [one.name, one.allowed_parameters])) }
}

/** Which key an event is about. */
export function keyFacts(key: UserApiKeyAge): {
  readonly keyId: number
  readonly keyHash: string
  readonly userId: string
  readonly clientId: string
} {
  return { keyId: key.id, keyHash: key.keyHash, userId: key.userId, clientId: key.client.clientId }
}

async function findOrCreateClient(
  session: StoreSession,
  { clientId, applicationName, rename, createdAt }: KeyToStore,
): Promise<{ client: ClientRecord; isNew: boolean; events: readonly DomainEvent[] }> {
  const found = await session.clients.findByClientId(clientId)
  if (!found) {
    const client = await session.clients.insert({ clientId, applicationName, createdAt })
    return { client, isNew: true, events: [{ type: 'client_first_seen', clientId, applicationName }] }
  }
  if (rename === undefined || rename === found.applicationName)
    return { client: found, isNew: false, events: [] }
  await session.clients.rename(found.id, rename)
  return {
    client: found,
    isNew: false,
    events: [{ type: 'client_renamed', clientId, applicationName: rename }],
  }
}
