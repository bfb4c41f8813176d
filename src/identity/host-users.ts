/** Users that the application around Hallpass has: its answers about them, checked, and never guessed at. */
import type { Clock, Directory, SettingsReader, Timers } from '../domain/ports.ts'
import { checkOwner, type User } from '../domain/user.ts'
import { readCsrfCookie } from './cookies.ts'
import type { CsrfTokens, Visitors } from './visitors.ts'

/** A user of the application. */
export interface HostUser {
  /** What the application knows the user by, for good: keys are stored with it. Any text without a NUL; it is only compared. */
  readonly id: string
  /** The name that the user goes by, shown on pages and told to apps. It may change. */
  readonly username: string
  /** The name for people to read. Default: none. */
  readonly name?: string
  /** Whether the user administers Hallpass: keys of all users, settings, the audit log. Default false. */
  readonly admin?: boolean
  /** Default false. */
  readonly moderator?: boolean
  /** 0 to 4; the user is in the groups 10 to 10 + `trustLevel`. Default 1. */
  readonly trustLevel?: number
  /** Further groups, by numbers that the setting user_api_key_allowed_groups can list. Default: none. */
  readonly groups?: readonly number[]
  /** Whether the account may be used. While it may not, neither may its keys. Default true. */
  readonly active?: boolean
  /** When a suspension ends, in milliseconds since the epoch; until then no key of the user works. Default null: none. */
  readonly suspendedUntil?: number | null
}

/** What an application with users of its own tells about them. */
export interface HostUsers {
  /**
   * Who sent a request, by the application's own session; nothing for somebody who is not signed in. Must not read the
   * request's body, and must not ask Hallpass.
   */
  readonly currentUser: (request: Request) => Promise<HostUser | null | undefined>
  /** The user with exactly this id; nothing when there is none, any more. */
  readonly findUser: (id: string) => Promise<HostUser | null | undefined>
  /**
   * The user of that name, by the application's own rules about upper and lower case. Without it, programs with an API
   * key name users in `Api-User-Id` alone. Default: none.
   */
  readonly findUserByUsername?: (username: string) => Promise<HostUser | null | undefined>
  /**
   * Where somebody signs in who is not, and is then sent on to `returnTo`, an absolute address of this site. Default:
   * none, and a page asks them to sign in to the application first.
   */
  readonly signInUrl?: (returnTo: string) => string
  /**
   * Signs the browser in as the user, who has come by a one-time password; answers with the headers, such as
   * `Set-Cookie`, that do it. Default: none, and there are no one-time passwords.
   */
  readonly startSession?: (user: HostUser, request: Request) => Promise<Headers>
}

/** Thrown where the application does not say who its users are, so that nobody can be let in. */
export class HostUsersError extends Error {
  override readonly name: string = 'HostUsersError'
  /** `username_lookup_missing` is no fault: the application said that it has none. */
  readonly reason: 'users_unavailable' | 'username_lookup_missing'

  constructor(reason: HostUsersError['reason'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

/** What asking the application takes. */
export interface AskingHost {
  readonly clock: Clock
  readonly timers: Timers
  readonly settings: SettingsReader
}

/** The application's users as Hallpass sees them. Every method rejects with {@link HostUsersError} alone. */
export function hostDirectory(users: HostUsers, asking: AskingHost): Directory {
  return {
    async findUserById(id) {
      const user = await askForUser('findUser', () => users.findUser(id), asking)
      // A lenient look-up, such as `parseInt`, would make somebody of an id that nobody has.
      return user?.id === id ? user : undefined
    },

    async findUserByUsername(username) {
      const { findUserByUsername: find } = users
      if (!find) {
        throw new HostUsersError('username_lookup_missing', 'createHallpass was given no findUserByUsername')
      }
      return askForUser('findUserByUsername', () => find(username), asking)
    },
  }
}

/**
 * The browsers of the application's users. Their sessions are the application's; the CSRF token is Hallpass's own.
 * `isSecure`: whether the browser that sent a request reaches the site by https.
 */
export function hostVisitors(
  users: HostUsers,
  csrf: CsrfTokens,
  asking: AskingHost,
  isSecure: (request: Request) => boolean,
): Visitors {
  const ask = (request: Request): Promise<User | undefined> =>
    askForUser('currentUser', () => users.currentUser(request), asking)
  return {
    async currentUser(request) {
      const user = await ask(request)
      return user && !checkOwner(user, asking.clock.now()) ? user : undefined
    },
    // Whoever guesses at the application's sessions is the application's to slow down: only it can tell them.
    hasSession: () => false,
    // The application's session cannot be read here, and this secret is in one browser alone, as that is.
    browserId: (request) => readCsrfCookie(request, isSecure(request)) ?? '',
    async shutOut(request) {
      const user = await ask(request)
      return user && checkOwner(user, asking.clock.now())
    },
    ...csrf,
  }
}

async function askForUser(
  what: string,
  question: () => Promise<HostUser | null | undefined>,
  asking: AskingHost,
): Promise<User | undefined> {
  const answer = await inTime(what, question, asking)
  if (answer === undefined || answer === null) return undefined
  const problem = problemOf(answer)
  if (problem) throw new HostUsersError('users_unavailable', `${what} answered with a user ${problem}`)
  return {
    id: answer.id,
    username: answer.username,
    name: answer.name ?? '',
    admin: answer.admin ?? false,
    moderator: answer.moderator ?? false,
    trustLevel: answer.trustLevel ?? 1,
    groups: answer.groups ?? [],
    active: answer.active ?? true,
    suspendedUntil: answer.suspendedUntil ?? null,
    createdAt: 0,
  }
}

/** The application's answer, or a rejection once it has taken too long; what it answers then is not looked at. */
export async function inTime<T>(
  what: string,
  question: () => Promise<T>,
  { timers, settings }: Pick<AskingHost, 'timers' | 'settings'>,
): Promise<T> {
  const { users_timeout_seconds: seconds } = settings.current()
  const tooLate = Promise.withResolvers<never>()
  const cancel = timers.after(seconds * 1000, () =>
    tooLate.reject(
      new HostUsersError('users_unavailable', `${what} did not answer within ${seconds} seconds`),
    ),
  )
  try {
    return await Promise.race([(async () => question())(), tooLate.promise])
  } catch (error) {
    if (error instanceof HostUsersError) throw error
    throw new HostUsersError('users_unavailable', `${what} failed`, { cause: error })
  } finally {
    cancel()
  }
}

/** What is wrong with an answer; undefined for a user. The compiler has not seen what a program in JavaScript returns. */
function problemOf(user: HostUser): string | undefined {
  const wrong = Object.entries(expectations).find(
    ([field, { accepts }]) => !accepts(user[field as keyof HostUser]),
  )
  return wrong && `whose ${wrong[0]} is not ${wrong[1].words}`
}

interface Expectation {
  readonly words: string
  readonly accepts: (value: unknown) => boolean
}

const text: Expectation = {
  words: 'a text with something in it',
  accepts: (value) => isText(value) && value !== '',
}
const yesOrNo: Expectation = {
  words: 'true or false',
  accepts: (value) => value === undefined || typeof value === 'boolean',
}

const expectations: Readonly<Record<keyof HostUser, Expectation>> = {
  id: text,
  username: text,
  name: { words: 'a text', accepts: (value) => value === undefined || isText(value) },
  admin: yesOrNo,
  moderator: yesOrNo,
  active: yesOrNo,
  trustLevel: {
    words: 'a whole number from 0 to 4',
    accepts: (value) => value === undefined || (isWhole(value) && value <= 4),
  },
  groups: {
    words: 'a list of whole numbers',
    accepts: (value) => value === undefined || (Array.isArray(value) && value.every(isWhole)),
  },
  suspendedUntil: {
    words: 'a time in milliseconds, or null',
    accepts: (value) => value === undefined || value === null || Number.isFinite(value),
  },
}

/** Half a surrogate pair can stand in no header, and a NUL in no column of PostgreSQL. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed() && !value.includes('\u0000')
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
