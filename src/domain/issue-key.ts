/** Issuing a user API key, whichever flow the approval came by (protocol §3.3, §5.4). */

import { serializePayload } from '../protocol/payload.ts'
import type { RsaPublicKey } from '../protocol/public-key.ts'
import type { Padding } from '../protocol/rsaes.ts'
import { grantsOf, type ScopeParameters } from '../protocol/scope-parameters.ts'
import { commit } from './commit.ts'
import type { Actor } from './events.ts'
import { hasPush } from './has-push.ts'
import { newUserApiKeyText } from './key-text.ts'
import type { Domain } from './ports.ts'
import { seal } from './seal.ts'
import { oneTimePasswordScope, sealOneTimePassword } from './seal-one-time-password.ts'
import type { StoreSession } from './store.ts'
import { storeUserApiKey } from './store-key.ts'
import type { User } from './user.ts'

/** A checked request, as far as issuing needs it. */
export interface Grant {
  readonly nonce: string
  readonly scopes: readonly string[]
  /** What scopes are narrowed to. Default: none is. */
  readonly scopeParameters?: ScopeParameters
  readonly clientId: string
  readonly applicationName: string
  readonly publicKey: RsaPublicKey
  readonly padding: Padding
  readonly pushUrl?: string
  /** Where the sealed values go; absent when they go nowhere by themselves. */
  readonly authRedirect?: string
}

/** What the app gets; both are in the wire's Base64 (protocol §4.4). */
export interface Issued {
  /** The sealed payload, which alone holds the key's text. */
  readonly payload: string
  /** The sealed one-time password; undefined unless the key has the scope for it (protocol §3.3). */
  readonly oneTimePassword: string | undefined
}

export interface IssueOptions {
  /** Who approved. */
  readonly user: User
  /** When the key expires, in milliseconds since the epoch; null for never. */
  readonly expiresAt: number | null
  /** The name that the client has from now on. Default: a client that is known keeps the name it has. */
  readonly rename?: string | undefined
  /**
   * Takes what the approval rests on, first thing in the same transaction; when it answers false it was gone, and
   * nothing is issued. Default: there is nothing to take.
   */
  readonly claim?: (session: StoreSession, payload: string) => Promise<boolean>
}

/**
 * Issues a key. All that could refuse it has been checked before. One transaction finds or makes the client, deletes
 * the user's older keys of that client, and stores the new one, and the one-time password when the scope for it was
 * asked for. Undefined when there was nothing to claim.
 */
export async function issueUserApiKey(
  domain: Domain,
  actor: Actor,
  grant: Grant,
  options: IssueOptions,
): Promise<Issued | undefined> {
  const { user, expiresAt, claim } = options
  const now = domain.clock.now()
  const key = newUserApiKeyText(domain.random)
  const text = serializePayload({
    key: key.text,
    nonce: grant.nonce,
    push: hasPush(grant, domain.settings.current()),
    ...(expiresAt === null ? {} : { expiresAt }),
  })
  const payload = seal(grant.publicKey, grant.padding, text)
  const password = grant.scopes.includes(oneTimePasswordScope)
    ? sealOneTimePassword(domain, user, grant)
    : undefined

  return commit<Issued | undefined>(domain, actor, async (session) => {
    if (claim && !(await claim(session, payload))) return { result: undefined, events: [] }
    const { events } = await storeUserApiKey(session, {
      userId: user.id,
      clientId: grant.clientId,
      applicationName: grant.applicationName,
      rename: options.rename,
      keyHash: key.hash,
      scopes: grantsOf(grant.scopes, grant.scopeParameters),
      pushUrl: grant.pushUrl ?? null,
      createdAt: now,
      expiresAt,
    })
    if (!password) return { result: { payload, oneTimePassword: undefined }, events }
    await session.oneTimePasswords.insert(password.record)
    return { result: { payload, oneTimePassword: password.sealed }, events: [...events, password.event] }
  })
}
