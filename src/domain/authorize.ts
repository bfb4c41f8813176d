/** Approving an app: what the consent page needs to know, and the transition that issues the key (protocol §3). */
import {
  type AuthorizationParameters,
  type AuthorizationRequest,
  checkAuthorization,
} from '../protocol/authorization-request.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import type { Settings } from '../protocol/settings.ts'
import type { Actor } from './events.ts'
import type { Identity } from './identity.ts'
import { type Issued, issueUserApiKey } from './issue-key.ts'
import type { Domain } from './ports.ts'
import { oneTimePasswordScope } from './seal-one-time-password.ts'
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
export interface Approved extends Issued {
  readonly outcome: 'approved'
  readonly request: AuthorizationRequest
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
 * Issues the key that `identity` approved. All that could refuse it, the payload's size included, is checked before
 * anything changes; then one transaction finds or makes the client, deletes the user's older keys of that client, and
 * stores the new one. The key's text is in the sealed payload and nowhere else.
 */
export async function approveAuthorization(
  domain: Domain,
  actor: Actor,
  parameters: AuthorizationParameters,
  identity: Identity,
  baseUrl: string,
): Promise<Approved | { readonly outcome: 'refused'; readonly refusal: Refusal }> {
  const { user } = identity
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
  const problem = request.scopes.includes(oneTimePasswordScope)
    ? checkMayGetOneTimePassword(identity)
    : undefined
  if (problem) return { outcome: 'refused', refusal: problem }
  // The request's own name, when it gives one, is the client's name from now on (§3.3).
  const issued = await issueUserApiKey(domain, actor, request, {
    user,
    expiresAt: expiryOf(request, domain.clock.now()),
    rename: parameters.applicationName,
  })
  // Without a claim there is always one.
  if (issued === undefined) throw new TypeError('a key without a claim was not issued')
  return { outcome: 'approved', request, ...issued }
}

/** The client that a request names, if it has been here before. */
export async function findClient(
  store: StoreSession,
  clientId: string | undefined,
): Promise<ClientRecord | undefined> {
  return clientId === undefined ? undefined : store.clients.findByClientId(clientId)
}

/** Whether the user may approve apps: staff always, others when one of their groups is on the list (protocol §14). */
export function checkGroups(user: User, settings: Settings): Refusal | undefined {
  const allowed = settings.user_api_key_allowed_groups
  const may = isStaff(user) || groupsOf(user).some((group) => allowed.includes(group))
  return may ? undefined : refusal('group_not_allowed')
}

/** Whether an app that sends a key may get further keys with it (protocol §3.3); the site decides. Reason: `not_permitted`. */
export function checkMayMint(identity: Identity, settings: Settings): Refusal | undefined {
  if (identity.via !== 'user_api_key' || settings.user_api_key_write_may_mint) return undefined
  return refusal('not_permitted', {
    problem: 'on this site a user API key cannot approve further keys',
    remedy: 'approve in a browser, or ask an administrator to change the setting user_api_key_write_may_mint',
  })
}

/**
 * Whether somebody may have a one-time password. It becomes a browser session, which can do what decision 5 keeps from
 * user API keys; so that an app of somebody on the staff gets one only with a key whose scopes told them. Reason:
 * `not_permitted`.
 */
export function checkMayGetOneTimePassword(identity: Identity): Refusal | undefined {
  if (identity.via !== 'user_api_key' || !isStaff(identity.user)) return undefined
  if (identity.key.scopes.some(({ name }) => name === oneTimePasswordScope)) return undefined
  return refusal('not_permitted', {
    problem: `a user API key of a staff member gets a one-time password only with the scope ${oneTimePasswordScope}`,
    remedy: `approve in a browser, or ask for a key with the scope ${oneTimePasswordScope}`,
  })
}

function expiryOf(request: AuthorizationRequest, now: number): number | null {
  return request.expiresInSeconds === undefined ? null : now + request.expiresInSeconds * 1000
}
