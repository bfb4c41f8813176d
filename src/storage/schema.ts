import type { Generated } from 'kysely'
import type { ApiKeyScopeMode } from '../domain/store.ts'

/**
 * Hallpass's tables, named as in protocol §15 where it names them. The same on every database: booleans are integers
 * (0, 1), times are milliseconds since the Unix epoch, JSON is text, hashes are lower-case hexadecimal. User ids are
 * the directory's opaque strings, so no foreign key leads from a key to `users`.
 */
export interface HallpassTables {
  user_api_key_clients: UserApiKeyClientsTable
  user_api_key_client_scopes: UserApiKeyClientScopesTable
  user_api_keys: UserApiKeysTable
  user_api_key_scopes: UserApiKeyScopesTable
  api_keys: ApiKeysTable
  api_key_scopes: ApiKeyScopesTable
  users: UsersTable
  external_accounts: ExternalAccountsTable
  sessions: SessionsTable
  authorization_requests: AuthorizationRequestsTable
  one_time_passwords: OneTimePasswordsTable
  device_requests: DeviceRequestsTable
  device_approvals: DeviceApprovalsTable
  push_deliveries: PushDeliveriesTable
  site_settings: SiteSettingsTable
  audit_events: AuditEventsTable
  cache_changes: CacheChangesTable
  job_runs: JobRunsTable
  signing_keys: SigningKeysTable
}

interface UserApiKeyClientsTable {
  id: Generated<number>
  client_id: string
  application_name: string
  public_key: string | null
  auth_redirect: string | null
  /** SHA-256 of the public key as SubjectPublicKeyInfo: the same for every text of the key. */
  public_key_fingerprint: string | null
  created_at: number
}

interface UserApiKeyClientScopesTable {
  user_api_key_client_id: number
  /** 0, 1, 2, … in the order in which the scopes were given; so in the other tables of scopes. */
  position: number
  name: string
}

interface UserApiKeysTable {
  id: Generated<number>
  user_id: string
  user_api_key_client_id: number
  key_hash: string
  push_url: string | null
  created_at: number
  last_used_at: number
  use_count: Generated<number>
  revoked_at: number | null
  expires_at: number | null
}

interface UserApiKeyScopesTable {
  user_api_key_id: number
  position: number
  name: string
  /** JSON text; null when the scope is not narrowed. */
  allowed_parameters: string | null
}

interface ApiKeysTable {
  id: Generated<number>
  user_id: string | null
  created_by_id: string | null
  key_hash: string
  truncated_key: string
  description: string
  scope_mode: ApiKeyScopeMode
  /** JSON text: a list of addresses and ranges; null when the key may be used from everywhere. */
  allowed_ips: string | null
  hidden: number
  created_at: number
  updated_at: number
  last_used_at: number | null
  use_count: Generated<number>
  revoked_at: number | null
}

interface ApiKeyScopesTable {
  api_key_id: number
  position: number
  resource: string
  action: string
  /** JSON text; null when the scope is not narrowed. */
  allowed_parameters: string | null
}

interface UsersTable {
  id: Generated<number>
  username: string
  /** In lower case: databases differ in how they fold letters, so it is done before storing. */
  username_lower: string
  name: string
  email: string
  email_lower: string
  password_hash: string
  admin: number
  moderator: number
  trust_level: number
  active: number
  suspended_until: number | null
  created_at: number
}

interface ExternalAccountsTable {
  provider: string
  subject: string
  user_id: number
  created_at: number
}

interface SessionsTable {
  token_hash: string
  user_id: string
  created_at: number
  expires_at: number
}

interface AuthorizationRequestsTable {
  id: string
  /** JSON text: the request's parameters by their wire names. */
  parameters: string
  created_at: number
  expires_at: number
}

interface OneTimePasswordsTable {
  token_hash: string
  user_id: string
  username: string
  created_at: number
  expires_at: number
}

interface DeviceRequestsTable {
  device_code_hash: string
  user_code_hash: string | null
  request_token_hash: string | null
  delivery: 'sealed' | 'open'
  status: 'pending' | 'authorized' | 'denied'
  /** JSON text: the request's parameters by their wire names. */
  parameters: string
  key_expires_at: number | null
  user_id: string | null
  payload: string | null
  created_at: number
  expires_at: number
}

interface DeviceApprovalsTable {
  /** Counts up, and so tells which of a session's approvals is the oldest. */
  id: Generated<number>
  token_hash: string
  session_hash: string
  user_id: string
  device_code_hash: string
  created_at: number
}

interface PushDeliveriesTable {
  id: Generated<number>
  target_url: string
  user_id: string
  /** JSON text; empty once delivered. */
  body: string
  state: 'pending' | 'delivered' | 'dead'
  created_at: number
  attempts: number
  next_attempt_at: number
  /** Names whoever is sending it. */
  lease: string | null
  leased_until: number | null
  last_status: number | null
  last_error: string | null
  finished_at: number | null
}

interface SiteSettingsTable {
  name: string
  value: string
  updated_at: number
}

interface AuditEventsTable {
  sequence: number
  at: number
  actor_user_id: string | null
  actor_via: string
  actor_address: string | null
  action: string
  /** JSON text. */
  details: string
  /** Null in entries that no request caused, and in those of before 0.2.0. */
  trace_id: string | null
  previous_hash: string
  hash: string
}

interface CacheChangesTable {
  /** That of the entry in the audit log that it belongs to. */
  sequence: number
  kind: 'key' | 'user' | 'client' | 'settings' | 'signing_keys'
  value: string
  /** Names the process that committed it. */
  origin: string
  at: number
}

interface SigningKeysTable {
  kid: string
  /** PKCS #8 in PEM form. */
  private_key: string
  created_at: number
  active_from: number
}

interface JobRunsTable {
  name: string
  last_started_at: number | null
  last_finished_at: number | null
  outcome: 'succeeded' | 'failed' | 'interrupted' | null
  summary: string
  failures: number
  next_run_at: number
  lease_owner: string | null
  lease_until: number | null
}
