/** What the files of this room share: what they work with, what they look at, and their answers. */
import type { Authentication, Identity } from '../domain/identity.ts'
import type { Domain, SignIn } from '../domain/ports.ts'
import type { Traceable } from '../domain/trace.ts'
import type { Refusal } from '../protocol/errors.ts'
import type { Route } from '../protocol/route.ts'
import type { RequestedRoute } from '../protocol/route-matcher.ts'
import type { Credentials } from './credentials.ts'
import type { KeyCache } from './key-cache.ts'
import type { LastUse } from './last-use.ts'
import type { ScopeTables } from './scope-tables.ts'
import type { Trust } from './trust.ts'
import type { UnknownKeys } from './unknown-keys.ts'

/** What verification works with. */
export interface Verifier {
  readonly domain: Domain
  readonly signIn: SignIn
  readonly cache: KeyCache
  /** How long an owner counts as known, in milliseconds; undefined where events alone end that. */
  readonly ownersLastMs: (() => number) | undefined
  readonly lastUse: LastUse
  /** Whether what is in memory may be believed. */
  readonly trust: Trust
  /** Learns what other processes changed; resolves once memory may be believed, and rejects where that cannot be. */
  readonly catchUp: () => Promise<void>
  readonly unknownKeys: UnknownKeys
  readonly scopeTables: ScopeTables
  /** Whether keys belong to local accounts, which the store can tell with the key. */
  readonly ownersAreAccounts: boolean
  /** Whether keys count in the address of such a request (protocol §10.1). */
  readonly takesKeyInQuery: (route: Route) => boolean
}

/** A request as verification sees it. */
export interface VerifiedRequest extends KeyRequest {
  readonly request: Request
  /** The CSRF token that the request carries, in its header or its form. */
  readonly csrfToken: string | undefined
  /** Whether it is known that a page of the site itself sent the request, so that it needs no CSRF token. */
  readonly sameOrigin: boolean
}

/** What of a request is looked at to decide about its keys. */
export interface KeyRequest {
  readonly route: RequestedRoute
  readonly credentials: Credentials
  /** The parameter `id` of a revocation; undefined when there is none, or the body was not read. */
  readonly revocationId: string | undefined
  /** Whether the route has a limit of its own for API keys, so that theirs is not counted. Default false. */
  readonly hasOwnLimit?: boolean
  /** The address of whoever sent the request; null when it is not known. */
  readonly address: string | null
  /** What the request is traced by; absent where nobody can tell. */
  readonly request?: Traceable
}

/** The answer for somebody who is known. */
export function authenticated(identity: Identity): Authentication {
  return { outcome: 'authenticated', identity }
}

export type Refused = Extract<Authentication, { outcome: 'refused' }>

/** The answer for a credential that is not accepted. */
export function refused(why: Refusal): Refused {
  return { outcome: 'refused', refusal: why }
}
