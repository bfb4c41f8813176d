/** Who the users are and how they sign in: local accounts, or the application's own users. Decided here, once. */
import type { Clock, Directory, Domain, Random, SettingsReader, Timers } from '../domain/ports.ts'
import type { Store } from '../domain/store.ts'
import type { Service } from '../http/service.ts'
import type { Visit } from '../http/visit.ts'
import { createDiscourseConnect } from '../identity/discourse-connect.ts'
import { type HostUsers, hostDirectory, hostVisitors, inTime } from '../identity/host-users.ts'
import { localDirectory } from '../identity/local-directory.ts'
import { createOpenIdConnect } from '../identity/openid-connect.ts'
import { proxyHeaderVisitors } from '../identity/proxy-header.ts'
import type { RedirectingSignIn } from '../identity/redirecting-sign-in.ts'
import { type BrowserSessions, createBrowserSessions } from '../identity/sessions.ts'
import type { SignInOptions } from '../identity/sign-in-options.ts'
import { createCsrfTokens, type StartSession, type Visitors } from '../identity/visitors.ts'
import { externalSignInPath, signInPath } from '../pages/paths.ts'

export interface People extends Pick<Service, 'signInAddress' | 'signOutPath'> {
  readonly directory: Directory
  readonly visitors: Visitors
  /** Whether there are local accounts, with routes to administer them. */
  readonly hasAccounts: boolean
  /** The sessions of local accounts; undefined where the application, or a proxy, says who visits. */
  readonly sessions: BrowserSessions | undefined
  /** The service at which people sign in; undefined where there is none. */
  readonly externalSignIn: RedirectingSignIn | undefined
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
  /** Whether a request came from a trusted proxy. */
  readonly isFromProxy: (request: Request) => boolean
  /** The domain, once it is there: it needs to know the people first. */
  readonly domain: () => Domain
}

/** Local accounts, of people who sign in with a password or as `signIn` says. */
export function localPeople(options: PeopleOptions, signIn: SignInOptions | undefined): People {
  const directory = localDirectory(options.store)
  const sessions = createBrowserSessions({ ...options, directory }, options.isSecure)
  const accounts = { directory, hasAccounts: true, ownersLastMs: undefined } as const
  if (signIn?.method === 'proxy-header') {
    return {
      ...accounts,
      visitors: proxyHeaderVisitors(signIn, options, createCsrfTokens(options.random, options.isSecure)),
      sessions: undefined,
      externalSignIn: undefined,
      signInAddress: () => undefined,
      signOutPath: undefined,
      startSession: undefined,
    }
  }
  const externalSignIn =
    signIn?.method === 'openid-connect'
      ? createOpenIdConnect(signIn)
      : signIn && createDiscourseConnect(signIn)
  const signInAt = externalSignIn ? externalSignInPath : signInPath
  return {
    ...accounts,
    visitors: sessions,
    sessions,
    externalSignIn,
    signInAddress: (_visit, path) => `${signInAt}?redirect=${encodeURIComponent(path)}`,
    signOutPath: '/hallpass/sign-out',
    startSession: async (request, user) => new Headers({ 'set-cookie': await sessions.start(request, user) }),
  }
}

/** The application's own users. */
export function hostPeople(users: HostUsers, options: PeopleOptions): People {
  const { signInUrl, startSession } = users
  const csrf = createCsrfTokens(options.random, options.isSecure)
  return {
    directory: hostDirectory(users, options),
    visitors: hostVisitors(users, csrf, options, options.isSecure),
    hasAccounts: false,
    sessions: undefined,
    externalSignIn: undefined,
    signInAddress: (visit, path) => signInUrl?.(`${options.baseUrl(visit)}${path}`),
    signOutPath: undefined,
    startSession:
      startSession && ((request, user) => inTime('startSession', () => startSession(user, request), options)),
    ownersLastMs: () => options.settings.current().owner_cache_seconds * 1000,
  }
}
