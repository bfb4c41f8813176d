import { commit } from './commit.ts'
import type { Actor, DomainEvent } from './events.ts'
import { hashSecret, newApiKeyText } from './key-text.ts'
import type { Domain } from './ports.ts'
import type { ApiKeyRecord } from './store.ts'
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
}

/** Makes an administrator's API key (protocol §11.3). `text` is told once, here, and never again. */
export async function createApiKey(
  domain: Domain,
  actor: Actor,
  request: ApiKeyRequest,
): Promise<{ readonly record: ApiKeyRecord; readonly text: string }> {
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
      createdAt: domain.clock.now(),
    })
    const event: DomainEvent = {
      type: 'api_key_created',
      apiKeyId: inserted.id,
      keyHash: inserted.keyHash,
      userId: inserted.userId,
      route: request.route,
    }
    return { result: inserted, events: [event] }
  })
  return { record, text: secret.text }
}
