import type { Refusal } from '../protocol/errors.ts'
import type { ApiKeyScopeMode, GrantedApiKeyScope, GrantedScope } from './store.ts'
import type { User } from './user.ts'

/** Somebody known by the browser's session cookie, or by the host application's own sign-in. */
export interface SessionIdentity {
  readonly via: 'session'
  readonly user: User
}

/** An app that holds a user API key. */
export interface UserApiKeyIdentity {
  readonly via: 'user_api_key'
  /** The user who approved the app. */
  readonly user: User
  readonly key: {
    readonly id: number
    readonly clientId: string
    readonly applicationName: string
    readonly scopes: readonly GrantedScope[]
  }
}

/** A server that holds an administrator's API key. */
export interface ApiKeyIdentity {
  readonly via: 'api_key'
  /** The user that the request acts for. */
  readonly user: User
  readonly apiKey: {
    readonly id: number
    readonly description: string
    readonly scopeMode: ApiKeyScopeMode
    /** What it may do; of no effect in the mode `global`. */
    readonly scopes: readonly GrantedApiKeyScope[]
  }
}

export type Identity = SessionIdentity | UserApiKeyIdentity | ApiKeyIdentity

/** The answer to «who sent this request, and may they?». */
export type Authentication =
  | { readonly outcome: 'anonymous' }
  | { readonly outcome: 'authenticated'; readonly identity: Identity }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }
