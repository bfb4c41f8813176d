/**
 * The catalogue of site settings (protocol §14, and ours beside them): what governs behaviour and may be changed
 * while the server runs. What a process needs to start is not here: that is configuration, and the command reads it.
 *
 * On the wire a list is one string, its items separated by `|`.
 */

interface SettingBase {
  /** What the setting governs, and why somebody would change it. */
  readonly description: string
  /** True for settings that the protocol keeps out of the ordinary list. */
  readonly hidden?: true
  /** True for a value that the audit log must not hold. */
  readonly secret?: true
}

interface IntegerSetting extends SettingBase {
  readonly kind: 'integer'
  readonly default: number
  readonly minimum: number
  readonly maximum: number
  /** What one of it is. */
  readonly unit:
    | 'days'
    | 'seconds'
    | 'milliseconds'
    | 'minutes'
    | 'requests'
    | 'attempts'
    | 'clients'
    | 'bytes'
    | 'pushes'
    | 'keys'
}

interface BooleanSetting extends SettingBase {
  readonly kind: 'boolean'
  readonly default: boolean
}

interface StringSetting extends SettingBase {
  readonly kind: 'string'
  readonly default: string
  readonly maximumLength: number
  /** What the text must be, if not empty. `time`: a moment, in the form of ISO 8601; it is kept in UTC. */
  readonly form?: 'time'
  /** The only texts that it takes. Default: any. */
  readonly choices?: readonly string[]
}

interface ListSetting extends SettingBase {
  readonly kind: 'list'
  readonly default: readonly string[]
  /** Items that cannot be taken off the list. */
  readonly mandatory?: readonly string[]
  /** What an item must be. `scope`: a known scope's name. `group`: a group's number. */
  readonly items: 'scope' | 'redirect' | 'url' | 'group' | 'origin' | 'address'
}

/** What the catalogue says of one setting. */
export type SettingDefinition = IntegerSetting | BooleanSetting | StringSetting | ListSetting

/** Every setting, by its name on the wire. */
export const settingsCatalogue = {
  title: {
    kind: 'string',
    default: 'Hallpass',
    maximumLength: 100,
    description: 'The site’s name, on its pages and in /site/basic-info.json.',
  },
  site_description: {
    kind: 'string',
    default: '',
    maximumLength: 1000,
    description: 'One sentence about the site, for apps that show a list of sites.',
  },
  allow_user_api_key_scopes: {
    kind: 'list',
    items: 'scope',
    default: ['read', 'write', 'message_bus', 'push', 'notifications', 'session_info', 'one_time_password'],
    description: 'The scopes that an app may ask a user for.',
  },
  allow_user_api_key_client_scopes: {
    kind: 'list',
    items: 'scope',
    default: [],
    hidden: true,
    description:
      'The scopes that an app may register itself for with POST /user-api-key-client. Empty turns registration off.',
  },
  user_api_key_allowed_groups: {
    kind: 'list',
    items: 'group',
    default: ['1', '2', '10'],
    mandatory: ['1', '2'],
    description:
      'The groups whose members may approve apps: 1 administrators, 2 moderators, 10 to 14 trust levels 0 to 4. Staff always may.',
  },
  allowed_user_api_auth_redirects: {
    kind: 'list',
    items: 'redirect',
    default: ['https://api.discourse.org/api/auth_redirect', 'discourse://auth_redirect', 'loopback'],
    description:
      'Where a key may be sent after approval. `*` is a wildcard inside a host, path, query or fragment. The entry `loopback` stands for http://127.0.0.1, http://[::1] and http://localhost with any port and path (RFC 8252 §7.3). Whoever controls a listed address receives the keys of users who approve there.',
  },
  allowed_user_api_push_urls: {
    kind: 'list',
    items: 'url',
    default: [],
    hidden: true,
    description: 'The addresses that notifications may be pushed to, each exactly as an app sends it.',
  },
  push_api_secret_key: {
    kind: 'string',
    default: '',
    maximumLength: 200,
    hidden: true,
    secret: true,
    description:
      'The secret that tells a push target who sends: it stands in every push as `secret_key`, and signs it.',
  },
  push_attempts: {
    kind: 'integer',
    default: 8,
    minimum: 1,
    maximum: 50,
    unit: 'attempts',
    description:
      'How often a push is tried before it is given up as dead. The pushes behind it for the same address wait as long: with 8, about twenty minutes, which outlasts a restart of the receiver and is not yet old news.',
  },
  push_first_retry_seconds: {
    kind: 'integer',
    default: 10,
    minimum: 1,
    maximum: 3600,
    unit: 'seconds',
    description:
      'The wait after a push’s first failure; after each further one it doubles. Some seconds let a receiver come back without being hammered.',
  },
  push_retry_max_seconds: {
    kind: 'integer',
    default: 3600,
    minimum: 1,
    maximum: 86_400,
    unit: 'seconds',
    description:
      'The longest wait between two tries of a push, whether by doubling or because the receiver asked for it with Retry-After: a receiver may slow its pushes, and not put them off for ever.',
  },
  push_timeout_seconds: {
    kind: 'integer',
    default: 10,
    minimum: 1,
    maximum: 120,
    unit: 'seconds',
    description:
      'How long one try of a push may take. A receiver should answer first and work afterwards; a slow one holds up only its own pushes.',
  },
  push_requests_at_once: {
    kind: 'integer',
    default: 8,
    minimum: 1,
    maximum: 100,
    unit: 'requests',
    description:
      'How many addresses are pushed to at the same time by one process. For one address it is always one push after the other.',
  },
  max_pushes_waiting_per_address: {
    kind: 'integer',
    default: 1000,
    minimum: 10,
    maximum: 100_000,
    unit: 'pushes',
    description:
      'How many pushes may wait for one address. Beyond that the oldest tenth is given up as dead, so that a receiver that is down for long does not fill the database.',
  },
  push_delivered_kept_days: {
    kind: 'integer',
    default: 1,
    minimum: 0,
    maximum: 365,
    unit: 'days',
    description:
      'How long a delivered push stays on the administrators’ list, without its content: long enough to see that pushes arrive.',
  },
  signing_key_rotation_days: {
    kind: 'integer',
    default: 30,
    minimum: 0,
    maximum: 3650,
    unit: 'days',
    description:
      'Age at which the key that signs identities for an application behind the gateway is exchanged. A month bounds what a copy of the database is worth to a thief; the old key stays published for a day. 0 turns it off.',
  },
  push_dead_kept_days: {
    kind: 'integer',
    default: 14,
    minimum: 0,
    maximum: 365,
    unit: 'days',
    description:
      'How long a dead push is kept, with its content, so that an administrator can have it tried again. Two weeks outlast a holiday.',
  },
  max_user_api_key_expiry_days: {
    kind: 'integer',
    default: 365,
    minimum: 0,
    maximum: 36_500,
    unit: 'days',
    hidden: true,
    description: 'The longest life that an app may ask for its key. 0 refuses every requested expiry.',
  },
  revoke_user_api_keys_unused_days: {
    kind: 'integer',
    default: 180,
    minimum: 0,
    maximum: 36_500,
    unit: 'days',
    description: 'Days without use after which a user API key is revoked. 0 turns it off.',
  },
  revoke_user_api_keys_maxlife_days: {
    kind: 'integer',
    default: 0,
    minimum: 0,
    maximum: 36_500,
    unit: 'days',
    hidden: true,
    description: 'Days after its making at which a user API key is revoked, used or not. 0 turns it off.',
  },
  unused_registered_user_api_key_clients_days: {
    kind: 'integer',
    default: 30,
    minimum: 0,
    maximum: 36_500,
    unit: 'days',
    hidden: true,
    description:
      'Days without use of any of its keys after which a registered client is deleted, with its keys. One that is younger than that is spared. 0 turns it off.',
  },
  revoke_api_keys_unused_days: {
    kind: 'integer',
    default: 180,
    minimum: 0,
    maximum: 36_500,
    unit: 'days',
    description: 'Days without use after which an administrator’s API key is revoked. 0 turns it off.',
  },
  revoke_api_keys_maxlife_days: {
    kind: 'integer',
    default: 0,
    minimum: 0,
    maximum: 36_500,
    unit: 'days',
    hidden: true,
    description:
      'Days after its making at which an administrator’s API key is revoked, used or not. 0 turns it off.',
  },
  api_key_last_used_epoch: {
    kind: 'string',
    form: 'time',
    default: '',
    maximumLength: 40,
    hidden: true,
    description:
      'The moment since which the use of administrators’ API keys has been recorded, where keys are older than that: unused days are counted from it for a key that has not been used since, so that none is revoked for want of a record. Empty when every use was recorded.',
  },
  user_api_key_write_may_mint: {
    kind: 'boolean',
    default: true,
    description:
      'Whether a key with the scope `write` may approve further keys for its user, and make one-time passwords. On by default because existing programs rely on it.',
  },
  legacy_api_key_routes: {
    kind: 'boolean',
    default: true,
    description:
      'Whether POST /admin/users/ID/generate_api_key and its credentials in the query are accepted, as before 2019. Every use is audited.',
  },
  owner_cache_seconds: {
    kind: 'integer',
    default: 10,
    minimum: 0,
    maximum: 3600,
    unit: 'seconds',
    description:
      'How long what the application said of a key’s owner counts, such as that they are not suspended; then it is asked again. It bounds how late a change shows that the application did not announce with `userChanged`. Of no effect with local accounts, whose changes are heard of at once.',
  },
  users_timeout_seconds: {
    kind: 'integer',
    default: 5,
    minimum: 1,
    maximum: 60,
    unit: 'seconds',
    description:
      'How long the application may take to say who a user is. A request that would wait longer is refused with 503, so that a slow application does not gather requests without end. Of no effect with local accounts.',
  },
  revocation_bound_ms: {
    kind: 'integer',
    default: 2000,
    minimum: 100,
    maximum: 60_000,
    unit: 'milliseconds',
    description:
      'How long a server goes on with the keys in its memory without having read what other servers changed. It reads as soon as one commits a change, and every quarter of this; when the time is over it believes its memory no more, and where the database does not answer it refuses with 503. So this is the longest that a key revoked at one server may be let in by another, whatever fails.',
  },
  store_timeout_ms: {
    kind: 'integer',
    default: 2000,
    minimum: 100,
    maximum: 60_000,
    unit: 'milliseconds',
    description:
      'How long the database may take to answer one question. A request that would wait longer is refused with 503, so that a database that hangs does not gather requests without end.',
  },
  key_cache_size: {
    kind: 'integer',
    default: 100_000,
    minimum: 100,
    maximum: 10_000_000,
    unit: 'keys',
    description:
      'How many keys each server keeps in memory, so that they cost no question to the database. Each takes about a kilobyte.',
  },
  max_unknown_keys_per_ip_per_minute: {
    kind: 'integer',
    default: 60,
    minimum: 1,
    maximum: 1_000_000,
    unit: 'keys',
    description:
      'How many keys that do not exist one address may send in a minute before keys that are not in memory are refused to it unseen. The same wrong key counts once in five seconds. Keys in memory are let in whoever else comes from their address, and so are those that were issued or changed a moment ago.',
  },
  usage_flush_seconds: {
    kind: 'integer',
    default: 5,
    minimum: 1,
    maximum: 3600,
    unit: 'seconds',
    description:
      'How often the last use of keys, and how often they were used, is written to the database. A crash loses at most that much of it, and nothing else.',
  },
  usage_batch_size: {
    kind: 'integer',
    default: 500,
    minimum: 10,
    maximum: 10_000,
    unit: 'keys',
    description:
      'For how many keys one transaction writes the use. Between two of them everybody else has a turn with the database.',
  },
  session_lifetime_days: {
    kind: 'integer',
    default: 60,
    minimum: 1,
    maximum: 365,
    unit: 'days',
    description: 'How long a sign-in lasts without a visit.',
  },
  authorization_request_lifetime_minutes: {
    kind: 'integer',
    default: 60,
    minimum: 5,
    maximum: 1440,
    unit: 'minutes',
    description: 'How long an app’s request waits for its user to sign in.',
  },
  max_sign_in_attempts_per_minute: {
    kind: 'integer',
    default: 6,
    minimum: 1,
    maximum: 1000,
    unit: 'attempts',
    description: 'Sign-in attempts for one account from one address in a minute.',
  },
  max_sign_in_attempts_per_hour: {
    kind: 'integer',
    default: 30,
    minimum: 1,
    maximum: 10_000,
    unit: 'attempts',
    description: 'Sign-in attempts from one address in an hour.',
  },
  max_bad_session_cookies_per_minute: {
    kind: 'integer',
    default: 10,
    minimum: 1,
    maximum: 10_000,
    unit: 'requests',
    description:
      'Requests that one address may make in a minute with the cookie of a session that does not exist. The next one is refused, and the cookie deleted.',
  },
  max_authorization_requests_per_minute: {
    kind: 'integer',
    default: 60,
    minimum: 1,
    maximum: 10_000,
    unit: 'requests',
    description: 'Authorization requests that one address may leave waiting for sign-in in a minute.',
  },
  max_one_time_password_attempts_per_minute: {
    kind: 'integer',
    default: 60,
    minimum: 1,
    maximum: 10_000,
    unit: 'attempts',
    description:
      'One-time passwords that one address may try in a minute. They hold 128 random bits, so this spares the database; guessing one is out of reach anyway.',
  },
  max_device_requests_per_minute: {
    kind: 'integer',
    default: 20,
    minimum: 1,
    maximum: 10_000,
    unit: 'requests',
    description: 'Device requests that one address may make in a minute.',
  },
  max_device_polls_per_minute: {
    kind: 'integer',
    default: 60,
    minimum: 1,
    maximum: 10_000,
    unit: 'requests',
    description: 'Polls in a minute from one address, and as many for one device code.',
  },
  max_device_code_attempts_per_minute: {
    kind: 'integer',
    default: 10,
    minimum: 1,
    maximum: 10_000,
    unit: 'attempts',
    description:
      'Codes that one user may type on the activation page in a minute, and how often one code may be typed.',
  },
  max_device_code_attempts_per_hour: {
    kind: 'integer',
    default: 30,
    minimum: 1,
    maximum: 10_000,
    unit: 'attempts',
    description:
      'Codes that may be typed on the activation page from one address in an hour. With codes of 40 random bits, guessing one that is waiting stays out of reach.',
  },
  max_device_link_lookups_per_minute: {
    kind: 'integer',
    default: 30,
    minimum: 1,
    maximum: 10_000,
    unit: 'requests',
    description: 'Activation links that one user may open in a minute, and how often one link may be opened.',
  },
  max_device_link_lookups_per_hour: {
    kind: 'integer',
    default: 120,
    minimum: 1,
    maximum: 10_000,
    unit: 'requests',
    description: 'Activation links that may be opened from one address in an hour.',
  },
  max_user_api_reqs_per_minute: {
    kind: 'integer',
    default: 20,
    minimum: 1,
    maximum: 1_000_000,
    unit: 'requests',
    description: 'Requests that one user API key may make in a minute.',
  },
  max_user_api_reqs_per_day: {
    kind: 'integer',
    default: 2880,
    minimum: 1,
    maximum: 10_000_000,
    unit: 'requests',
    description: 'Requests that one user API key may make in a day.',
  },
  max_user_api_key_client_changes_per_day: {
    kind: 'integer',
    default: 20,
    minimum: 1,
    maximum: 10_000,
    unit: 'requests',
    description:
      'How often one user API key may change its client id in a day, with the header User-Api-Client-Id. Each change is kept in the audit log, and may make a client.',
  },
  max_admin_api_reqs_per_minute: {
    kind: 'integer',
    default: 60,
    minimum: 1,
    maximum: 1_000_000,
    unit: 'requests',
    description: 'Requests that all API keys of the site together may make in a minute.',
  },
  max_reqs_per_ip_per_minute: {
    kind: 'integer',
    default: 200,
    minimum: 1,
    maximum: 1_000_000,
    unit: 'requests',
    description: 'Requests that one address may make in a minute, those with an API key not counted.',
  },
  max_reqs_per_ip_per_10_seconds: {
    kind: 'integer',
    default: 50,
    minimum: 1,
    maximum: 1_000_000,
    unit: 'requests',
    description: 'Requests that one address may make in ten seconds, those with an API key not counted.',
  },
  user_api_key_clients_create_per_day: {
    kind: 'integer',
    default: 3,
    minimum: 1,
    maximum: 10,
    unit: 'clients',
    hidden: true,
    description: 'Attempts to register a client that one address may make in a day.',
  },
  max_calendar_subscriptions_per_minute: {
    kind: 'integer',
    default: 5,
    minimum: 1,
    maximum: 10_000,
    unit: 'requests',
    description:
      'Calendar subscriptions that one user may make in a minute; each takes the place of the one before.',
  },
  create_user_api_key_client_ip_rate_limit_override_ips: {
    kind: 'list',
    items: 'address',
    default: [],
    hidden: true,
    description: 'Addresses that may register any number of clients.',
  },
  enable_oauth_device_flow: {
    kind: 'boolean',
    default: true,
    description:
      'Whether devices may also ask in the standard form, RFC 8628, at /oauth/device_authorization and /oauth/token. Switched off, these paths are the application’s own, which may have its own OAuth.',
  },
  forward_auth_requires_identity: {
    kind: 'boolean',
    default: false,
    description:
      'Whether forward-auth refuses, with 401, requests of nobody: without a key and without a session. By default they go on to the application, without identity headers, and it decides.',
  },
  enable_oauth_metadata: {
    kind: 'boolean',
    default: true,
    description:
      'Whether clients of OAuth find the site at /.well-known/oauth-protected-resource (RFC 9728) and, while enable_oauth_device_flow is on, /.well-known/oauth-authorization-server (RFC 8414). Switched off, these paths are the application’s own.',
  },
  enable_oauth_introspection: {
    kind: 'boolean',
    default: true,
    description:
      'Whether programs with an API key may ask at /oauth/introspect what a user API key is (RFC 7662). Switched off, the path is the application’s own.',
  },
  max_introspections_per_minute: {
    kind: 'integer',
    default: 600,
    minimum: 1,
    maximum: 1_000_000,
    unit: 'requests',
    description:
      'Questions that one API key may ask at /oauth/introspect in a minute. They do not count in max_admin_api_reqs_per_minute: a service asks once for each request that it gets, and must not use up what administration needs.',
  },
  enable_oauth_revocation: {
    kind: 'boolean',
    default: true,
    description:
      'Whether whoever holds a user API key can revoke it at /oauth/revoke (RFC 7009). Switched off, the path is the application’s own; /user-api-key/revoke stays.',
  },
  verbose_user_api_key_device_auth_logging: {
    kind: 'boolean',
    default: false,
    hidden: true,
    description:
      'Whether each step of the device flow is written to the server’s log: no code, key or nonce, only what tells requests apart.',
  },
  enable_cors: {
    kind: 'boolean',
    default: true,
    description: 'Whether the origins in cors_origins may call this site from a browser.',
  },
  cors_origins: {
    kind: 'list',
    items: 'origin',
    default: [],
    description: 'The origins of other sites whose pages may call this one, such as https://app.example.com.',
  },
  limits_without_redis: {
    kind: 'string',
    default: 'count_alone',
    maximumLength: 20,
    choices: ['count_alone', 'refuse'],
    description:
      'What a node does that counts together with others through Redis while Redis is not to be reached: count_alone lets in what its own count allows, so that all nodes together may let in several times as much; refuse answers 503 until Redis is back.',
  },
  shared_limits_key: {
    kind: 'string',
    default: '',
    maximumLength: 100,
    hidden: true,
    secret: true,
    description:
      'What nodes that count together name a key or an address by is a hash made with this. Made by itself; when it is changed, all nodes must be started again.',
  },
  disable_rate_limits: {
    kind: 'boolean',
    default: false,
    description: 'Turns every limiter off. For tests.',
  },
} as const
settingsCatalogue satisfies Record<string, SettingDefinition>

/** A setting's name. */
export type SettingName = keyof typeof settingsCatalogue

type ValueOf<Kind> = Kind extends 'integer'
  ? number
  : Kind extends 'boolean'
    ? boolean
    : Kind extends 'string'
      ? string
      : readonly string[]

/** The value of every setting, parsed. */
export type Settings = { readonly [Name in SettingName]: ValueOf<(typeof settingsCatalogue)[Name]['kind']> }
