import { hashSecret } from '../domain/key-text.ts'
import type { GrantedScope, UserApiKeyRecord } from '../domain/store.ts'
import { checkOwner, type User } from '../domain/user.ts'
import { checkActive } from '../domain/user-api-keys.ts'
import { narrowingOf } from '../protocol/scope-parameters.ts'
import { findUserApiKey } from './authenticate-user-api-key.ts'
import type { Verifier } from './verifier.ts'

/** What a text is as a user API key, at this moment. */
export type Introspection =
  | { readonly outcome: 'inactive' }
  | {
      readonly outcome: 'active'
      readonly key: UserApiKeyRecord
      readonly owner: User
      /** The scopes that permit all they can, by name. */
      readonly scopes: readonly string[]
      /** Those that the key has for some values of parameters only. */
      readonly narrowed: readonly GrantedScope[]
    }

/**
 * Looks at a user API key without using it: no limit of the key's is counted, and its last use stays what it was. A key
 * that would be refused now, because it is unknown, revoked or expired or its owner may not act, is inactive, and why is
 * not told. What is remembered of it is as fresh as for any request.
 */
export async function introspect(verifier: Verifier, text: string): Promise<Introspection> {
  const known = await findUserApiKey(verifier, hashSecret(text))
  if (!known) return { outcome: 'inactive' }
  const { key, owner } = known
  const now = verifier.domain.clock.now()
  if (checkActive(key, now) ?? checkOwner(owner, now)) return { outcome: 'inactive' }
  // A scope that the site no longer has permits nothing.
  const granted = key.scopes.filter(({ name }) => verifier.domain.scopes.find(name))
  const narrowed = granted.filter(({ allowedParameters }) => narrowingOf(allowedParameters).length > 0)
  const scopes = granted.filter((scope) => !narrowed.includes(scope)).map(({ name }) => name)
  return { outcome: 'active', key, owner, scopes, narrowed }
}
