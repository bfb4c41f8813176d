/**
 * What happened. A verb's transition yields a list of these; the audit log takes them inside the transaction, and
 * whoever keeps something in memory hears of them after the commit.
 */
import type { ScopeParameters } from '../protocol/scope-parameters.ts'

interface KeyEvent {
  readonly keyId: number
  /** Lets a cache drop the key without a look-up. */
  readonly keyHash: string
  readonly userId: string
  readonly clientId: string
}

interface ApiKeyEvent {
  readonly apiKeyId: number
  readonly keyHash: string
  /** Null for a key that acts for all users. */
  readonly userId: string | null
}
/** What scopes are narrowed to; absent where none is. */
export interface NarrowingFacts {
  readonly narrowedTo?: ScopeParameters
}

/** Why a job revoked a key; absent where a person did. */
export type RevocationCause = 'unused' | 'maximum_life'

export type DomainEvent =
  | ({ readonly type: 'user_api_key_issued'; readonly scopes: readonly string[] } & NarrowingFacts & KeyEvent)
  | ({ readonly type: 'user_api_key_replaced' } & KeyEvent)
  | ({ readonly type: 'user_api_key_revoked'; readonly cause?: RevocationCause } & KeyEvent)
  | ({ readonly type: 'user_api_key_restored' } & KeyEvent)
  /** `clientId` is the one it has now, `from` the one it had. */
  | ({ readonly type: 'user_api_key_client_changed'; readonly from: string } & KeyEvent)
  | ({ readonly type: 'user_api_key_deleted' } & KeyEvent)
  | { readonly type: 'client_deleted'; readonly clientId: string; readonly applicationName: string }
  | { readonly type: 'device_request_denied'; readonly clientId: string }
  | {
      readonly type: 'client_registered'
      readonly clientId: string
      readonly applicationName: string
      readonly authRedirect: string
      readonly scopes: readonly string[]
    }
  | {
      readonly type: 'one_time_password_issued'
      readonly userId: string
      readonly applicationName: string
      readonly authRedirect: string | null
    }
  | {
      readonly type: 'one_time_password_used'
      readonly userId: string
      /** False when the user was signed in already, so that it was only thrown away. */
      readonly signedIn: boolean
    }
  /** The key is issued to the poll that follows (RFC 8628). */
  | ({
      readonly type: 'device_request_approved'
      readonly clientId: string
      readonly scopes: readonly string[]
    } & NarrowingFacts)
  | { readonly type: 'client_first_seen'; readonly clientId: string; readonly applicationName: string }
  | { readonly type: 'client_renamed'; readonly clientId: string; readonly applicationName: string }
  | ({
      readonly type: 'api_key_created'
      /** `legacy` for the route of before 2019. */
      readonly route: 'current' | 'legacy' | 'bootstrap'
      readonly scopeMode: string
      /** As `resource:action`. */
      readonly scopes: readonly string[]
    } & ApiKeyEvent)
  | ({
      readonly type: 'api_key_updated'
      /** What it has now; absent for what stayed as it was. */
      readonly description?: string
      readonly allowedIps?: readonly string[]
    } & ApiKeyEvent)
  | ({ readonly type: 'api_key_deleted'; readonly description: string } & ApiKeyEvent)
  | ({ readonly type: 'api_key_revoked'; readonly cause?: RevocationCause } & ApiKeyEvent)
  | ({ readonly type: 'api_key_restored' } & ApiKeyEvent)
  | { readonly type: 'user_created'; readonly userId: string }
  | { readonly type: 'user_changed'; readonly userId: string; readonly change: string }
  | { readonly type: 'signed_in'; readonly userId: string }
  | {
      /** Pushes to one address that were given up. */
      readonly type: 'push_delivery_dead'
      readonly deliveryIds: readonly number[]
      readonly targetUrl: string
      /** Why, in words. */
      readonly problem: string
    }
  | { readonly type: 'push_delivery_retried'; readonly deliveryId: number; readonly targetUrl: string }
  /** `kid` names a key that signs identities for the application behind. */
  | { readonly type: 'signing_key_made'; readonly kid: string }
  | { readonly type: 'signing_key_deleted'; readonly kid: string }
  | { readonly type: 'job_run_asked_for'; readonly job: string }
  | { readonly type: 'setting_changed'; readonly name: string; readonly from: string; readonly to: string }

/** Who caused an event, and from where; for the audit log. */
export interface Actor {
  /** Null for the system itself. */
  readonly userId: string | null
  /** How they were known: a browser session, a key, the code of a device they approved, or the program itself. */
  readonly via: 'session' | 'user_api_key' | 'api_key' | 'device_code' | 'host' | 'system'
  /** The address the request came from; null when there was none. */
  readonly address: string | null
  /** The trace of the request that it acts by; absent where there is none. */
  readonly traceId?: string | undefined
}

/** The program itself, acting on its own. */
export const systemActor: Actor = { userId: null, via: 'system', address: null }
