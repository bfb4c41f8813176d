import type { AccountRequest, createAccount } from '../domain/accounts.ts'
import type { ApiKeyRequest, createApiKey } from '../domain/api-keys.ts'
import type { Authentication, Identity } from '../domain/identity.ts'
import type { RunAnswer } from '../domain/job-runner.ts'
import type { JobState } from '../domain/job-state.ts'
import type { PlainAnswer, PlainQuestion } from '../domain/plain-answer.ts'
import type { Connection, Directory } from '../domain/ports.ts'
import type { PushNotification } from '../domain/push.ts'
import type { User } from '../domain/user.ts'
import type { SharedLimitsStatus } from '../http/service.ts'
import type { Refusal } from '../protocol/errors.ts'
import type { Settings } from '../protocol/settings.ts'

export interface AuthenticateOptions {
  /**
   * How the request reached the process. Without the peer's address the limits that count by address do not hold, and
   * API keys that are for some addresses only are refused.
   */
  readonly connection?: Connection
  /**
   * The CSRF token out of a form's body. A request that changes something and is known by its session cookie is
   * refused unless it carries the token here or in the `X-CSRF-Token` header.
   */
  readonly csrfToken?: string
  /**
   * The parameters of the body, where the application has read them: each by its name, with the value that it acts on.
   * A key whose scope is narrowed by such a parameter is refused when a body is there and is not given. `unread` says
   * that there is one where `request` cannot: because it was made without, or is a GET.
   */
  readonly body?: Readonly<Record<string, unknown>> | 'unread'
  /**
   * The path as it was received, percent-encoded and without the query. Give it whenever the path goes on to another
   * program as it is: a `Request` has resolved dot segments, so that a decision on its `url` might be about another
   * path than the one that is acted on. Default: the path of `request.url`.
   */
  readonly rawPath?: string
  /**
   * Whether the application knows that a page of this very site sent the request, so that one which is known by its
   * session cookie needs no CSRF token. Default false.
   */
  readonly sameOrigin?: boolean
  /**
   * Which requests count against their address: `all`, or `keys`, those alone that bring a key. In front of an
   * application whose pages and pictures are none of Hallpass's, it is the keys that must not be guessed. Default `all`.
   */
  readonly limitAddresses?: 'all' | 'keys'
  /**
   * Reads the body, for an application that has not yet: called once the request is counted, and not at all for an
   * address that is over its limit, which is to cost next to nothing. What it answers stands for `csrfToken` and
   * `body`. What it throws, `authenticate` throws.
   */
  readonly readBody?: () => Promise<Pick<AuthenticateOptions, 'csrfToken' | 'body'>>
}

/** What `createHallpass` returns: the one front door. */
export interface Hallpass {
  /** The whole service as a web-standard handler. A path that is not Hallpass's answers 404. */
  fetch(request: Request, connection?: Connection): Promise<Response>
  /** As `fetch`, but resolves to undefined for a path that is not Hallpass's, so that an application can answer it. */
  handle(request: Request, connection?: Connection): Promise<Response | undefined>
  /**
   * The answer to a GET of `/hallpass/forward-auth` or `/session/current.json` by a key that is in memory: the same that
   * `fetch` gives, at once. Undefined for any other request, which `fetch` is then asked about with the same
   * `connection`. For servers that make no `Request` before they must; those of `hallpass/node` use it.
   */
  answerNow(question: PlainQuestion): PlainAnswer | undefined
  /**
   * Who sent a request that is for the application, by a key that is in memory, or why it is refused: what `handle` and
   * then `authenticate` come to, at once. Undefined for any other request, of which nothing is counted then.
   */
  admitNow(question: PlainQuestion): Identity | Refusal | undefined
  /**
   * Decides who sent a request to the application, and whether their key allows it. Consumes no body itself. Every call counts
   * as a request, for the limits of the key and of the address: ask once for each. What `handle` answered was counted
   * there.
   */
  authenticate(request: Request, options?: AuthenticateOptions): Promise<Authentication>
  /**
   * Who sent a request, as a signed token that is valid for a minute, for an application that is asked next; its public
   * keys are at /hallpass/jwks.json. `audience` names the application. The issuer is the base URL, or `hallpass`.
   */
  signIdentity(identity: Identity, audience: string): Promise<string>
  /** Puts a refusal into words: JSON for programs, a page for browsers. */
  refuse(request: Request, refusal: Refusal): Response
  /**
   * Puts the CORS headers on an answer of the application, where the setting `cors_origins` lists any origin. What
   * Hallpass itself answers, preflights for every path among it, has them.
   */
  withCors(request: Request, response: Response): Response
  /**
   * Says on an answer of the application for whom the request acted, and which route answered it: the protocol's headers
   * `X-Discourse-Username` and `X-Discourse-Route` (§10.2). `route` is a name such as `orders/index`. Changes nothing
   * for a request of nobody.
   */
  withCaller(response: Response, identity: Identity | undefined, route: string): Response
  /** The CSRF token for a form in an application's page, and the `Set-Cookie` that must go with it, if any. */
  csrf(request: Request): { readonly token: string; readonly setCookie: string | undefined }
  /** Who the users are. */
  readonly directory: Directory
  /**
   * The apps that hold a key of the user's which is not revoked, the one used last first, by the wire's names (protocol
   * §8.8): for the user's card, shown to the user and to administrators.
   */
  appsOf(user: User): Promise<readonly Readonly<Record<string, unknown>>[]>
  /**
   * To be called when a user of the application has changed: suspended, renamed, of other groups, gone. From then on no
   * request in this process goes by what the user was, and in the others on the same database none after a moment. What
   * is not announced counts at the latest after `owner_cache_seconds`. Audited.
   */
  userChanged(userId: string): Promise<void>
  /**
   * Makes a local account, on the program's own authority.
   *
   * @throws TypeError where the users are the application's own
   */
  createAccount(request: AccountRequest): ReturnType<typeof createAccount>
  /** Makes an administrator's API key, on the program's own authority; its text is told once. */
  createApiKey(request: ApiKeyRequest): ReturnType<typeof createApiKey>
  /** What comes round by itself: unused keys are revoked, what has expired is deleted. */
  readonly jobs: {
    list(): Promise<readonly JobState[]>
    /** Runs a job now, on the program's own authority, due or not. Reasons: `not_found`, `job_running`. */
    run(name: string): Promise<RunAnswer>
  }
  /**
   * Pushes a notification to the apps of the user that asked for it (protocol §9). Resolves to how many pushes were
   * queued, 0 when no app of the user has push, as soon as they are in the database; they are delivered from there.
   *
   * @throws TypeError for a notification whose `url` is not an absolute address, or that is too long
   */
  pushNotification(userId: string, notification: PushNotification): Promise<number>
  /** Whether limits count together with those of other nodes; undefined without the option `sharedLimits`. */
  limitsStatus(): SharedLimitsStatus | undefined
  /** The current value of every setting. */
  settings(): Settings
  /**
   * Ends jobs after their present batch, and writes what is still in memory (last use); a push that is being sent gets five seconds.
   * The store stays open.
   */
  close(): Promise<void>
}
