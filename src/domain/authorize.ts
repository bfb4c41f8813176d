/** Approving an app: what the consent page needs to know, and the transition that issues the key (protocol §3). */
import {
  type AuthorizationParameters,
  type AuthorizationRequest,
  checkAuthorization,
} from '../protocol/authorization-request.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { sealPayload, serializePayload } from '../protocol/payload.ts'
import type { Settings } from '../protocol/settings.ts'
import { commit } from './commit.ts'
import type { Actor, DomainEvent } from './events.ts'
import { newUserApiKeyText } from './key-text.ts'
import type { Domain } from './ports.ts'
import type { ClientRecord, StoreSession, UserApiKeyRecord } from './store.ts'
import { groupsOf, isStaff, type User } from './user.ts'

/** What becomes of a request before anybody decides on it (protocol §3.2). */
export type Review =
  | { readonly outcome: 'refused'; readonly refusal: Refusal }
  | { readonly outcome: 'sign_in_needed'; readonly request: AuthorizationRequest }
  | { readonly outcome: 'not_allowed'; readonly refusal: Refusal; readonly request: AuthorizationRequest }
  | {
      readonly outcome: 'ready'
      readonly request: AuthorizationRequest
      /** The user's newest key of this client that is not revoked: approval replaces it. */
      readonly replaces: UserApiKeyRecord | undefined
      /** When the new key would expire, in milliseconds since the epoch; null for never. */
      readonly expiresAt: number | null
    }

/** An approval carried out. */
export interface Approved {
  readonly outcome: 'approved'
  readonly request: AuthorizationRequest
  /** The sealed payload, in the wire's Base64 (protocol §4.4). */
  readonly payload: string
}

/** Looks at a request without changing anything. `baseUrl` serves the example in a refusal. */
export async function reviewAuthorization(
  domain: Domain,
  parameters: AuthorizationParameters,
  user: User | undefined,
  baseUrl: string,
): Promise<Review> {
  const settings = domain.settings.current()
  const client = await findClient(domain.store, parameters.clientId)
  const checked = checkAuthorization(parameters, { client, settings, scopes: domain.scopes, baseUrl })
  if (checked.outcome === 'refused') return checked
  const { request } = checked
  if (!user) return { outcome: 'sign_in_needed', request }
  const problem = checkGroups(user, settings)
  if (problem) return { outcome: 'not_allowed', refusal: problem, request }
  const keys = client ? await domain.store.userApiKeys.listByUser(user.id) : []
  return {
    outcome: 'ready',
    request,
    replaces: keys.find((key) => key.client.id === client?.id && key.revokedAt === null),
    expiresAt: expiryOf(request, domain.clock.now()),
  }
}

/**
 * Issues the key that `user` approved. All that could refuse it, the payload's size included, is checked before
 * anything changes; then one transaction finds or makes the client, deletes the user's older keys of that client, and
 * stores the new one. The key's text is in the sealed payload and nowhere else.
 */
export async function approveAuthorization(
  domain: Domain,
  actor: Actor,
  parameters: AuthorizationParameters,
  user: User,
  baseUrl: string,
): Promise<Approved | { readonly outcome: 'refused'; readonly refusal: Refusal }> {
  const settings = domain.settings.current()
  const checked = checkAuthorization(parameters, {
    client: await findClient(domain.store, parameters.clientId),
    settings,
    scopes: domain.scopes,
    baseUrl,
    groupCheck: () => checkGroups(user, settings),
  })
  if (checked.outcome === 'refused') return checked
  const { request } = checked
  const now = domain.clock.now()
  const expiresAt = expiryOf(request, now)
  const key = newUserApiKeyText(domain.random)
  const text = serializePayload({
    key: key.text,
    nonce: request.nonce,
    push: hasPush(request, settings),
    ...(expiresAt === null ? {} : { expiresAt }),
  })
  const payload = await sealPayload(request.publicKey, request.padding, text, (length) =>
    domain.random.bytes(length),
  )

  await commit(domain, actor, async (session) => {
    const { client, events } = await findOrCreateClient(session, request, parameters.applicationName, now)
    const replaced = await session.userApiKeys.deleteByUserAndClient(user.id, client.id)
    const issued = await session.userApiKeys.insert({
      userId: user.id,
      clientRowId: client.id,
      keyHash: key.hash,
      scopes: request.scopes.map((name) => ({ name, allowedParameters: null })),
      pushUrl: request.pushUrl ?? null,
      createdAt: now,
      expiresAt,
    })
    return {
      result: undefined,
      events: [
        ...events,
        ...replaced.map((old): DomainEvent => ({ type: 'user_api_key_replaced', ...keyFacts(old) })),
        { type: 'user_api_key_issued', ...keyFacts(issued), scopes: request.scopes },
      ],
    }
  })
  return { outcome: 'approved', request, payload }
}

/** Which key an event is about. */
export function keyFacts(key: UserApiKeyRecord): {
  readonly keyId: number
  readonly keyHash: string
  readonly userId: string
  readonly clientId: string
} {
  return { keyId: key.id, keyHash: key.keyHash, userId: key.userId, clientId: key.client.clientId }
}

async function findClient(
  store: StoreSession,
  clientId: string | undefined,
): Promise<ClientRecord | undefined> {
  return clientId === undefined ? undefined : store.clients.findByClientId(clientId)
}

/** Staff always may; others when one of their groups is on the list (protocol §14). */
function checkGroups(user: User, settings: Settings): Refusal | undefined {
  const allowed = settings.user_api_key_allowed_groups
  const may = isStaff(user) || groupsOf(user).some((group) => allowed.includes(group))
  return may ? undefined : refusal('group_not_allowed')
}

function expiryOf(request: AuthorizationRequest, now: number): number | null {
  return request.expiresInSeconds === undefined ? null : now + request.expiresInSeconds * 1000
}

/** Whether notifications will be pushed for the key (protocol §9); an unlisted address is no error. */
function hasPush(request: AuthorizationRequest, settings: Settings): boolean {
  return (
    request.pushUrl !== undefined &&
    request.scopes.some((scope) => scope === 'push' || scope === 'notifications') &&
    settings.allowed_user_api_push_urls.includes(request.pushUrl)
  )
}

/** The request's own name, when it gives one, is the client's name from now on (protocol §3.3). */
async function findOrCreateClient(
  session: StoreSession,
  request: AuthorizationRequest,
  givenName: string | undefined,
  now: number,
): Promise<{ client: ClientRecord; events: readonly DomainEvent[] }> {
  const { clientId, applicationName } = request
  const found = await session.clients.findByClientId(clientId)
  if (!found) {
    const client = await session.clients.insert({ clientId, applicationName, createdAt: now })
    return { client, events: [{ type: 'client_first_seen', clientId, applicationName }] }
  }
  if (givenName === undefined || givenName === found.applicationName) return { client: found, events: [] }
  await session.clients.rename(found.id, givenName)
  return { client: found, events: [{ type: 'client_renamed', clientId, applicationName: givenName }] }
}
