/** Administrators' API keys: making, changing, revoking and deleting them (protocol §11). */
import { apiKeyScopeId } from '../protocol/api-key-scopes.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { addressMatcher } from './address.ts'
import { commit } from './commit.ts'
import type { Actor, DomainEvent } from './events.ts'
import { hashSecret, newApiKeyText } from './key-text.ts'
import type { Domain } from './ports.ts'
import type {
  ApiKeyChange,
  ApiKeyRecord,
  ApiKeyScopeMode,
  GrantedApiKeyScope,
  StoreSession,
} from './store.ts'
import type { User } from './user.ts'

/** What a new API key is for. */
export interface ApiKeyRequest {
  /** The user it acts for; undefined for a key that acts for whichever user each request names. */
  readonly user: User | undefined
  /** What it is for, in its maker's words; at most 255 characters. */
  readonly description: string
  /** Through which door it was asked for; for the audit log. */
  readonly route: Extract<DomainEvent, { type: 'api_key_created' }>['route']
  /** The key's text, 64 hexadecimal characters, where the configuration brings it. Default: a new random one. */
  readonly text?: string
  /** What it may do: everything (`global`, the default), GET of everything, or what `scopes` says. */
  readonly scopeMode?: ApiKeyScopeMode
  /** The scopes of a `granular` key. Default: none, which permit nothing. */
  readonly scopes?: readonly GrantedApiKeyScope[]
  /** The addresses and ranges that it may be used from. Default: everywhere. */
  readonly allowedIps?: readonly string[]
}

/** The outcome of changing a key; the key as it is now. */
export type ChangedApiKey =
  | { readonly outcome: 'changed'; readonly record: ApiKeyRecord }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }

/** A key that only reads has this one scope (protocol §11.3). */
const readOnly: readonly GrantedApiKeyScope[] = [
  { resource: 'global', action: 'read', allowedParameters: null },
]

/**
 * Makes an administrator's API key (protocol §11.3). `text` is told once, here, and never again.
 *
 * @throws TypeError or RangeError for an allowed address that is none
 */
export async function createApiKey(
  domain: Domain,
  actor: Actor,
  request: ApiKeyRequest,
): Promise<{ readonly record: ApiKeyRecord; readonly text: string }> {
  const { scopeMode = 'global', route, allowedIps = [] } = request
  // A key that is held against what is no address would fault at each use.
  addressMatcher(allowedIps)
  const scopes = { global: [], read_only: readOnly, granular: request.scopes ?? [] }[scopeMode]
  const secret = request.text
    ? { text: request.text, hash: hashSecret(request.text) }
    : newApiKeyText(domain.random)
  const record = await commit(domain, actor, async (session) => {
    const inserted = await session.apiKeys.insert({
      userId: request.user?.id ?? null,
      createdById: actor.userId,
      keyHash: secret.hash,
      truncatedKey: secret.text.slice(0, 4),
      description: request.description,
      scopeMode,
      scopes,
      allowedIps,
      hidden: false,
      createdAt: domain.clock.now(),
    })
    const granted = scopes.map(apiKeyScopeId)
    const event: DomainEvent = {
      type: 'api_key_created',
      ...facts(inserted),
      route,
      scopeMode,
      scopes: granted,
    }
    return { result: inserted, events: [event] }
  })
  return { record, text: secret.text }
}

/** Changes what is given (protocol §11.4). Reason: `not_found`. */
export function updateApiKey(
  domain: Domain,
  actor: Actor,
  id: number,
  asked: ApiKeyChange,
): Promise<ChangedApiKey> {
  return change(domain, actor, id, async (session, key) => {
    const { description, allowedIps } = asked
    const changed: ApiKeyChange = {
      ...(description === undefined || description === key.description ? {} : { description }),
      ...(allowedIps === undefined || sameItems(allowedIps, key.allowedIps) ? {} : { allowedIps }),
    }
    if (Object.keys(changed).length === 0) return undefined
    await session.apiKeys.update(id, changed, domain.clock.now())
    return { type: 'api_key_updated', ...facts(key), ...changed }
  })
}

/** Revokes a key; it is refused from the next request on. A revoked key stays as it is. Reason: `not_found`. */
export function revokeApiKey(domain: Domain, actor: Actor, id: number): Promise<ChangedApiKey> {
  return change(domain, actor, id, async (session, key) => {
    if (key.revokedAt !== null) return undefined
    const now = domain.clock.now()
    await session.apiKeys.setRevokedAt(id, now, now)
    return { type: 'api_key_revoked', ...facts(key) }
  })
}

/** Takes a revocation back (protocol §11.6). Reason: `not_found`. */
export function restoreApiKey(domain: Domain, actor: Actor, id: number): Promise<ChangedApiKey> {
  return change(domain, actor, id, async (session, key) => {
    if (key.revokedAt === null) return undefined
    await session.apiKeys.setRevokedAt(id, null, domain.clock.now())
    return { type: 'api_key_restored', ...facts(key) }
  })
}

/** Deletes a key for good (protocol §11.5). Answers with what it was. Reason: `not_found`. */
export function deleteApiKey(domain: Domain, actor: Actor, id: number): Promise<ChangedApiKey> {
  return change(domain, actor, id, async (session, key) => {
    await session.apiKeys.delete(id)
    return { type: 'api_key_deleted', ...facts(key), description: key.description }
  })
}

/** `work` changes the key that is there and says what happened; undefined when there was nothing to change. */
async function change(
  domain: Domain,
  actor: Actor,
  id: number,
  work: (session: StoreSession, key: ApiKeyRecord) => Promise<DomainEvent | undefined>,
): Promise<ChangedApiKey> {
  return commit<ChangedApiKey>(domain, actor, async (session) => {
    const key = await session.apiKeys.findById(id)
    if (!key) {
      const missing = refusal('not_found', { what: `API key ${id}` })
      return { result: { outcome: 'refused', refusal: missing }, events: [] }
    }
    const event = await work(session, key)
    const record = (await session.apiKeys.findById(id)) ?? key
    return { result: { outcome: 'changed', record }, events: event ? [event] : [] }
  })
}

function facts(key: ApiKeyRecord): { apiKeyId: number; keyHash: string; userId: string | null } {
  return { apiKeyId: key.id, keyHash: key.keyHash, userId: key.userId }
}

function sameItems(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index])
}
