/** Who the users are and how they sign in: local accounts, or the application's own users. Decided here, once. */
import type { Clock, Directory, Random, SettingsReader, Timers } from '../domain/ports.ts'
import type { Store } from '../domain/store.ts'
import type { Service } from '../http/service.ts'
import type { Visit } from '../http/visit.ts'
import { type HostUsers, hostDirectory, hostVisitors, inTime } from '../identity/host-users.ts'
import { localDirectory } from '../identity/local-directory.ts'
import { type BrowserSessions, createBrowserSessions } from '../identity/sessions.ts'
import { createCsrfTokens, type StartSession, type Visitors } from '../identity/visitors.ts'
import { signInPath } from '../pages/paths.ts'

export interface People extends Pick<Service, 'signInAddress' | 'signOutPath'> {
  readonly directory: Directory
  readonly visitors: Visitors
  /** The sessions of local accounts; undefined where the users are the application's own. */
  readonly sessions: BrowserSessions | undefined
  /** Undefined where nobody can be signed in by a one-time password. */
  readonly startSession: StartSession | undefined
  /** How long an owner of a key counts as known, in milliseconds; undefined for as long as no event says otherwise. */
  readonly ownersLastMs: (() => number) | undefined
}

export interface PeopleOptions {
  readonly store: Store
  readonly settings: SettingsReader
  readonly clock: Clock
  readonly random: Random
  readonly timers: Timers
  /** Whether the browser that sent a request reaches the site by https. */
  readonly isSecure: (request: Request) => boolean
  /** The site's address, without a slash at its end. */
  readonly baseUrl: (visit: Visit) => string
}

/** The local accounts. */
export function localPeople(options: PeopleOptions): People {
  const directory = localDirectory(options.store)
  const sessions = createBrowserSessions({ ...options, directory }, options.isSecure)
  return {
    directory,
    visitors: sessions,
    sessions,
    signInAddress: (_visit, path) => `${signInPath}?redirect=${encodeURIComponent(path)}`,
    signOutPath: '/hallpass/sign-out',
    startSession: async (request, user) => new Headers({ 'set-cookie': await sessions.start(request, user) }),
    ownersLastMs: undefined,
  }
}

/** The application's own users. */
export function hostPeople(users: HostUsers, options: PeopleOptions): People {
  const { signInUrl, startSession } = users
  const csrf = createCsrfTokens(options.random, options.isSecure)
  return {
    directory: hostDirectory(users, options),
    visitors: hostVisitors(users, csrf, options, options.isSecure),
    sessions: undefined,
    signInAddress: (visit, path) => signInUrl?.(`${options.baseUrl(visit)}${path}`),
    signOutPath: undefined,
    startSession:
      startSession && ((request, user) => inTime('startSession', () => startSession(user, request), options)),
    ownersLastMs: () => options.settings.current().owner_cache_seconds * 1000,
  }
}
