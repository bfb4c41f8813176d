import type { SignInOptions } from '../identity/sign-in-options.ts'
import type { ApiKeyScopeDefinition } from '../protocol/api-key-scope-definition.ts'
import type { OwnScope } from '../protocol/scopes.ts'
import type { Settings } from '../protocol/settings.ts'

/**
 * What a `hallpass.config.ts`, `.js`, `.mjs` or `.json` may say, for `hallpass serve` and `hallpass scopes`. Flags and
 * environment variables are stronger than the file; what none of them says has its default.
 */
export interface HallpassConfig {
  /** For editors, in JSON: the address of `hallpass.schema.json`. Means nothing to Hallpass. */
  readonly $schema?: string
  /** The port to listen on; 0 takes a free one. Default 4000. */
  readonly port?: number
  /** The address to listen on. Default `127.0.0.1`. */
  readonly host?: string
  /** Folder of the embedded database; one that is not absolute counts from the file's own folder. Default `./data`. */
  readonly data?: string
  /**
   * Address of a PostgreSQL database in the place of the embedded one, such as `postgres://user@host:5432/name`. A
   * password is better off in `DATABASE_URL` or `PGPASSWORD`. Default: none.
   */
  readonly database?: string
  /** The address people reach the site by, such as `https://forum.example.com`. Default: that of each request. */
  readonly baseUrl?: string
  /** The application that Hallpass stands in front of as a gateway, such as `http://127.0.0.1:3000`. Default: none. */
  readonly upstream?: string
  /** Whether nobody gets through to the upstream without a sign-in or a key. Default false. */
  readonly requireSignIn?: boolean
  /** Whether the small forum is the site that is guarded. Default: true where there is no upstream. */
  readonly forum?: boolean
  /** Addresses and ranges of the proxies whose `X-Forwarded-For` is believed. Default: none. */
  readonly trustedProxies?: readonly string[]
  /** Whether pushes may go to private addresses. Default false. */
  readonly allowPrivatePush?: boolean
  /** Whether metrics are kept, for administrators at /hallpass/metrics. Default false. */
  readonly metrics?: boolean
  /** A port where /metrics asks for no credential; 0 takes a free one. Default: none. */
  readonly metricsPort?: number
  /** The address that port is on. Default `127.0.0.1`. */
  readonly metricsHost?: string
  /** What is worth a line in the log. Default `info`. */
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error'
  /** The form of the log: `auto` is text on a terminal, else JSON. Default `auto`. */
  readonly logFormat?: 'auto' | 'json' | 'text'
  /** The Redis that limits are shared through with other nodes, such as `redis://127.0.0.1:6379`. Default: none. */
  readonly redis?: string
  /** How many processes answer on the port; `auto` is as many as there are cores. Default 1. */
  readonly workers?: number | 'auto'
  /** How many connections to PostgreSQL each process keeps at the most. Default 10. */
  readonly databasePool?: number
  /** Scopes for the application's own routes, which users can give to apps. Default: none. */
  readonly scopes?: readonly OwnScope[]
  /** The same for administrators' API keys. Default: none. */
  readonly apiKeyScopes?: readonly ApiKeyScopeDefinition[]
  /** Settings that nobody may change while the server runs. Default: none. */
  readonly settings?: Partial<Settings>
  /** How people sign in. Default: with local accounts. */
  readonly signIn?: LocalSignInConfig | SignInOptions
}

/** With a username and a password that Hallpass keeps. */
export interface LocalSignInConfig {
  readonly method: 'local'
}

/** Gives a config file its type: returns what it is given. */
export function defineConfig(config: HallpassConfig): HallpassConfig {
  return config
}
