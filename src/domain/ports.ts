/**
 * What the domain needs from the outside. Every rule about time, chance and users can be tested through these
 * without waiting and without a database.
 */
import type { ApiKeyScopeCatalogue } from '../protocol/api-key-scopes.ts'
import type { ScopeCatalogue } from '../protocol/scopes.ts'
import type { Settings } from '../protocol/settings.ts'
import type { DomainEvent } from './events.ts'
import type { Observer } from './observation.ts'
import type { RateLimiter } from './rate-limit.ts'
import type { Store } from './store.ts'
import type { Tracing } from './tracing.ts'
import type { User } from './user.ts'

/** The time. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
}

/** Randomness fit for keys. */
export interface Random {
  /** `length` bytes from a cryptographically secure source. */
  bytes(length: number): Uint8Array<ArrayBuffer>
}

/** Who the users are: the local accounts, or the host application's own. */
export interface Directory {
  findUserById(id: string): Promise<User | undefined>
  /** Looks a user up by name, whatever the case of its letters. */
  findUserByUsername(username: string): Promise<User | undefined>
}

/** Slow hashing of passwords. */
export interface PasswordHasher {
  /** A self-describing hash of `password`. */
  hash(password: string): Promise<string>
  verify(password: string, hash: string): Promise<boolean>
}

/** Who hears about what happened, after it was committed. */
export interface EventSink {
  /** Names this process among those that share the database. */
  readonly origin: string
  publish(events: readonly DomainEvent[]): void
}

/** The settings as they are now. */
export interface SettingsReader {
  current(): Settings
  /** Whether the configuration of this server fixes the setting, so that it cannot be changed while it runs. */
  isPinned(name: string): boolean
}

/** Who sits at the browser: the local sessions, or the host application's own sign-in. */
export interface SignIn {
  /** The user whom the request's cookies tell, if any. */
  currentUser(request: Request): Promise<User | undefined>
  /** Whether the request carries a session's cookie, be there such a session or not. */
  hasSession(request: Request): boolean
  /** Whether `token` is the CSRF token of the browser that sent the request. */
  csrfMatches(request: Request, token: string): boolean
}

/** Work that is done later. */
export interface Timers {
  /** Calls `work` once, `delayMs` from now, unless the answer is called before: it cancels. Keeps no process alive. */
  after(delayMs: number, work: () => void): () => void
}

/** Requests to other hosts. An implementation keeps them away from addresses that are none of the public's. */
export interface Outbound {
  /** Sends one request, and follows no redirect. Never rejects. */
  post(address: string, request: OutboundRequest): Promise<OutboundAnswer>
}

export interface OutboundRequest {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** How long all of it may take, in milliseconds. */
  readonly timeoutMs: number
  /** Gives the request up. */
  readonly signal?: AbortSignal
}

/** What became of a request to another host. */
export type OutboundAnswer =
  | { readonly outcome: 'answered'; readonly status: number; readonly retryAfter: string | undefined }
  /** No answer; another try may bring one. `problem` is for people. */
  | { readonly outcome: 'failed'; readonly problem: string }
  /** Not sent, nor will it be: the address itself is not one to send to. */
  | { readonly outcome: 'refused'; readonly problem: string }

/** A value in a line of the log. */
export type LogFact = string | number | boolean | null | undefined

/** A line of the server's log: what happened, and the facts that tell it from others like it. It holds no secret. */
export interface LogEvent {
  readonly event: string
  readonly [fact: string]: LogFact
}

/** Writes a line to the server's log, for whoever runs it. It does not throw. */
export type Log = (event: LogEvent) => void

/** Everything the domain's verbs work with. */
export interface Domain {
  readonly store: Store
  readonly directory: Directory
  readonly settings: SettingsReader
  readonly scopes: ScopeCatalogue
  readonly apiKeyScopes: ApiKeyScopeCatalogue
  readonly limiter: RateLimiter
  readonly clock: Clock
  readonly random: Random
  readonly passwords: PasswordHasher
  readonly events: EventSink
  readonly log: Log
  readonly observer: Observer
  /** Makes spans; absent where nobody records them. */
  readonly tracing?: Tracing | undefined
}

/** How a request reached the process; what a web-standard `Request` does not tell. */
export interface Connection {
  /** The peer's address, such as `127.0.0.1`; null when unknown. */
  readonly remoteAddress: string | null
  /**
   * The address as the request's first line has it, such as `/a/../b?c`; a `Request` has resolved its dot segments.
   * Absent where it is not known.
   */
  readonly requestTarget?: string
}
